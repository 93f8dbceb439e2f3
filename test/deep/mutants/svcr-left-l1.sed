# file: src/simd/simd_state.c in l1
# a save leaves SVCR
/^u64 simd_state_save/,/^}/s/^\t\tsysreg_write(SVCR, 0);//
