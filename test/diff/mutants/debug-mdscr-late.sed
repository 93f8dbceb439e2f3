# file: src/traps/traps_nested.c
# what vEL2 writes to MDSCR_EL1 takes effect at its next exit
# lane: el2
s,^\t\tt.hdfgwtr |= vcpu->mdscr.write_lent ? 0 : HDFGXTR_MDSCR_EL1;$,\t\t;,
