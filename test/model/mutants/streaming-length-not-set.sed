# file: src/simd/simd_state.c
# SMCR_EL2 stays as the last owner had it
/sysreg_write(SMCR_EL2, s->smcr);/d
