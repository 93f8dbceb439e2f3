# file: src/exit/prepare.c
# what was computed before a host section is in force
/^.*void prepare_traps/,/^}/s/^\t\tsimd_check(vcpu);.*/\t\tirq_save();/;s/^#include "arch\/sysreg.h"/&\n#include "arch\/irq.h"/
