# file: src/simd/simd_state.c
# a flush leaves streaming mode and ZA on
/^	if (svcr)/{
	N
	s/.*sysreg_write(SVCR, 0);//
}
