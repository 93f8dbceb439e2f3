# file: src/traps/traps_nested.c in l0
# MDSCR_EL1 traps from L2, for which it is in memory
s/return vel2_nv2(vcpu) && .*/return HDFGXTR_MDSCR_EL1;/
