# file: src/vm/sched.c
# a CPU says that it is idle behind its look for work
/^static struct vcpu \*idle_until_work/,/^}/{
	/^		runq_idle(cpu, true);/d
	s/^		console_flush();/		runq_idle(cpu, true);\n&/
}
