# file: src/simd/simd.c
# the check before entry mends nothing
/^void simd_check/,/^}/s/	check_repair(vcpu);//
