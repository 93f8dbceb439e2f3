# file: src/simd/simd.c
# a vcpu in streaming mode is entered with its state in memory
/^void simd_check/,/^}/s/!open && !is_streaming(vcpu)/!open/
