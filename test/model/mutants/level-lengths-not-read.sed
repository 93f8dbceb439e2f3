# file: src/simd/simd_level.c
# the lengths of the level that is left are taken from memory though the CPU has newer ones
/^static void switch_lengths/,/^}/s/simd_state_read_lengths(vcpu);//
