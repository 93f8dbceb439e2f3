# file: src/traps/traps.c
# trap controls that were to be computed anew are put aside as valid
s,^\tc->vel1.valid = valid;$,\tc->vel1.valid = true;,
