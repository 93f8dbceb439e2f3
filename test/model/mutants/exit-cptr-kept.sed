# file: src/traps/vel2.c
# CPACR_EL1 is read, but L1's CPTR_EL2 stays
/^void vel2_cptr_record/,/^}/s/^\tvcpu->sr\[SR_CPTR_EL2\] = .*$//
