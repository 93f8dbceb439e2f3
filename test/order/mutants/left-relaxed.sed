# file: src/vgic/spi.c
# what an SPI is to a vcpu is written as any word
/^void spi_want/,/^}/{
	s/__atomic_store_n(&v->want\[word\], wants, __ATOMIC_RELAXED)/v->want[word] = wants/
}
