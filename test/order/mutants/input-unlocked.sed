# file: src/vgic/spi.c
# a device's input is set without the lock
/^void vgic_set_spi/,/^}/{
	/spin_/d
}
