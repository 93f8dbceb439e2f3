# file: src/vgic/remote.c
# an answer is there before what it says may be seen
/^static void put/,/^}/{
	s/__ATOMIC_RELEASE/__ATOMIC_RELAXED/
}
