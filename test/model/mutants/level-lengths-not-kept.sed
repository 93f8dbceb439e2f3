# file: src/simd/simd_level.c
# the lengths of the level that is left are forgotten
/^static void switch_lengths/,/^}/s/put_lengths(vcpu, zcr, smcr);/(void)put_lengths;/
