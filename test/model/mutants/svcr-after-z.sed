# file: src/simd/simd_state.c
# SVCR is restored after Z, P and FFR
/^u64 simd_state_load/,/^}/{
	/if (svcr)/,/sysreg_write(SVCR, svcr);/d
	s/^	simd_regs_load_z(.*/&\n	sysreg_write(SVCR, svcr);/
}
