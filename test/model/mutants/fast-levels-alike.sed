# file: src/exit/fast.c
# the fast path takes both levels' lengths for the same
s/vcpu->simd.levels_same || simd_level_same(vcpu)/(simd_level_same(vcpu), true)/
