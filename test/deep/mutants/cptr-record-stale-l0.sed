# file: src/simd/simd.c in l0
# CPTR_EL2 is written but not recorded
s/simd_cptr_load(&cpu_this()->traps, cptr);/struct traps t = cpu_this()->traps; simd_cptr_load(\&t, cptr);/
