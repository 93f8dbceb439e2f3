# file: src/simd/simd_state.c
# FPSR is restored before SVCR
/^u64 simd_state_load/,/^}/{
	/^	load_status(st);/d
	s/^		svcr = st->svcr;/&\n		load_status(st);/
}
