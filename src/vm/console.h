/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's serial console, shared by nidus and the VMs. With one VM its output appears as it
 * is; with several, each line begins with "NAME: ". nidus's own lines begin with "nidus: ". Ctrl-A
 * and a key are commands to nidus, other input goes to the VM that has the focus.
 *
 * Locks, outer first: a VM's UART (vpl011.c), then the console's; log_line() takes only the latter.
 * A VM's output waits in a ring of its own with one producer (holder of its UART's lock) and one
 * consumer (holder of the console's lock). Output of a VM never waits for the console's lock, so a
 * VM that floods the console slows down only itself.
 */
#pragma once

#include "lib/log.h"
#include "lib/types.h"

struct console_port;
struct vm;
struct vpl011;

/*
 * Give a VM a port under this name; the first gets the focus. Before the VM runs. NULL: all MAX_VMS
 * ports are taken.
 */
struct console_port *console_attach(const struct vm *vm, const char *name, struct vpl011 *uart);
/*
 * Print what it holds, unfinished lines too, as far as the UART takes it without waiting. True:
 * nothing is left. No lock held.
 */
bool console_drained(struct console_port *port);
/* Print what is left, then give the port back. No vcpu of the VM runs any more. No lock held. */
void console_detach(struct console_port *port);

/*
 * Queue one character of a VM's output; UART lock held. False: no room, it was not taken, and
 * vpl011_tx_resume() will be called when there is.
 */
bool console_putc(struct console_port *port, u8 c);
/* After console_putc() or while it refuses, UART lock no longer held: print it if it is time to. */
void console_push(struct console_port *port);

/*
 * Print what the VMs' ports hold: with several VMs whole lines, and partial ones that have not
 * grown for a few milliseconds. For idle CPUs and scheduler ticks; cheap if there is nothing. No
 * lock held, never waits for one, bounded time.
 */
void console_flush(void);

/* The physical UART's interrupt: input, and room for output. No lock held, bounded time. */
void console_rx(void);
/* Whether input waits because the focused VM had no room for it. */
bool console_rx_paused(void);
/* That VM has room again. No lock held. */
void console_rx_resume(void);

/*
 * Print n characters as one line of nidus's own, newline added; control characters become '?'.
 * Any context and CPU; takes the console's lock.
 */
void console_log(const char *text, size_t n);
/*
 * The same for a machine that is about to halt: waits for the lock only for a bounded time, and for
 * the UART to have sent it. Nothing else is printed after it.
 */
void console_panic(const char *text, size_t n);
/* Both, for log_to(): its last line ends with the machine off. */
extern const struct log_sink console_sink;
/*
 * Before the machine is switched off: print all that is held and wait, for a bounded time, until
 * the UART has sent it. No lock held.
 */
void console_sync(void);
