# file: src/traps/traps.c
# the CPTR_EL2 of L1's that remembered trap controls are of is not noted
s/^\tl->cptr_vel2 = vel2;$//
