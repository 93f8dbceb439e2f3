# file: src/traps/vel2.c in l0
# CPACR_EL1 is read, but CPTR_EL2 stays
/^void vel2_cptr_record/,/^}/s/^\tvcpu->sr\[SR_CPTR_EL2\] = .*$//
