# file: src/vgic/remote.c
# withdrawn while its target is at work on it
/^static void withdraw/,/^}/{
	s/^	while (.*/	put(\&a->posted->vgic.op_state, OP_FREE);/
	/take(&a->posted->vgic.op_state, OP_DONE/d
	/^		cpu_relax/d
}
