# file: src/simd/simd_level.c
# the fast path writes lengths while CPTR_EL2 traps that
/^static bool exchange_live/,/^}/s/if (~open & all)/if (false)/
