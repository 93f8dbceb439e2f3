# file: src/state/runq.c
# kicked before the request is there
/^void vcpu_request/,/^}/{
	/atomic_fetch_or/d
	s/^	vcpu_kick(vcpu);/&\n	__atomic_fetch_or(\&vcpu->requests, request, __ATOMIC_RELEASE);/
}
