# file: src/vgic/spi.c
# who gets an SPI is not marked
/^static u32 choose_one/,/^}/{
	/vgic_mark/d
}
