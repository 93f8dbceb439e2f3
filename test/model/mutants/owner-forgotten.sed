# file: src/simd/simd.c
# a claim forgets to set the CPU's owner
/cpu->simd.owner = vcpu;/d
