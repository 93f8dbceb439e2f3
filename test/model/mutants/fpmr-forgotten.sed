# file: src/simd/simd_state.c
# FPMR is not saved
/st->fpmr = sysreg_read(FPMR);/s/st->fpmr = //
