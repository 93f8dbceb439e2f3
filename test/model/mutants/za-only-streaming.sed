# file: src/simd/simd_state.c
# ZA is saved only in streaming mode
/^u64 simd_state_save/,/^}/s/if (svcr & SVCR_ZA)/if (svcr == (SVCR_SM | SVCR_ZA))/
