# file: src/simd/simd.c in l0
# after a claim CPTR_EL2 is open whatever the level above traps
/^void simd_claim/,/^}/s/vcpu->traps_stale = true;.*/;/
