# file: src/simd/simd_state.c
# ZCR_EL1 is not restored
/sysreg_write(ZCR_EL12, st->zcr_el1);/d
