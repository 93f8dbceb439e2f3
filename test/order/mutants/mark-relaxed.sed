# file: src/vgic/spi.c
# a vcpu is marked before what it is to find may be seen
/^static u32 settle_one/,/^}/{
	s/vgic_mark(&new->vgic, false)/__atomic_store_n(\&new->vgic.stale, true, __ATOMIC_RELAXED)/
}
