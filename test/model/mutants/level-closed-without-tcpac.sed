# file: src/simd/simd.c
# after a host section vEL2 changes CPTR_EL2 unseen
s/simd_cptr_write(cptr_closed)/simd_cptr_write(cptr_armed)/
