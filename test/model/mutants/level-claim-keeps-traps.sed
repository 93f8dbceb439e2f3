# file: src/simd/simd.c
# after a claim CPTR_EL2 is open for L2 whatever L1 traps
/^void simd_claim/,/^}/s/vcpu->traps_stale = true;.*/;/
