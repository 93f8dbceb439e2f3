/* SPDX-License-Identifier: Apache-2.0 */
/* Physical interrupts: who each one is for. */
#include "boot/fdt.h"
#include "dev/console.h"
#include "dev/gicv3.h"
#include "simd/simd.h"
#include "vcpu/cpu.h"
#include "vcpu/run.h"
#include "vcpu/sched.h"
#include "vcpu/vcpu.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

#define INTID_PPI 16
#define INTID_SPI 32
#define INTID_SPECIAL 1020

/* Not inlined: an SGI needs no frame for it. */
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
		console_rx();
	} else if (intid >= INTID_SPI) {
		vgic_inject_spi_hw(intid);
		over = false;
	}
	if (over)
		gicv3_deactivate(intid);
}

static void irq_one(struct cpu *cpu, u32 intid)
{
	gicv3_eoi(intid);
	if (intid < INTID_PPI) /* an SGI says only: look at your flags */
		gicv3_deactivate(intid);
	else
		irq_device(cpu, intid);
}

static __attribute__((noinline)) void irq_all(struct cpu *cpu, u32 intid)
{
	for (; intid < INTID_SPECIAL; intid = gicv3_ack())
		irq_one(cpu, intid);
	simd_chaos_point();
	sched_tick(cpu);
}

void irq_handle(void)
{
	struct cpu *cpu = cpu_this();
	u32 intid = gicv3_ack();

	/*
	 * The most frequent one, the guest's timer, is over with one list register. It leaves nothing for sched_tick():
	 * who queues a vcpu here, or leaves other work, ticks or sends an SGI. If more is pending, that comes at once.
	 */
	if (likely(cpu->loaded) && vgic_ppi_again(cpu->loaded, intid)) {
		gicv3_eoi(intid);
		if (unlikely(!cpu->current))
			vcpu_kick(cpu->loaded);
		return;
	}
	irq_all(cpu, intid);
}
