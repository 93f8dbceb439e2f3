# file: src/vgic/private.c
# marked and woken before the SGI is in the mailbox
/^static void sgi_post/,/^}/{
	s/^	if (__atomic_fetch_or(&t->mail, bit, __ATOMIC_RELEASE) & bit)$/	if (__atomic_load_n(\&t->mail, __ATOMIC_RELAXED) \& bit)/
	s/^		vcpu_kick(target);/&\n	__atomic_fetch_or(\&t->mail, bit, __ATOMIC_RELEASE);/
}
