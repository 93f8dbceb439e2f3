# file: src/simd/simd_state.c in l0
# ZCR_EL2 stays as the last owner had it
/sysreg_write(ZCR_EL2, s->zcr);/d
