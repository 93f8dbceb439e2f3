# file: src/state/vm.c
# a VM that stops does not count the vcpus that are off
/^void vm_stop/,/^}/{
	/vm_kill_if_off/d
}
