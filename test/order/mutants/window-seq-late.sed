# file: src/nested/vncr.c
# a walk learns behind it how many TLBIs there have been
/^static enum verdict refill(/,/^}/{
	/^	seq = /d
	s/^	open_window(/	seq = __atomic_load_n(\&v->seq, __ATOMIC_ACQUIRE);\n	open_window(/
}
