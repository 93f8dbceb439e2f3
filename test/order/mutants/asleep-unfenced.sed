# file: src/vm/sched.c
# no barrier between SLEEPING and the look at what wakes
/^static void fall_asleep/,/^}/{
	/atomic_thread_fence/d
}
