# file: src/simd/simd_level.c
# the limit of L2 stays in force in vEL2
s/^	if (vcpu->simd.zcr_now == zcr \&\&/	if (vcpu->in_vel2 || vcpu->simd.zcr_now == zcr \&\&/
