# file: src/simd/simd.c
# a reset in L2 leaves L2's lengths as the ones in the home
s/vcpu->simd.l2 = false;.*/vcpu->simd.state->zcr_el1 = 1;/
