# file: src/vm/sched.c
# RUNNABLE is written after the queue is free to others
/^static void enqueue/,/^}/{
	/VCPU_RUNNABLE/d
	s/^	spin_unlock.*/&\n	__atomic_store_n(\&vcpu->state, VCPU_RUNNABLE, __ATOMIC_RELEASE);/
}
