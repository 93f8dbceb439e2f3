# file: src/simd/simd.c in l1
# a guest in streaming mode is entered with its state in memory
/^static bool is_streaming/,/^}/s/return .*/return !vcpu;/
