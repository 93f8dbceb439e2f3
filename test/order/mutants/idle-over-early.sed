# file: src/state/runq.c
# a vcpu woken by its own CPU is RUNNING only once it has looked
/^static bool start_here/,/^}/{
	s/set_running(vcpu)/(void)vcpu/
}
