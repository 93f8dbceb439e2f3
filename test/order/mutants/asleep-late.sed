# file: src/vm/sched.c
# SLEEPING is written after the look at what wakes
/^static void fall_asleep/,/^}/{
	/atomic_store_n/d
	/atomic_thread_fence/d
	s/^	if (!vcpu_wakes(vcpu))$/	if (!vcpu_wakes(vcpu)) {\n		__atomic_store_n(\&vcpu->state, VCPU_SLEEPING, __ATOMIC_SEQ_CST);/
	s/^		return;$/		return;\n	}/
}
