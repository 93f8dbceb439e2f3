# file: src/vgic/spi.c
# who is fit is known only behind the choice
/^void vgic_groups_changed/,/^}/{
	/atomic_store_n/d
	s/^	spi_choose_again.*/&\n	__atomic_store_n(\&vcpu->vgic.groups_on, on, __ATOMIC_RELAXED);/
}
