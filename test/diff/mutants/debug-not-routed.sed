# file: src/traps/debug.c
# EL2 has debug exceptions of its own though neither TGE nor TDE is set
# lane: el2
s/unlikely(vcpu->in_vel2) && !routed_to_el2(vcpu) ?/false ?/
