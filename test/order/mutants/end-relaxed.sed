# file: src/state/vm.c
# the last vcpu to leave does not see what the others left
/^void vm_drop_vcpu/,/^}/{
	s/__ATOMIC_ACQ_REL/__ATOMIC_RELAXED/
}
