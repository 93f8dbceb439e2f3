# file: src/vgic/deliver.c
# the mark is taken away behind the look at what there is
/^void vgic_flush/,/^}/{
	/atomic_exchange_n(&v->stale/{
		N
		d
	}
	s/^	vgic_collect(v);/&\n	if (!__atomic_exchange_n(\&v->stale, false, __ATOMIC_SEQ_CST))\n		return;/
}
