# file: src/simd/simd_level.c in l1
# both levels share ZCR_EL1 and SMCR_EL1
/^static void switch_lengths/,/^}/s/get_lengths(vcpu, .*/(void)get_lengths;/
