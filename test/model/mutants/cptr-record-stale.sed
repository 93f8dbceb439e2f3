# file: src/traps/traps.c
# CPTR_EL2 is written but not recorded
/^void traps_cptr_set/,/^}/s/have->cptr = cptr;//
