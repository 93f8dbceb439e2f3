# file: src/simd/simd.c
# the check before entry sees nothing
/^void simd_check/,/^}/s/if (unlikely(.*/if (!vcpu \&\& open)/
