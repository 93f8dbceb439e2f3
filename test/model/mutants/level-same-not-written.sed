# file: src/simd/simd_level.c
# the fast path leaves the lengths of the level that is left in the CPU
/^static bool exchange_live/,/^}/s/simd_state_write_lengths(vcpu);/(void)vcpu;/
