# file: src/nested/traps_nested.c
# L1's traps of SVE and SME are not in force in L2
s/fields\[\] = { CPTR_FPEN, CPTR_ZEN, CPTR_SMEN };/fields[] = { CPTR_FPEN };/
