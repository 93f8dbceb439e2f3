# file: src/traps/reflect.c
# L1's TID1 traps SMIDR_EL1 of an L2 that has no SME
# lane: el2-less 4000
s/if (coarse == COARSE_TID1_SME \&\& /if (false \&\& /
