# file: src/vgic/remote.c
# posted without a request to the vcpu that is asked
/^static bool begin/,/^}/{
	/vcpu_request/d
}
