# file: src/simd/simd_level.c
# a write of ZCR_EL2 does not reach the CPU while the state is live
/^static enum verdict length_access/,/^}/s/simd_state_write_lengths(vcpu);/(void)0;/
