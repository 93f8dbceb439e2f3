/* SPDX-License-Identifier: Apache-2.0 */
/* The console's input side: who has the focus, and the commands behind Ctrl-A. */
#include "dev/pci.h"
#include "dev/uart.h"
#include "dev/pl011_regs.h"
#include "lib/log.h"
#include "vm/account.h"
#include "vm/console_port.h"
#include "vm/trace_print.h"
#include "vm/vpl011.h"

#define CTRL_A 0x01
#define RX_BUDGET 64 /* characters of one interrupt; it stays pending if there are more */

static struct spinlock lock;       /* guards in_command; held by the only reader of the UART */
static bool in_command;            /* the next key is a command */
static struct console_port *focus; /* atomic: the port that gets input; NULL: none */
static bool paused;                /* atomic: the focused VM had no room, the interrupt is masked */

static struct console_port *focused(void)
{
	return __atomic_load_n(&focus, __ATOMIC_ACQUIRE);
}

void console_focus_gained(struct console_port *p)
{
	struct console_port *nobody = NULL;

	__atomic_compare_exchange_n(&focus, &nobody, p, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The next port in use after p, cyclically; NULL if p is the only one. */
static struct console_port *port_after(const struct console_port *p)
{
	u32 at = p ? (u32)(p - console_ports) : MAX_VMS - 1;

	for (u32 i = 1; i < MAX_VMS; i++) {
		struct console_port *next = &console_ports[(at + i) % MAX_VMS];

		if (next->vm)
			return next;
	}
	return NULL;
}

void console_focus_lost(struct console_port *p)
{
	struct console_port *expected = p;

	__atomic_compare_exchange_n(&focus, &expected, port_after(p), false, __ATOMIC_ACQ_REL,
				    __ATOMIC_RELAXED);
	console_rx_resume();
}

bool console_rx_paused(void)
{
	return __atomic_load_n(&paused, __ATOMIC_RELAXED);
}

void console_rx_resume(void)
{
	if (__atomic_exchange_n(&paused, false, __ATOMIC_SEQ_CST))
		uart_irq_set(PL011_INT_RX | PL011_INT_RT, true);
}

/* Leave the input in the UART (which holds the sender off) until the focused VM has read some. */
static void pause_input(const struct console_port *p)
{
	uart_irq_set(PL011_INT_RX | PL011_INT_RT, false);
	__atomic_store_n(&paused, true, __ATOMIC_SEQ_CST);
	/* It may have read since the caller's check, without seeing the flag. */
	if (vpl011_rx_room(p->uart))
		console_rx_resume();
}

/* ---- commands ------------------------------------------------------------------------------- */

static void focus_next(void)
{
	struct console_port *p = focused(), *next = port_after(p);

	if (next)
		__atomic_store_n(&focus, next, __ATOMIC_RELEASE);
	p = next ? next : p;
	if (p)
		log_line("console: input goes to %s", p->name);
	else
		log_line("console: no VM has a console");
}

static const char *vcpu_state_name(u32 state)
{
	switch ((enum vcpu_state)state) {
	case VCPU_OFF:
		return "off";
	case VCPU_RUNNABLE:
		return "runnable";
	case VCPU_RUNNING:
		return "running";
	case VCPU_SLEEPING:
		return "sleeping";
	case VCPU_DEAD:
		return "dead";
	default:
		return "starting";
	}
}

static const char *vm_state_name(u32 state)
{
	switch ((enum vm_state)state) {
	case VM_UNUSED:
		return "unused";
	case VM_LOADING:
		return "loading";
	case VM_RUNNING:
		return "running";
	case VM_STOPPING:
		return "stopping";
	case VM_RESETTING:
		return "resetting";
	case VM_DEAD:
		break;
	}
	return "dead";
}

/*
 * The VM may be ending at this moment: the vcpu can be read, but none of its values may be relied
 * on.
 */
static void list_vcpu(u32 index, const struct vcpu *vcpu)
{
	const struct cpu *cpu = __atomic_load_n(&vcpu->cpu, __ATOMIC_RELAXED);
	u32 state = __atomic_load_n(&vcpu->state, __ATOMIC_RELAXED);

	if (cpu >= cpus && cpu < cpus + MAX_CPUS)
		log_line("  vcpu %u: %s, cpu %u", index, vcpu_state_name(state), cpu->number);
	else
		log_line("  vcpu %u: %s", index, vcpu_state_name(state));
}

static void list_vm(const struct vm *vm)
{
	const struct console_port *p = focused();
	u32 state = __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);

	if (state == VM_UNUSED)
		return;
	log_line("vm %u %s: %s, %u vcpus%s", vm->id, vm->config->name, vm_state_name(state),
		 vm->vcpu_count, p && p->vm == vm ? ", has the console's input" : "");
	if (state == VM_DEAD)
		return;
	for (u32 i = 0; i < MIN(vm->vcpu_count, MAX_VCPUS); i++) {
		const struct vcpu *vcpu = __atomic_load_n(&vm->vcpus[i], __ATOMIC_ACQUIRE);

		if (vcpu)
			list_vcpu(i, vcpu);
	}
}

static void list_vms(void)
{
	for (u32 i = 0; i < MIN(vm_count, MAX_VMS); i++)
		list_vm(&vms[i]);
	pci_list();
}

static void help(void)
{
	log_line("console: keys after Ctrl-A (after Ctrl-A Ctrl-A under qemu -nographic):");
	log_line("  n  give the input to the next VM");
	log_line("  l  list VMs and vcpus");
	log_line("  s  statistics so far; with a trace, of the last second too (nidus-stat: more)");
	log_line("  t  the end of the trace, for nidus-trace");
	log_line("  b  send a break to the VM that has the input");
	log_line("  a  send Ctrl-A to it (also: Ctrl-A again)");
	log_line("  h  this help (also: ?)");
}

static void deliver(u16 entry)
{
	struct console_port *p = focused();

	if (p)
		vpl011_rx(p->uart, entry);
}

static void command(u8 key)
{
	switch (key) {
	case 'n':
		focus_next();
		break;
	case 'l':
		list_vms();
		break;
	case 's':
		account_print(NULL);
		trace_print_recent();
		break;
	case 't':
		trace_dump();
		break;
	case 'b':
		deliver(PL011_DR_BE);
		break;
	case 'a':
	case CTRL_A:
		deliver(CTRL_A);
		break;
	default:
		help();
		break;
	}
}

/* ---- the interrupt -------------------------------------------------------------------------- */

static void got(u32 entry)
{
	if (in_command) {
		in_command = false;
		command((u8)entry);
	} else if (entry == CTRL_A) {
		in_command = true;
	} else {
		/* A break is passed to the guest; line noise is not. */
		deliver((u16)(entry & (0xff | PL011_DR_BE)));
	}
}

static void take_input(void)
{
	for (u32 n = 0; n < RX_BUDGET; n++) {
		struct console_port *p = focused();
		int entry;

		if (p && !vpl011_rx_room(p->uart)) {
			pause_input(p);
			return;
		}
		entry = uart_getc();
		if (entry < 0)
			return;
		got((u32)entry);
	}
}

void console_rx(void)
{
	if (uart_irq_pending() & PL011_INT_TX) {
		uart_irq_set(PL011_INT_TX, false);
		console_flush();
	}
	/* The holder of the lock reads all there is. */
	if (!spin_trylock(&lock))
		return;
	take_input();
	spin_unlock(&lock);
}
