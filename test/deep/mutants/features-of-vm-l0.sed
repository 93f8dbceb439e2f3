# file: src/simd/simd_level.c in l0
# L3 has FA64 and ZT0 though L2 has them off
s/(\*smcr & vel2 & (SMCR_FA64/(*smcr \& (SMCR_FA64/
