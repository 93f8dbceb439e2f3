# file: src/state/runq.c
# RUNNING is stored with release, and the look at what was asked for may come before it
/^static void set_running/,/^}/{
	s/__ATOMIC_RELAXED/__ATOMIC_RELEASE/
	/atomic_thread_fence/d
}
