# file: src/simd/simd_level.c in l0
# the fast path keeps the limits of the level that is left
/^static bool exchange_live/,/^}/s/limit_zcr != s->zcr_now || limit_smcr != s->smcr_now/false/
