/* SPDX-License-Identifier: Apache-2.0 */
/* Physical interrupts: acknowledge each and pass it to its handler. */
#include "arch/gicv3.h"
#include "arch/its.h"
#include "dev/gicv3.h"
#include "exit/run.h"
#include "lib/check.h"
#include "mm/machine.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/runq.h"
#include "state/stolen.h"
#include "state/trace.h"
#include "state/vcpu.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

static void (*uart_input)(void);
/* Other SPIs of nidus's own devices. */
static struct {
	u32 intid;
	void (*fn)(u32 intid);
} own[IRQ_OWN_MAX];
static u32 own_count;

void irq_uart(void (*input)(void))
{
	uart_input = input;
	gicv3_set_enable(machine.uart_intid, true);
}

void irq_own(u32 intid, bool edge, void (*fn)(u32 intid))
{
	CHECK(own_count < IRQ_OWN_MAX);
	own[own_count].intid = intid;
	own[own_count++].fn = fn;
	gicv3_set_edge(intid, edge);
	gicv3_set_enable(intid, true);
}

/* Handle an interrupt of nidus's own devices; false: it is not one. */
static bool irq_is_own(u32 intid)
{
	for (u32 i = 0; i < own_count; i++)
		if (own[i].intid == intid) {
			own[i].fn(intid);
			return true;
		}
	return false;
}

/* noinline: the SGI's path then needs no stack frame. */
static __attribute__((noinline)) void irq_device(struct cpu *cpu, u32 intid)
{
	bool over = true; /* else it stays active until the guest is done */

	if (intid == machine.ppi_hyp_phys) {
		timer_interrupt();
	} else if ((intid == machine.ppi_virt || intid == machine.ppi_phys) && cpu->loaded) {
		vtimer_interrupt(cpu->loaded, intid);
		over = false;
	} else if (intid == machine.ppi_maint && cpu->loaded) {
		vgic_maintenance(cpu->loaded);
	} else if (intid == machine.uart_intid) {
		uart_input();
	} else if (intid >= GIC_LPI) {
		vgic_inject_lpi(intid);
		over = false; /* an LPI is never active */
	} else if (intid >= GIC_SPI && !irq_is_own(intid)) {
		vgic_inject_spi_hw(intid);
		over = false;
	}
	if (over)
		gicv3_deactivate(intid);
}

static void irq_one(struct cpu *cpu, u32 intid)
{
	gicv3_eoi(intid);
	if (intid < GIC_SGIS) /* an SGI only means: check your flags */
		gicv3_deactivate(intid);
	else
		irq_device(cpu, intid);
}

static __attribute__((noinline)) void irq_all(struct cpu *cpu, u32 intid)
{
	if (unlikely(cpu->stolen_from))
		stolen_below(cpu);
	for (; intid < GIC_INTID_MAX || intid >= GIC_LPI; intid = gicv3_ack())
		irq_one(cpu, intid);
	simd_chaos_point();
	sched_tick(cpu);
}

u32 irq_redeliver(struct vcpu *vcpu)
{
	u32 intid = gicv3_ack();

	if (!vgic_redeliver_ppi(vcpu, intid) && (intid < GIC_LPI || !vgic_lpi_now(vcpu, intid)))
		return intid;
	gicv3_eoi(intid);
	return INTID_OVER;
}

void irq_acked(u32 intid)
{
	irq_all(cpu_this(), intid);
}

void irq_handle(void)
{
	struct cpu *cpu = cpu_this();
	u32 intid = gicv3_ack();

	/* The most frequent reason to end a wait: see irq_redeliver(). */
	if (likely(cpu->loaded) && vgic_redeliver_ppi(cpu->loaded, intid)) {
		gicv3_eoi(intid);
		trace_event(cpu->loaded, TRACE_IRQ, 0, cpu->loaded->vgic.redeliver.lr, 0);
		if (likely(!cpu->current))
			vcpu_kick(cpu->loaded);
		return;
	}
	irq_all(cpu, intid);
}
