/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest guest: finds its UART, GIC, timers and PSCI in the device tree, prints them, and
 * powers off.
 */
#include "lib/dt.h"
#include "lib/gic.h"
#include "lib/psci.h"
#include "lib/test.h"

const char guest_name[] = "hello";
extern const char _head[];

static u64 initrd_sum(void)
{
	const u8 *p = (const u8 *)dt.initrd;
	u64 i, sum = 0;

	for (i = 0; i < dt.initrd_size; i++)
		sum += p[i];
	return sum;
}

void guest_main(void)
{
	print("hello: EL%lu at 0x%lx, memory 0x%lx +0x%lx, %u cpus, bootargs \"%s\"\n",
	      FIELD(sysreg_read(CurrentEL), 3, 2), (u64)_head, dt.ram, dt.ram_size, dt.cpu_count,
	      dt.bootargs);
	test_begin("uart");
	print("uart: PL011 at 0x%lx, INTID %u\n", dt.uart, dt.uart_intid);
	expect_eq(read32(dt.uart + 0xfe0) & 0xff, 0x11, "UARTPeriphID0");
	test_begin("gic");
	print("gic: distributor at 0x%lx, redistributors at 0x%lx +0x%lx, %u SPIs\n", dt.gicd,
	      dt.gicr, dt.gicr_size, gic_spi_end() - 32);
	expect_eq(read32(dt.gicd + GIC_PIDR2) >> 4 & 15, 3, "GICD_PIDR2.ArchRev");
	test_begin("psci");
	print("psci: by %s, version 0x%lx\n", dt.psci_smc ? "smc" : "hvc",
	      (u64)psci_call(PSCI_VERSION, 0, 0, 0));
	expect(psci_call(PSCI_VERSION, 0, 0, 0) >= 0x10000, "PSCI_VERSION is below 1.0");
	test_begin("timer");
	print("timer: %lu Hz, virtual INTID %u, physical INTID %u\n", sysreg_read(CNTFRQ_EL0),
	      dt.ppi_virt, dt.ppi_phys);
	expect_eq(dt.ppi_virt, 27, "virtual timer INTID");
	test_begin("memory");
	expect((u64)_head >= dt.ram && (u64)_head < dt.ram + dt.ram_size, "image is not in memory");
	if (dt_flag("initrd_sum")) {
		test_begin("initrd");
		expect_eq(initrd_sum(), dt_arg("initrd_sum", 0), "sum of the initrd's bytes");
	}
}
