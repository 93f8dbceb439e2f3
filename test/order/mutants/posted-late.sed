# file: src/vgic/remote.c
# the request goes out before what is asked for is posted
/^static bool begin/,/^}/{
	/OP_POSTED/d
	s/^		vcpu_request.*/&\n		put(\&t->op_state, OP_POSTED);/
}
