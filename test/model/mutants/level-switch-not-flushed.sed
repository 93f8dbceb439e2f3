# file: src/simd/simd_level.c
# simd=switch leaves the state live
s/if (unlikely(changed && .*/if (!vcpu)/
