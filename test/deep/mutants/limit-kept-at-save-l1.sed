# file: src/simd/simd_state.c in l1
# a save is at the length of who ran
/^	if (s->zcr_now != s->zcr/s/if (.*/if (!s) {/
