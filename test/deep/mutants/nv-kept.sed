# file: src/traps/traps_nested.c in l0
# L3 runs with FEAT_NV2's bits of L2
s/return vel2 & HCR_NV ? vel2 & (HCR_NV | HCR_NV2) : 0;/return HCR_NV | HCR_NV2;/
