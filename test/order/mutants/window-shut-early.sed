# file: src/nested/vncr.c
# a window is said to be shut before CPUs have lost its page
/^static void close_window(/,/^}/{
	/^	__atomic_store_n/d
	s/^	window_close(/	__atomic_store_n(\&e->open, false, __ATOMIC_RELEASE);\n	window_close(/
}
