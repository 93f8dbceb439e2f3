# file: src/simd/simd_level.c
# L2 runs with the lengths of the VM
s/^	if (!s->l2)$/	if (s)/
