# file: src/simd/simd_state.c
# a dropped vcpu leaves streaming mode and ZA on
/^void simd_state_forget/,/^}/s/sysreg_write(SVCR, 0);/(void)0;/
