# file: src/simd/simd_state.c
# ZCR_EL2 follows the guest's own ZCR_EL1, so a save is at the current length
s/sysreg_write(ZCR_EL2, s->zcr);/sysreg_write(ZCR_EL2, s->zcr \& st->zcr_el1);/
