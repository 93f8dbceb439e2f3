# file: src/simd/simd.c
# SME stays trapped after a claim
s/(s->svl ? CPTR_SMEN : 0)/0/
