# file: src/vgic/signal.c
# a power-down state with the interface off is left by what the interface would signal alone
# unit: test_vgic_deliver
/^bool vgic_wake_request/,/^}/s/	vgic_sync(vcpu);/	return vgic_interrupt_pending(vcpu);/
