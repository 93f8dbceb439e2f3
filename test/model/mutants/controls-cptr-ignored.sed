# file: src/traps/traps.c
# trap controls are remembered whatever L1's CPTR_EL2 has become
s, | (l->cptr_vel2 ^ vel2),,
