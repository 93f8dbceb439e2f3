/* SPDX-License-Identifier: Apache-2.0 */
/* The console's output side: the VMs' rings, which VM's line is open, and nidus's own lines. */
#include "vm/console.h"

#include "arch/barrier.h"
#include "arch/spinlock.h"
#include "arch/sysreg.h"
#include "dev/uart.h"
#include "dev/pl011_regs.h"
#include "dev/power.h"
#include "dev/timer.h"
#include "lib/log.h"
#include "lib/string.h"
#include "vm/console_port.h"
#include "vm/vpl011.h"

/* Iterations of cpu_relax() that a second panic gives the first one to print: a second or so. */
#define DIE_POLLS 100000000
#define BATCH 64        /* with one VM: print when this much is held, */
#define LINE_BATCH 256  /* and with several: when an unfinished line is this long */
#define FLUSH_BUDGET 1024 /* characters of all VMs that one console_flush() prints */
#define PANIC_POLLS 1000000

struct console_port console_ports[MAX_VMS];

static struct spinlock lock; /* guards the UART's transmitter and all below but armed */
static struct console_port *open_port; /* whose partial line is on the screen */
static u32 room;                  /* characters that certainly fit into the UART */
static bool several;              /* there have been two or more ports at once */
static u32 ports_used; /* atomic to read: ports from here on were never given out */
static u32 next_port;             /* where the next console_flush() begins */

static struct timer flush_timer;
static bool armed; /* atomic: flush_timer will fire, or is about to be set */
static bool panicked; /* atomic: the lock is never released again, and nothing else is printed */

/* How long output may be held back, in counter ticks: 4 ms, which a human doesn't notice. */
static u64 flush_delay(void)
{
	return sysreg_read(CNTFRQ_EL0) / 250;
}

/*
 * How long an unfinished line waits for its end before it is printed as it is: 100 ms, a prompt
 * still seems instant.
 */
static u64 partial_delay(void)
{
	return sysreg_read(CNTFRQ_EL0) / 10;
}

/* ---- the wire: lock held -------------------------------------------------------------------- */

static bool has_room(void)
{
	if (!room)
		room = uart_tx_room();
	return room;
}

/* Print one character; waits if the UART is full. */
static void put(u8 c)
{
	if (has_room()) {
		room--;
		uart_tx(c);
	} else {
		uart_putc(c);
	}
}

static void put_text(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put((u8)text[i]);
}

/* End the current line, if there is a partial one. */
static void close_line(void)
{
	if (open_port)
		put_text("\r\n", 2);
	open_port = NULL;
}

static void put_for(struct console_port *p, u8 c)
{
	if (open_port != p) {
		/* At the start of a line it would make the text overwrite the prefix. */
		if (several && c == '\r')
			return;
		close_line();
		if (several) {
			put_text(p->name, strlen(p->name));
			put_text(": ", 2);
		}
	}
	put(c);
	open_port = c == '\n' ? NULL : p;
}

/* ---- rings ---------------------------------------------------------------------------------- */

static u32 used_end(void)
{
	return __atomic_load_n(&ports_used, __ATOMIC_ACQUIRE);
}

static u32 held(const struct console_port *p)
{
	return __atomic_load_n(&p->head, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&p->tail, __ATOMIC_ACQUIRE);
}

/* How much of what p holds ends with a newline. */
static u32 held_lines(const struct console_port *p)
{
	u32 lines = __atomic_load_n(&p->line_end, __ATOMIC_ACQUIRE) - p->tail;

	/* Behind the tail if the last newline was printed. */
	return (s32)lines > 0 ? lines : 0;
}

/* How much of p is due. With partial, unfinished lines too. */
static u32 due(const struct console_port *p, bool partial)
{
	u32 n = held(p);

	if (!several || partial || n >= LINE_BATCH)
		return n;
	return MIN(n, held_lines(p));
}

/* Print up to n characters of p, as many as the UART takes without waiting; lock held. */
static u32 drain(struct console_port *p, u32 n)
{
	u32 tail = p->tail, done = 0;

	/* console_panic() may see a ring in mid-change: whatever n is, no more than a ring full. */
	n = MIN(n, PORT_RING);
	while (done < n && has_room()) {
		put_for(p, p->ring[tail++ % PORT_RING]);
		done++;
	}
	__atomic_store_n(&p->tail, tail, __ATOMIC_SEQ_CST);
	return done;
}

/* Print all of p, waiting where the UART is slow; lock held. */
static void print_all(struct console_port *p)
{
	for (u32 n = MIN(held(p), PORT_RING); n; n--) {
		put_for(p, p->ring[p->tail % PORT_RING]);
		__atomic_store_n(&p->tail, p->tail + 1, __ATOMIC_SEQ_CST);
	}
}

/*
 * Whether an unfinished line is due: it has not grown since the last check, some milliseconds ago,
 * so lines are rarely torn, and a prompt still appears; lock held.
 */
static bool partial_is_old(struct console_port *p, u64 now)
{
	u32 head = __atomic_load_n(&p->head, __ATOMIC_ACQUIRE);

	if (head == p->seen_head)
		return now - p->seen_at >= partial_delay();
	p->seen_head = head;
	p->seen_at = now;
	return false;
}

/* ---- the timer, so that nothing is held back for ever --------------------------------------- */

static void on_flush_timer(struct timer *t)
{
	(void)t;
	__atomic_store_n(&armed, false, __ATOMIC_SEQ_CST);
	console_flush();
}

/* Have console_flush() called soon. No lock held: it takes the timer's. */
static void arm(void)
{
	if (!__atomic_exchange_n(&armed, true, __ATOMIC_SEQ_CST))
		timer_set(&flush_timer, counter_now() + flush_delay());
}

/*
 * Notify the UARTs that were refused and now have room; true if some still have none. No lock held.
 */
static bool resume_starved(void)
{
	bool left = false;

	for (u32 i = 0; i < used_end(); i++) {
		struct console_port *p = &console_ports[i];

		if (!__atomic_load_n(&p->starved, __ATOMIC_SEQ_CST))
			continue;
		if (held(p) > PORT_RING / 2)
			left = true;
		else if (__atomic_exchange_n(&p->starved, false, __ATOMIC_SEQ_CST))
			vpl011_tx_resume(p->uart);
	}
	return left;
}

static bool anything_left(void)
{
	for (u32 i = 0; i < used_end(); i++)
		if (held(&console_ports[i]) ||
		    __atomic_load_n(&console_ports[i].starved, __ATOMIC_RELAXED))
			return true;
	return false;
}

/*
 * After printing, lock released: wake the UARTs that wait for room, and have the rest checked
 * again.
 */
static void settle(bool full)
{
	bool left = resume_starved();

	left |= anything_left();
	if (left && full)
		uart_irq_set(PL011_INT_TX, true);
	if (left)
		arm();
}

/* ---- for VMs -------------------------------------------------------------------------------- */

bool console_putc(struct console_port *p, u8 c)
{
	u32 head = p->head;

	if (head - __atomic_load_n(&p->tail, __ATOMIC_ACQUIRE) == PORT_RING) {
		/* Set, then check again: a consumer makes room, then checks this. */
		__atomic_store_n(&p->starved, true, __ATOMIC_SEQ_CST);
		if (head - __atomic_load_n(&p->tail, __ATOMIC_SEQ_CST) == PORT_RING)
			return false;
		__atomic_store_n(&p->starved, false, __ATOMIC_SEQ_CST);
	}
	p->ring[head % PORT_RING] = c;
	if (c == '\n')
		__atomic_store_n(&p->line_end, head + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&p->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

void console_push(struct console_port *p)
{
	u32 n = held(p);
	bool full;

	if (!n) {
		resume_starved(); /* if log_line() has emptied the ring */
		return;
	}
	if (!held_lines(p) && n < (several ? LINE_BATCH : BATCH)) {
		arm();
		return;
	}
	if (!spin_trylock(&lock)) {
		arm();
		return;
	}
	drain(p, due(p, false));
	full = !has_room();
	spin_unlock(&lock);
	settle(full);
}

void console_flush(void)
{
	u32 budget = FLUSH_BUDGET;
	bool full;
	u64 now;

	if (!anything_left() || __atomic_load_n(&panicked, __ATOMIC_RELAXED))
		return;
	if (!spin_trylock(&lock)) {
		arm();
		return;
	}
	now = counter_now();
	next_port++;
	for (u32 i = 0; i < used_end(); i++) {
		struct console_port *p = &console_ports[(next_port + i) % used_end()];

		if (held(p))
			budget -= drain(p, MIN(budget, due(p, partial_is_old(p, now))));
	}
	full = !has_room();
	spin_unlock(&lock);
	settle(full);
}

/* ---- for nidus ------------------------------------------------------------------------------ */

/* Print a line, lock held, or when nothing else runs that could hold it. */
static void put_line(const char *text, size_t n)
{
	/* Earlier output of the VMs is printed first. */
	for (u32 i = 0; i < used_end(); i++)
		drain(&console_ports[i], due(&console_ports[i], false));
	close_line();
	for (size_t i = 0; i < n; i++) {
		u8 c = (u8)text[i];

		put(c < ' ' || c == 0x7f ? '?' : c);
	}
	put_text("\r\n", 2);
}

void console_log(const char *text, size_t n)
{
	/* Before the MMU is on there is one CPU, and exclusive accesses do not work. */
	bool locked = sysreg_read(SCTLR_EL2) & 1;

	if (locked)
		spin_lock(&lock);
	put_line(text, n);
	if (locked)
		spin_unlock(&lock);
}

static bool lock_bounded(void)
{
	for (u32 i = 0; i < PANIC_POLLS; i++) {
		if (spin_trylock(&lock))
			return true;
		cpu_relax();
	}
	return false;
}

void console_panic(const char *text, size_t n)
{
	if (sysreg_read(SCTLR_EL2) & 1)
		lock_bounded();
	__atomic_store_n(&panicked, true, __ATOMIC_RELAXED);
	/* The count of free places may be another CPU's, torn. */
	room = 0;
	put_line(text, n);
	uart_sync();
}

/*
 * Whether this is the first panic; before the MMU is on exclusive accesses do not work, and there
 * is one CPU.
 */
static bool first_to_die(void)
{
	static u32 dying;
	u32 before = dying;

	if (sysreg_read(SCTLR_EL2) & 1)
		before = __atomic_exchange_n(&dying, 1, __ATOMIC_SEQ_CST);
	else
		dying = 1;
	return !before;
}

/*
 * The first CPU to get here prints and switches the machine off. Another, or the same one again
 * because printing itself failed, must not cut that short, but does it if the first does not.
 */
static noreturn void console_die(const char *text, size_t n)
{
	if (first_to_die())
		console_panic(text, n);
	else
		for (u32 i = 0; i < DIE_POLLS; i++)
			cpu_relax();
	machine_off();
}

const struct log_sink console_sink = { console_log, console_die };

void console_sync(void)
{
	if (__atomic_load_n(&panicked, __ATOMIC_RELAXED) || !lock_bounded())
		return;
	for (u32 i = 0; i < used_end(); i++)
		print_all(&console_ports[i]);
	uart_sync();
	spin_unlock(&lock);
}

/* ---- ports ---------------------------------------------------------------------------------- */

struct console_port *console_attach(const struct vm *vm, const char *name, struct vpl011 *uart)
{
	struct console_port *p = NULL;
	u32 used = 0;

	spin_lock(&lock);
	for (u32 i = 0; i < MAX_VMS; i++) {
		used += console_ports[i].vm != NULL;
		if (!p && !console_ports[i].vm)
			p = &console_ports[i];
	}
	if (p) {
		if (!flush_timer.fn)
			timer_init(&flush_timer, on_flush_timer);
		memset(p, 0, sizeof(*p));
		snprintf(p->name, sizeof(p->name), "%s", name);
		p->uart = uart;
		p->vm = vm;
		__atomic_store_n(&ports_used, MAX(ports_used, (u32)(p - console_ports) + 1),
				 __ATOMIC_RELEASE);
		several |= used > 0;
	}
	spin_unlock(&lock);
	if (p)
		console_focus_gained(p);
	return p;
}

bool console_drained(struct console_port *p)
{
	bool full;

	if (!held(p))
		return true;
	if (!spin_trylock(&lock))
		return false;
	drain(p, held(p));
	full = !has_room();
	spin_unlock(&lock);
	settle(full);
	return !held(p);
}

void console_detach(struct console_port *p)
{
	spin_lock(&lock);
	print_all(p);
	if (open_port == p)
		close_line();
	p->vm = NULL;
	p->starved = false;
	spin_unlock(&lock);
	console_focus_lost(p);
}
