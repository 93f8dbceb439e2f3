# file: src/simd/simd_level.c
# L2 has FA64 and ZT0 though L1 has them off
s/(\*smcr & vel2 & (SMCR_FA64/(*smcr \& (SMCR_FA64/
