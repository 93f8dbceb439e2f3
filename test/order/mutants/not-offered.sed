# file: src/state/runq.c
# a CPU that is busy keeps who waits there
/^void sched_tick/,/^}/{
	/runq_offer/d
}
