# file: src/simd/simd_level.c
# CPTR_EL2 stays open for all after a level switch
s/vcpu->traps_stale = true;//
