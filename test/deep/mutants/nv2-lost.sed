# file: src/traps/traps_nested.c in l0
# L2 has its registers trapped instead of in memory
s/return l1 & HCR_NV ? l1 & (HCR_NV | HCR_NV2) : 0;/return l1 \& HCR_NV;/
