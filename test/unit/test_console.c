/* SPDX-License-Identifier: Apache-2.0 */
/* The console on a model of the machine's PL011: who prints what when, input, panic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/mmio_access.h"
#include "vm/console_port.h"
#include "dev/pci.h"
#include "dev/pl011.h"
#include "dev/uart.h"
#include "dev/pl011_regs.h"
#include "vm/vpl011.h"
#include "vm/account.h"
#include "vm/trace_print.h"
#include "state/vm.h"
#include "vtimer/vtimer.h"

/* Symbols of files that only the machine links. */
#include "../../src/lib/log.c"
#include "dev/power.h"

#define BASE 0x09000000UL
#define FREQ 1000000

/* ---- the machine's PL011 -------------------------------------------------------------------- */

static char screen[65536];
static size_t shown;
static u32 fifo;         /* characters in its transmit FIFO */
static u32 quota = ~0U;  /* how many of them will leave it; ~0: all, at once */
static unsigned lost;    /* characters written into a full FIFO */
static u32 imsc;
static const u16 *in;
static size_t in_left;
static unsigned fr_reads;

static void wire(void)
{
	u32 n = MIN(fifo, quota);

	fifo -= n;
	if (quota != ~0U)
		quota -= n;
}

/* No assertions here: the console's lock may be held, and a failed assertion would leave it so. */
static u64 uart(u64 at, unsigned size, bool write, u64 v)
{
	u32 ris;

	(void)size;
	wire();
	ris = (in_left ? PL011_INT_RX : 0U) | (fifo < PL011_FIFO ? PL011_INT_TX : 0U);
	switch (at - BASE) {
	case PL011_DR:
		if (write) {
			if (fifo == PL011_FIFO || shown == sizeof(screen) - 1) {
				lost++;
				return 0;
			}
			screen[shown++] = (char)v;
			fifo++;
			return 0;
		}
		if (!in_left)
			return 0xbad;
		in_left--;
		return *in++;
	case PL011_FR:
		fr_reads++;
		return (in_left ? 0 : PL011_FR_RXFE) | (fifo == PL011_FIFO ? PL011_FR_TXFF : 0) |
		       (fifo ? 0 : PL011_FR_TXFE);
	case PL011_IMSC:
		if (write)
			imsc = (u32)v;
		return imsc;
	case PL011_MIS:
		return ris & imsc;
	default:
		return 0;
	}
}

/* Everything printed since the last call. */
static const char *printed(void)
{
	screen[shown] = '\0';
	shown = 0;
	return screen;
}

static void key_in(const char *s)
{
	static u16 buf[4096];
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		buf[i] = (u8)s[i];
	in = buf;
	in_left = n;
	while (in_left && imsc & PL011_INT_RX)
		console_rx();
}

/* ---- the rest of the machine ---------------------------------------------------------------- */

static u64 now;
static struct timer *timer_armed;
static unsigned timer_sets;

u64 counter_now(void)
{
	return now;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	t->fn = fn;
}

void timer_set(struct timer *t, u64 deadline)
{
	timer_armed = t;
	t->deadline = deadline;
	timer_sets++;
}

/* Let time pass; the timer fires when it is due. */
static void wait(u64 us)
{
	for (; us; us--) {
		struct timer *t = timer_armed;

		now++;
		if (t && now >= t->deadline) {
			timer_armed = NULL;
			t->fn(t);
		}
	}
}

struct vm vms[MAX_VMS];
void pci_list(void)
{
}

u32 vm_count;
struct cpu cpus[MAX_CPUS];
u32 cpu_count = 2;
static const struct vm *account_vm;
static unsigned account_calls;

static unsigned recent_calls, dump_calls;

void trace_print_recent(void)
{
	recent_calls++;
}

void trace_dump(void)
{
	dump_calls++;
}

void account_print(const struct vm *vm)
{
	account_vm = vm;
	account_calls++;
}

struct vpl011 {
	u16 got[4096];
	unsigned count, room, resumed;
};
static struct vpl011 uarts[3];

bool vpl011_rx(struct vpl011 *u, u16 entry)
{
	assert_true(vpl011_rx_room(u));
	u->got[u->count++] = entry;
	return true;
}

bool vpl011_rx_room(const struct vpl011 *u)
{
	return u->count < u->room;
}

void vpl011_tx_resume(struct vpl011 *u)
{
	u->resumed++;
}

static jmp_buf halted;

void machine_off(void)
{
	longjmp(halted, 1);
}

/* ---- the VMs -------------------------------------------------------------------------------- */

static struct vm_config configs[3] = { { .name = "one" }, { .name = "two" }, { .name = "three" } };
static struct vcpu vcpus[3][2];
static struct console_port *ports[3];

static void attach(u32 n)
{
	for (u32 i = 0; i < n; i++) {
		vms[i].config = &configs[i];
		vms[i].id = i + 1;
		vms[i].state = VM_RUNNING;
		vms[i].vcpu_count = 2;
		vms[i].vcpus[0] = &vcpus[i][0];
		vms[i].vcpus[1] = &vcpus[i][1];
		vcpus[i][0].state = VCPU_RUNNING;
		vcpus[i][0].cpu = &cpus[1];
		uarts[i].room = 4096;
		ports[i] = console_attach(&vms[i], configs[i].name, &uarts[i]);
		assert_non_null(ports[i]);
	}
	vm_count = n;
}

/* As vpl011.c does it for each DR write; returns how many characters were taken. */
static size_t say(u32 i, const char *s)
{
	size_t n = 0;

	for (; s[n]; n++) {
		if (!console_putc(ports[i], (u8)s[n]))
			break;
		console_push(ports[i]);
	}
	return n;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_mmio_reset();
	fake_mmio_add(BASE, PL011_SIZE, uart);
	fake_set("SCTLR_EL2", 1);
	log_to(&console_sink);
	fake_set("CNTFRQ_EL0", FREQ);
	quota = ~0U;
	fifo = lost = 0;
	in_left = 0;
	memset(uarts, 0, sizeof(uarts));
	memset(ports, 0, sizeof(ports));
	pl011_init(BASE);
	account_calls = recent_calls = dump_calls = timer_sets = 0;
	printed();
	return 0;
}

static int setup_one(void **state)
{
	int r = setup(state);

	attach(1);
	return r;
}

static int teardown(void **state)
{
	(void)state;
	quota = ~0U;
	wait(20000);
	for (u32 i = 0; i < 3; i++)
		if (ports[i])
			console_detach(ports[i]);
	vm_count = 0;
	assert_int_equal(lost, 0);
	return 0;
}

static int setup_three(void **state)
{
	int r = setup(state);

	attach(3);
	return r;
}

/* ---- one VM: these run before there is a second one ----------------------------------------- */

static void test_log_line(void **state)
{
	char longer[600];

	(void)state;
	log_line("%d CPUs, %s", 2, "ready");
	assert_string_equal(printed(), "nidus: 2 CPUs, ready\r\n");
	log_line("one\ntwo \x1b[31m\x7f\t\xc3\xa4");
	assert_string_equal(printed(), "nidus: one?two ?[31m??\xc3\xa4\r\n");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_line("%s", longer);
	printed();
	assert_int_equal(strlen(screen), 255 + 2);
	assert_string_equal(screen + 255 - 6, "xxx...\r\n");
}

static void test_raw_output(void **state)
{
	(void)state;
	say(0, "Linux version 6\r\n");
	assert_string_equal(printed(), "Linux version 6\r\n");
	/* A prompt has no newline: it appears when a CPU idles, or after a few milliseconds. */
	say(0, "login: ");
	assert_string_equal(printed(), "");
	console_flush();
	assert_string_equal(printed(), "login: ");
	say(0, "password: ");
	wait(10000);
	assert_string_equal(printed(), "password: ");
	/* A long line comes in pieces. */
	for (int i = 0; i < 64; i++)
		say(0, "-");
	assert_int_equal(strlen(printed()), 64);
}

static void test_raw_and_log(void **state)
{
	(void)state;
	say(0, "half a line");
	log_line("vm 1 stopped");
	assert_string_equal(printed(), "half a line\r\nnidus: vm 1 stopped\r\n");
	say(0, "rest\n");
	log_line("end");
	assert_string_equal(printed(), "rest\nnidus: end\r\n");
}

/* The timer is set once, not for each character or line. */
static void test_timer_is_not_hot(void **state)
{
	(void)state;
	wait(10000);
	timer_sets = 0;
	for (int i = 0; i < 100; i++)
		say(0, "a line of output\n");
	assert_int_equal(timer_sets, 1);
	wait(100000);
	assert_int_equal(timer_sets, 1);
	/* The UART's state is read only once for each FIFO full of characters. */
	printed();
	fr_reads = 0;
	for (int i = 0; i < 100; i++)
		say(0, "sixteen letters\n");
	assert_in_range(fr_reads, 50, 110);
}

static void test_back_pressure(void **state)
{
	char text[3001], got[3001] = "";
	size_t said;

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		text[i] = (char)('!' + i % 90);
	text[3000] = '\0';
	quota = 0;
	said = say(0, text);
	assert_int_equal(said, PORT_RING + PL011_FIFO);
	strcat(got, printed());
	assert_int_equal(strlen(got), PL011_FIFO);
	assert_true(imsc & PL011_INT_TX);
	/* The guest's FIFO is emptied when half of it has gone, by the interrupt or the timer. */
	for (int i = 0; i < 10000 && said < 3000; i++) {
		unsigned before = uarts[0].resumed;

		quota = 100;
		console_rx();
		wait(10000);
		strcat(got, printed());
		if (uarts[0].resumed != before)
			said += say(0, text + said);
	}
	quota = ~0U;
	console_rx();
	strcat(got, printed());
	assert_string_equal(got, text);
	assert_false(imsc & PL011_INT_TX);
}

/* log_line() empties the ring but cannot notify the UART, because its caller may hold that lock. */
static void test_log_frees_ring(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	quota = 0;
	say(0, text);
	quota = ~0U;
	log_line("now");
	assert_int_equal(uarts[0].resumed, 0);
	/* With a guest that polls FR. */
	console_push(ports[0]);
	assert_int_equal(uarts[0].resumed, 1);
	/* With one that does not. */
	quota = fifo = 0;
	say(0, text);
	quota = ~0U;
	log_line("again");
	wait(10000);
	assert_int_equal(uarts[0].resumed, 2);
}

/* A UART that takes nothing costs a bounded wait, once. */
static void test_stuck_uart(void **state)
{
	(void)state;
	quota = 0;
	fr_reads = 0;
	log_line("nobody reads this");
	assert_in_range(fr_reads, 1000, 1000000);
	fr_reads = 0;
	log_line("nor this");
	assert_in_range(fr_reads, 1, 1000);
	quota = ~0U;
	printed();
	log_line("but this");
	assert_string_equal(printed(), "nidus: but this\r\n");
	/* Then it is waited for again, like any UART that is merely slow. */
	quota = 0;
	fr_reads = 0;
	log_line("but this is longer than its FIFO");
	assert_in_range(fr_reads, 1000, 1000000);
}

static void test_detach_prints_rest(void **state)
{
	(void)state;
	say(0, "bye");
	console_detach(ports[0]);
	ports[0] = NULL;
	assert_string_equal(printed(), "bye\r\n");
}

/* What a slow UART does not take at once is sent later, and nobody waits for it. */
static void test_drained_does_not_wait(void **state)
{
	u32 turns = 0;

	(void)state;
	quota = 0;
	fr_reads = 0;
	say(0, "the last words are longer than its FIFO, which is not the machine's fault");
	while (!console_drained(ports[0])) {
		assert_true(++turns < 20);
		assert_in_range(fr_reads, 0, 20 * turns);
		quota = 8;
	}
	assert_in_range(turns, 4, 12);
	assert_string_equal(
		printed(),
		"the last words are longer than its FIFO, which is not the machine's fault");
	assert_true(console_drained(ports[0]));
}

/* Before power-off: partial lines too, and slow UARTs are waited for. */
static void test_sync(void **state)
{
	(void)state;
	say(0, "unfinished");
	console_sync();
	assert_string_equal(printed(), "unfinished");
	console_sync();
	assert_string_equal(printed(), "");
}

static void test_no_uart(void **state)
{
	(void)state;
	pl011_init(0);
	log_line("into the void");
	console_rx();
	assert_string_equal(printed(), "");
}

/*
 * The guessed early console is not accessed unless there is something to print, nor after it is
 * given up.
 */
static void test_early(void **state)
{
	struct uart_place at = { .base = BASE, .kind = UART_PL011 };

	(void)state;
	fifo = 0;
	fr_reads = 0;
	imsc = 0x123;
	uart_early(&at);
	uart_sync();
	assert_int_equal(imsc, 0x123);
	assert_int_equal(fr_reads, 0);
	uart_none();
	log_line("into the void");
	assert_int_equal(fr_reads, 0);
	assert_int_equal(imsc, 0x123);
	uart_early(&at);
	log_line("a last word");
	assert_string_equal(printed(), "nidus: a last word\r\n");
	assert_int_equal(imsc, PL011_INT_RX | PL011_INT_RT);
}

/* ---- several VMs ---------------------------------------------------------------------------- */

static void test_prefixes(void **state)
{
	(void)state;
	say(0, "hel");
	say(1, "world\r\n");
	say(0, "lo\r\n\r\n");
	assert_string_equal(printed(), "two: world\r\none: hello\r\none: \n");
	log_line("three VMs");
	say(2, "\rx\ny");
	assert_string_equal(printed(), "nidus: three VMs\r\nthree: x\n");
}

static void test_partial_lines(void **state)
{
	(void)state;
	say(0, "login: ");
	console_flush();
	assert_string_equal(printed(), ""); /* it may continue at once */
	wait(220000);
	assert_string_equal(printed(), "one: login: ");
	say(0, "root");
	wait(220000);
	assert_string_equal(printed(), "root"); /* the line is still unfinished */
	say(1, "x\n");
	assert_string_equal(printed(), "\r\ntwo: x\n");
	say(0, "\r\n# ");
	wait(220000);
	assert_string_equal(printed(), "one: \none: # ");
	log_line("hm");
	assert_string_equal(printed(), "\r\nnidus: hm\r\n");
}

/* A line that keeps growing is not interrupted, up to a bound. */
static void test_growing_line(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		say(0, "a");
		wait(1000);
	}
	assert_string_equal(printed(), "");
	for (int i = 0; i < 156; i++)
		say(0, "a");
	assert_int_equal(strlen(printed()), 256 + strlen("one: "));
	say(0, "\n");
}

/* A VM that floods a slow console does not keep others' lines from being printed. */
static void test_flood(void **state)
{
	char all[8192] = "";

	(void)state;
	quota = 0;
	for (int i = 0; i < 1000; i++)
		say(0, "flood\n");
	assert_int_equal(say(1, "help\n"), 5);
	for (int i = 0; i < 40; i++) {
		quota = 100;
		wait(5000);
		for (int n = 0; n < 1000; n++)
			say(0, "flood\n");
		strcat(all, printed());
		if (strstr(all, "two: help\n"))
			break;
	}
	assert_non_null(strstr(all, "two: help\n"));
}

static void input_is(u32 i, const char *want)
{
	assert_int_equal(uarts[i].count, strlen(want));
	for (unsigned n = 0; n < uarts[i].count; n++)
		assert_int_equal(uarts[i].got[n], (u8)want[n]);
	uarts[i].count = 0;
}

static void test_focus(void **state)
{
	(void)state;
	key_in("ls\r");
	input_is(0, "ls\r");
	key_in("\1n");
	assert_string_equal(printed(), "nidus: console: input goes to two\r\n");
	key_in("x\1a\1\1y");
	input_is(0, "");
	input_is(1, "x\1\1y");
	key_in("\1nz\1n!");
	input_is(2, "z");
	input_is(0, "!");
	/* The focus of a VM that ends moves to the next one. */
	console_detach(ports[0]);
	ports[0] = NULL;
	key_in("w");
	input_is(1, "w");
}

static void test_commands(void **state)
{
	(void)state;
	vcpus[0][0].cpu = &cpus[1];
	cpus[1].number = 1;
	key_in("\1l");
	assert_string_equal(printed(),
			    "nidus: vm 1 one: running, 2 vcpus, has the console's input\r\n"
			    "nidus:   vcpu 0: running, cpu 1\r\n"
			    "nidus:   vcpu 1: off\r\n"
			    "nidus: vm 2 two: running, 2 vcpus\r\n"
			    "nidus:   vcpu 0: running, cpu 1\r\n"
			    "nidus:   vcpu 1: off\r\n"
			    "nidus: vm 3 three: running, 2 vcpus\r\n"
			    "nidus:   vcpu 0: running, cpu 1\r\n"
			    "nidus:   vcpu 1: off\r\n");
	key_in("\1s");
	assert_int_equal(account_calls, 1);
	assert_null(account_vm);
	assert_int_equal(recent_calls, 1);
	assert_int_equal(dump_calls, 0);
	key_in("\1t");
	assert_int_equal(dump_calls, 1);
	assert_int_equal(account_calls, 1);
	key_in("\1h");
	assert_non_null(strstr(printed(), "statistics"));
	key_in("\1\xff");
	assert_non_null(strstr(printed(), "statistics"));
	key_in("\1b");
	assert_int_equal(uarts[0].count, 1);
	assert_int_equal(uarts[0].got[0], PL011_DR_BE);
}

/* A vcpu of a VM that is being freed may hold anything. */
static void test_list_of_rubbish(void **state)
{
	(void)state;
	vcpus[0][0].cpu = (struct cpu *)0x5a5a5a5a5a5a5a5a;
	vcpus[0][0].state = 0x5a5a5a5a;
	vms[1].vcpus[0] = NULL;
	vms[2].state = VM_DEAD;
	key_in("\1l");
	assert_non_null(strstr(printed(), "nidus: vm 3 three: dead, 2 vcpus\r\n"));
}

/* Line noise on the machine's UART is not passed to the guest; a break is. */
static void test_error_bits(void **state)
{
	static const u16 noise[] = { 'a' | PL011_DR_FE | PL011_DR_OE, PL011_DR_BE | PL011_DR_FE };

	(void)state;
	in = noise;
	in_left = 2;
	console_rx();
	assert_int_equal(uarts[0].count, 2);
	assert_int_equal(uarts[0].got[0], 'a');
	assert_int_equal(uarts[0].got[1], PL011_DR_BE);
}

/* A guest that does not read holds the sender off, and nothing is lost. */
static void test_input_back_pressure(void **state)
{
	(void)state;
	uarts[0].room = 5;
	key_in("123456789");
	assert_true(console_rx_paused());
	assert_false(imsc & (PL011_INT_RX | PL011_INT_RT));
	input_is(0, "12345");
	console_rx_resume();
	assert_false(console_rx_paused());
	assert_true(imsc & PL011_INT_RX);
	console_rx();
	input_is(0, "6789");
	/* When it ends, the others' input gets in. */
	uarts[0].room = 0;
	key_in("ab");
	assert_true(console_rx_paused());
	console_detach(ports[0]);
	ports[0] = NULL;
	assert_true(imsc & PL011_INT_RX);
	console_rx();
	input_is(1, "ab");
}

static void test_input_is_bounded(void **state)
{
	static u16 flood[1000];

	(void)state;
	in = flood;
	in_left = ARRAY_SIZE(flood);
	console_rx();
	assert_in_range(in_left, ARRAY_SIZE(flood) - 200, ARRAY_SIZE(flood) - 1);
	in_left = 0;
}

/* ---- panic: last, because nothing works after it -------------------------------------------- */

static void test_panic(void **state)
{
	(void)state;
	say(0, "part");
	if (!setjmp(halted))
		panic("CPU %d is lost", 3);
	assert_string_equal(printed(), "nidus: panic: CPU 3 is lost\r\n");
	/*
	 * Nothing is printed after it, not even by functions that are called while it stops the
	 * machine.
	 */
	console_flush();
	console_sync();
	say(1, "late\n");
	assert_string_equal(printed(), "");
	/* A second panic halts without another line, while the first still holds the lock. */
	if (!setjmp(halted))
		check_failed("src/x.c", 12, "a == b");
	assert_string_equal(printed(), "");
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_one, teardown)
#define THREE(name) cmocka_unit_test_setup_teardown(name, setup_three, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_log_line, setup),
		ONE(test_raw_output),
		ONE(test_raw_and_log),
		ONE(test_timer_is_not_hot),
		ONE(test_back_pressure),
		ONE(test_log_frees_ring),
		ONE(test_stuck_uart),
		ONE(test_detach_prints_rest),
		ONE(test_drained_does_not_wait),
		ONE(test_sync),
		cmocka_unit_test_setup(test_no_uart, setup),
		cmocka_unit_test_setup(test_early, setup),

		THREE(test_prefixes),
		THREE(test_partial_lines),
		THREE(test_growing_line),
		THREE(test_flood),
		THREE(test_focus),
		THREE(test_commands),
		THREE(test_list_of_rubbish),
		THREE(test_error_bits),
		THREE(test_input_back_pressure),
		THREE(test_input_is_bounded),
		cmocka_unit_test_setup(test_panic, setup_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
