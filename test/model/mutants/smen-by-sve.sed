# file: src/simd/simd.c
# SME is opened for a VM that has only SVE
s/(s->svl ? CPTR_SMEN : 0)/(s->vl ? CPTR_SMEN : 0)/
