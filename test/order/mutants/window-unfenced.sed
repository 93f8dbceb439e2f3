# file: src/nested/vncr.c
# a walk may begin before TLBIs see that there are windows
/^static enum verdict refill(/,/^}/{
	/__atomic_thread_fence/d
	s/__atomic_store_n(&v->used, 1, __ATOMIC_SEQ_CST)/__atomic_store_n(\&v->used, 1, __ATOMIC_RELAXED)/
}
