# file: src/traps/traps_nested.c in l1
# a trap of SVE and SME is not in force a level below
s/cptr_fields(have \& ~vel2 \& CPTR_LOW)/cptr_fields(have \& ~vel2 \& BIT(20))/
