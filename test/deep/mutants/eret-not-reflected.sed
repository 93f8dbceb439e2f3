# file: src/traps/reflect.c in l0
# ERET of L2 by the full way is not l1's
s/^\t\treturn (vel2_hcr(vcpu) & HCR_NV) || (vel2_hfgitr(vcpu) & HFGITR_ERET);/\t\treturn vel2_hfgitr(vcpu) \& HFGITR_ERET;/
