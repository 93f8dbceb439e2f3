# file: src/simd/simd_level.c
# L2 runs with the lengths of the VM
s/^	if (!s->vel1)$/	if (s)/
