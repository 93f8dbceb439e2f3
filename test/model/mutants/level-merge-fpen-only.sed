# file: src/traps/traps_nested.c
# L1's traps of SVE and SME are not in force in L2
s/cptr_fields(have \& ~vel2 \& CPTR_LOW)/cptr_fields(have \& ~vel2 \& BIT(20))/
