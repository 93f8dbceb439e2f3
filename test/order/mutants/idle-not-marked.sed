# file: src/vm/sched.c
# who was woken by its own CPU in the idle loop is forgotten
/^static struct vcpu \*idle_until_work/,/^}/{
	s/over = .*/over = false;/
}
