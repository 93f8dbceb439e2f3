# file: src/vgic/deliver.c
# a vcpu's GIC is read before it is its own
/^void vgic_load/,/^}/{
	s/VGIC_LOADED, false, __ATOMIC_ACQUIRE/VGIC_LOADED, false, __ATOMIC_RELAXED/
}
