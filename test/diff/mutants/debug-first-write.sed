# file: src/traps/debug.c
# a write of a breakpoint or watchpoint register that trapped does not reach the CPU
# lane: el2
/vEL2 wrote to MDSCR_EL1 just before/{n;s/vcpu->debug_live/false/;}
