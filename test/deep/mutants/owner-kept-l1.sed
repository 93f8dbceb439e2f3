# file: src/simd/simd.c in l1
# the owner is not forgotten
/^static void clear_owner/,/^}/s/cpu->simd.owner = NULL;//
