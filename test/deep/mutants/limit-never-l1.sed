# file: src/simd/simd_level.c in l1
# the guest of a guest runs with the lengths of the VM
s/^	if (!s->vel1)$/	if (s)/
