# file: src/traps/traps_nested.c in l1
# L2 changes CPTR_EL2 and l1 does not see it
/vel2_closed(vcpu)/s/ | (vcpu->cpacr_native ? 0 : CPTR_TCPAC);/;/
