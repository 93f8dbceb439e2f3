# file: src/vgic/nested_route.c
# interrupts that go to EL1 (TGE = 0, IMO = 0) are taken at virtual EL2
# lane: el2
s/return PSTATE_EL(vcpu->pstate) && /return false \&\& /
