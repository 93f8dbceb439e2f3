# file: src/simd/simd.c
# a flush forgets to clear where the vcpu is live
/vcpu->simd.cpu = NULL;/d
