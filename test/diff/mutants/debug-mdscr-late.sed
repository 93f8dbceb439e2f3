# file: src/nested/traps_nested.c
# what vEL2 writes to MDSCR_EL1 takes effect at its next exit
# lane: el2
/hdfgwtr |= vcpu->mdscr.free/d
