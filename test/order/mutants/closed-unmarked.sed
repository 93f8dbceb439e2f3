# file: src/vgic/spi.c
# what is in a list register is changed without its owner
/^static struct vcpu \*apply_here/,/^}/{
	s/^	busy = .*/	busy = 0;/
}
