# file: src/traps/debug.c
# the debug channel's registers do not trap from host EL0
# lane: el2
s/if (vcpu->in_vel2 \&\& !PSTATE_EL(vcpu->pstate)) {/if (false) {/
