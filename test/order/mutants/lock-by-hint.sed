# file: src/vgic/deliver.c
# SPIs are chosen without the lock if some come behind the look that decided on it
/^static u32 spi_words/,/^}/{
	s/locked ? v->want_words : 0/v->want_words/
}
