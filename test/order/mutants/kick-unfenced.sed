# file: src/state/runq.c
# no barrier between what a waker wrote and its look at the state
/^void vcpu_kick/,/^}/{
	/atomic_thread_fence/d
}
