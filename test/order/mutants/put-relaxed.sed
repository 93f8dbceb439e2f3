# file: src/vgic/deliver.c
# a vcpu's GIC is in memory before what is there may be seen
/^void vgic_put/,/^}/{
	s/VGIC_MEMORY, __ATOMIC_RELEASE/VGIC_MEMORY, __ATOMIC_RELAXED/
}
