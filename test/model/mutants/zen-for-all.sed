# file: src/simd/simd.c
# SVE is opened for a VM without it
s/(s->vl ? CPTR_ZEN : 0)/CPTR_ZEN/
