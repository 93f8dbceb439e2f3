# file: src/traps/debug.c
# HMC, SSC and PMC of a breakpoint at vEL2 are taken as EL1's
# lane: el2
s/IS_CONTROL(row) && unlikely(vcpu->in_vel2) ? debug_control_vel2(v, row == BCR) : v;/v;/
