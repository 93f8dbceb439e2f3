# file: src/exit/psci.c
# a vcpu may run before its registers are set
/^static s64 cpu_on/,/^}/{
	/^	vcpu_reset/d
	s/^	sched_start.*/&\n	vcpu_reset(target, entry, x0);/
}
