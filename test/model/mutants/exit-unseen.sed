# file: src/exit/run.c
# what vEL2 wrote to CPACR_EL1 is not looked at
s/^\t\tuntrapped_check(vcpu, UNTRAPPED_EXIT);$//
