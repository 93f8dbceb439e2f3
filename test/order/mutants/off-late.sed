# file: src/vgic/vgic.c
# a vcpu is off only behind the choice of others for what it had
/^void vgic_vcpu_off/,/^}/{
	/atomic_store_n/d
	s/^	spi_choose_again.*/&\n	__atomic_store_n(\&vcpu->vgic.off, true, __ATOMIC_SEQ_CST);/
}
