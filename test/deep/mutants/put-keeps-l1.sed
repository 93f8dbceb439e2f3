# file: src/exit/vcpu.c in l1
# a vcpu that leaves its CPU leaves its registers
/^void vcpu_put/,/^}/s/^\tsimd_flush(vcpu);//
