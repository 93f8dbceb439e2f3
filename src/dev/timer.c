/* SPDX-License-Identifier: Apache-2.0 */
/* nidus's software timers: per CPU a list by deadline, the earliest in CNTHP_CVAL_EL2. */
#include "dev/timer.h"

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "arch/timer.h"
#include "dev/pcpu.h"

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	list_init(&t->node);
	t->cpu = NULL;
	t->fn = fn;
}

/* Have CNTHP fire at the head's deadline; only on the CPU itself, lock held. */
static void program(struct pcpu *cpu)
{
	u64 deadline = ~0UL;

	if (!list_empty(&cpu->timers))
		deadline = list_entry(cpu->timers.next, struct timer, node)->deadline;
	if (deadline == cpu->timer_programmed)
		return;
	if (deadline == ~0UL) {
		sysreg_write(CNTHP_CTL_EL2, 0);
	} else {
		sysreg_write(CNTHP_CVAL_EL2, deadline);
		if (cpu->timer_programmed == ~0UL)
			sysreg_write(CNTHP_CTL_EL2, CTL_ENABLE);
	}
	cpu->timer_programmed = deadline;
}

void timer_cancel(struct timer *t)
{
	struct pcpu *cpu;

	while ((cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE))) {
		spin_lock(&cpu->timer_lock);
		if (t->cpu == cpu) {
			list_del(&t->node);
			__atomic_store_n(&t->cpu, NULL, __ATOMIC_RELEASE);
			/*
			 * Another CPU's comparator cannot be set from here: it fires once without a
			 * timer.
			 */
			if (cpu == pcpu_this())
				program(cpu);
		}
		spin_unlock(&cpu->timer_lock);
	}
}

void timer_set(struct timer *t, u64 deadline)
{
	struct pcpu *cpu = pcpu_this();
	struct list *n;

	timer_cancel(t);
	/* If the sum has wrapped, the deadline is never. */
	if (deadline == ~0UL)
		return;
	t->deadline = deadline;
	spin_lock(&cpu->timer_lock);
	list_for_each(n, &cpu->timers)
		if (list_entry(n, struct timer, node)->deadline > deadline)
			break;
	list_add_tail(n, &t->node);
	__atomic_store_n(&t->cpu, cpu, __ATOMIC_RELEASE);
	program(cpu);
	spin_unlock(&cpu->timer_lock);
}

void timer_set_by(struct timer *t, u64 at)
{
	if (at == ~0UL)
		return;
	if (__atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE) == pcpu_this() && t->deadline <= at)
		return;
	timer_set(t, at);
}

void timer_interrupt(void)
{
	struct pcpu *cpu = pcpu_this();

	for (;;) {
		struct timer *t = NULL;

		spin_lock(&cpu->timer_lock);
		if (!list_empty(&cpu->timers))
			t = list_entry(cpu->timers.next, struct timer, node);
		if (!t || t->deadline > counter_now()) {
			program(cpu);
			spin_unlock(&cpu->timer_lock);
			return;
		}
		list_del(&t->node);
		__atomic_store_n(&t->cpu, NULL, __ATOMIC_RELEASE);
		spin_unlock(&cpu->timer_lock);
		t->fn(t);
	}
}
