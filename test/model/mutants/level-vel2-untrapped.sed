# file: src/traps/traps_nested.c
# vEL2 changes CPTR_EL2 and nidus does not see it
/vel2_closed(vcpu)/s/ | (vcpu->cpacr_native ? 0 : CPTR_TCPAC);/;/
