# file: src/state/vm.c
# the last vcpu to leave does not see what the others left
/^void vm_one_less/,/^}/{
	s/__ATOMIC_ACQ_REL/__ATOMIC_RELAXED/
}
