# file: src/vgic/remote.c
# what is asked of a vcpu that left its CPU stays there
/^static bool collect/,/^}/{
	s/get(&t->where) == VGIC_MEMORY/false/
}
