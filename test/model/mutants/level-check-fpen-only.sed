# file: src/simd/simd.c
# SVE open and FP trapped, as L1 has it, survives a host section
/^void simd_check/,/^}/s/ (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN);/ CPTR_FPEN;/
