# file: src/simd/simd_level.c in l1
# the fast path keeps the limits of the level that is left
/^static bool same_lengths/,/^}/{
s/ || limit_zcr != s->zcr_now ||$/) {/
/limit_smcr != s->smcr_now) {$/d
}
