# file: src/exit/vcpu.c in l0
# a vcpu that leaves its CPU leaves its registers
/^void vcpu_put/,/^}/s/^\tsimd_flush(vcpu);//
