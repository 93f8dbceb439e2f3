# file: src/traps/traps_nested.c in l0
# L2 runs without them
s/return vel2 & HCR_NV ? vel2 & (HCR_NV | HCR_NV2) : 0;/return 0;/
