# file: src/traps/bank.c in l1
# L2's CPACR_EL1 is L3's
/^void bank_enter_vel2/,/^}/s/^#define DO_BANK TO_VNCR$/#define DO_BANK NOTHING/
