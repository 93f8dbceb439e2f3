# file: src/traps/debug.c
# a write of a breakpoint or watchpoint register that trapped does not reach the CPU
# lane: el2
/MDSCR_EL1 just before may have made/{n;s/vcpu->debug_live/false/;}
