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

#define INTID_SPI 32
#define INTID_SPECIAL 1020

/* One that is nidus's own: done with when this returns. */
static bool irq_own(struct cpu *cpu, u32 intid)
{
	if (intid == machine.ppi_hyp_phys)
		timer_interrupt();
	else if (intid == machine.ppi_maint && cpu->loaded)
		vgic_maintenance(cpu->loaded);
	else if (intid && intid == machine.uart_intid)
		console_rx();
	else if (intid >= 16) /* an SGI says only: look at your flags */
		return false;
	return true;
}

static void irq_one(struct cpu *cpu, u32 intid)
{
	bool timer = intid == machine.ppi_virt || intid == machine.ppi_phys;

	gicv3_eoi(intid);
	if (timer && cpu->loaded)
		vtimer_interrupt(cpu->loaded, intid); /* stays active until the guest is done */
	else if (irq_own(cpu, intid))
		gicv3_deactivate(intid);
	else if (intid >= INTID_SPI)
		vgic_inject_spi_hw(intid);
	else
		gicv3_deactivate(intid);
}

void irq_handle(void)
{
	struct cpu *cpu = cpu_this();
	u32 intid;

	while ((intid = gicv3_ack()) < INTID_SPECIAL)
		irq_one(cpu, intid);
	simd_chaos_point();
	sched_tick(cpu);
}
