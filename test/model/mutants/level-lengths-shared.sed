# file: src/simd/simd_level.c
# vEL2 and L2 share ZCR_EL1 and SMCR_EL1
/^static void switch_lengths/,/^}/s/get_lengths(vcpu, .*/(void)get_lengths;/
