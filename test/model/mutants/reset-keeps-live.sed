# file: src/simd/simd.c
# a reset forgets that the state may be live
/^void simd_vcpu_reset/,/^}/s/drop(vcpu);//
