# file: src/simd/simd.c
# a VM without SVE gets its SVE instructions retried
s/(ec == EC_SVE && !vcpu->simd.vl) ||/ /
