# file: src/simd/simd_home.c
# a reset leaves the old state in memory
/page_zero(ptr_pa/s/page_zero(/(void)(/
