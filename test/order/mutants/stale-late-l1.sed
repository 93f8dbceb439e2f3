# file: src/vgic/nested.c
# while L2 runs, the mark is taken away behind the look at what L1 has
/^bool vgic_wants_vel2/,/^}/{
	s/ || !__atomic_exchange_n(&v->stale, false, __ATOMIC_SEQ_CST)//
	s/^	if (!vel2_has_pending(vcpu) || .*/	if (!vel2_has_pending(vcpu) || !best_for_vel2(vcpu, \&group1)) {\n		__atomic_exchange_n(\&v->stale, false, __ATOMIC_SEQ_CST);\n		return false;\n	}\n	if (false)/
}
