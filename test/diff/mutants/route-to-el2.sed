# file: src/vgic/nested_route.c
# interrupts that go to EL1 (TGE = 0, IMO = 0) are taken at virtual EL2
# lane: el2
s/hold(vcpu, PSTATE_EL(vcpu->pstate) \&\& best_signalled/hold(vcpu, false \&\& best_signalled/
