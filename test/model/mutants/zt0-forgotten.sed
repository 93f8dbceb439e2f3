# file: src/simd/simd_state.c
# ZT0 is not saved
/simd_regs_save_zt0/s/simd_regs_save_zt0(.*);/(void)0;/
