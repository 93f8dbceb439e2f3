# file: src/simd/simd_state.c
# FPSR is saved after SVCR was cleared
/^u64 simd_state_save/,/^}/{
	/^	save_status(st);/d
	s/^		simd_regs_save_v(.*/&\n		save_status(st);/
	s/^	return bytes;/	save_status(st);\n&/
}
