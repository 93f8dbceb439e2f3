# file: src/simd/simd_state.c
# a save is at the length that L1 left L2
/^	if (s->zcr_now != s->zcr/s/if (.*/if (!s) {/
