# file: src/traps/bank.c
# vEL2's CPACR_EL1 is L2's
/^void bank_enter_vel2/,/^}/s/^#define DO_BANK TO_VNCR$/#define DO_BANK NOTHING/
