# file: src/simd/simd.c
# a flush forgets to clear the CPU's owner
/cpu->simd.owner = NULL;/d
