# file: src/state/runq.c
# RUNNABLE is written after the queue is free to others
/^void runq_add/,/^}/{
	/VCPU_RUNNABLE/d
	s/^	spin_unlock.*/&\n	__atomic_store_n(\&vcpu->state, VCPU_RUNNABLE, __ATOMIC_RELEASE);/
}
