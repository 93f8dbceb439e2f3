# file: src/simd/simd.c in l1
# the owner is not forgotten
/^static void disown/,/^}/s/cpu->simd.owner = NULL;//
