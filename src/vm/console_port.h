/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's end of the console; private to console.c and console_input.c. */
#pragma once

#include "state/config.h"
#include "state/vm.h"
#include "vm/console.h"

#define PORT_RING 1024 /* a power of 2 */

struct console_port {
	const struct vm *vm; /* NULL: free */
	struct vpl011 *uart;
	char name[VM_NAME_MAX];

	/* Free running; atomic: the producer writes head and line_end, the consumer tail. */
	u32 head, tail;
	u32 line_end; /* behind the last newline */
	bool starved; /* atomic: the producer was refused */

	/* The consumer's. */
	u32 seen_head; /* head at the last change that console_flush() saw, */
	u64 seen_at;   /* and when that was: CNTPCT */

	u8 ring[PORT_RING];
};

extern struct console_port console_ports[MAX_VMS];

/* A port was given out, or is about to be freed: the focus may change. */
void console_focus_gained(struct console_port *port);
void console_focus_lost(struct console_port *port);
