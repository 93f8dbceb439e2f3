/* SPDX-License-Identifier: Apache-2.0 */
/* Where every exception of a guest program arrives. */
#include "exception.h"

#include "test.h"

void trap_arm(struct trap *t)
{
	t->count = 0;
	t->esr = t->far = t->elr = 0;
	cpu_self()->trap = t;
	asm volatile("" ::: "memory");
}

void trap_disarm(void)
{
	dsb(sy);
	isb();
	cpu_self()->trap = NULL;
}

static noreturn void unexpected(const struct frame *f, u64 kind)
{
	static const char *const name[] = { "synchronous exception", "IRQ", "FIQ", "SError" };

	test_abort("unexpected %s from EL%c on CPU %u: esr 0x%lx elr 0x%lx far 0x%lx",
		   name[kind & 3], kind >= 8 ? '0' : '1', cpu_self()->index, f->esr, f->elr,
		   f->far);
}

static void sync_el1(struct frame *f, u64 kind)
{
	struct trap *t = cpu_self()->trap;
	u64 ec = ESR_EC(f->esr);

	if (!t)
		unexpected(f, kind);
	t->count++;
	t->esr = f->esr;
	t->far = f->far;
	t->elr = f->elr;
	if (ec == EC_IABT || ec == EC_PC_ALIGN)
		f->elr = f->x[30];
	else if (ec != EC_HVC && ec != EC_SVC)
		f->elr += 4;
}

static void sync_el0(struct frame *f, u64 kind)
{
	struct gcpu *cpu = cpu_self();

	if (!cpu->el0)
		unexpected(f, kind);
	*cpu->el0 = *f;
	cpu->el0 = NULL;
	el0_leave();
}

void exception_entry(struct frame *f, u64 kind)
{
	struct gcpu *cpu = cpu_self();

	switch (kind) {
	case 0:
	case 4:
		sync_el1(f, kind);
		break;
	case 8:
		sync_el0(f, kind);
		break;
	case 5:
	case 9:
		if (!cpu->irq)
			unexpected(f, kind);
		cpu->irq(f);
		break;
	case 6:
	case 10:
		if (!cpu->fiq)
			unexpected(f, kind);
		cpu->fiq(f);
		break;
	default:
		unexpected(f, kind);
	}
}

void el0_run(struct frame *f)
{
	cpu_self()->el0 = f;
	el0_enter(f);
}
