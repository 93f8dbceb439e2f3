# file: src/simd/simd_level.c
# the fast path takes it that vEL2 with its CPTR_EL2 closed has not changed its lengths
/^bool simd_level_same/,/^}/s/if (!s->l2 \&\& (~open/if (s->l2 \&\& (~open/
