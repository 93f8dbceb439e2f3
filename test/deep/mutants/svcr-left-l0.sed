# file: src/simd/simd_state.c in l0
# a save leaves SVCR
/^u64 simd_state_save/,/^}/s/^\t\tsysreg_write(SVCR, 0);//
