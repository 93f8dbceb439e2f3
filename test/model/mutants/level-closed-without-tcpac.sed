# file: src/simd/simd.c
# after a host section vEL2 changes CPTR_EL2 unseen
s/traps_cptr_set(cptr_closed)/traps_cptr_set(cptr_armed)/
