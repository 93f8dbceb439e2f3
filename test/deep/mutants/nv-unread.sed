# file: src/traps/reflect.c in l0
# the fast path gives L3's exits to nobody as L2's
/^bool reflect_nv/,/^}/s/^\t\treturn true;/\t\treturn false;/;/^bool reflect_wanted/,/^}/s/(vel2_hcr(vcpu) & HCR_NV) || //
