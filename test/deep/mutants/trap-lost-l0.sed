# file: src/traps/traps_nested.c in l0
# L2's trap of L3's is not in force
s/HCR_TTLB | HCR_TVM | HCR_TDZ/HCR_TTLB | HCR_TDZ/
