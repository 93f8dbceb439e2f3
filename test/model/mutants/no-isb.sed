# file: src/simd/simd.c
# no ISB between opening CPTR_EL2 and the first use
/^void simd_open/,/^}/s/	isb();//
