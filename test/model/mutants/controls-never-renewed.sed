# file: src/traps/traps.c
# trap controls are computed once and for all
s/^\tif (!l->valid)$/\tif (!l->t.hcr)/
