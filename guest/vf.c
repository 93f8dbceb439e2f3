/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM with a virtual function of QEMU's `igb`: what a VM sees of one, whose IDs and BARs are not
 * in its own configuration space, and that its registers are no other VM's. seed=N: what to write
 * there.
 */
#include "lib/gic.h"
#include "lib/suite.h"

const char guest_name[] = "vf";

#define VF_ID 0x10ca8086u
#define CFG_COMMAND 0x04
#define CFG_BAR0 0x10
#define COMMAND_MEMORY 2u
#define BAR_64_PREFETCH 0xcu
#define VF_SIZE KIB(16)
#define VF_RDBAL 0x2800 /* address of a ring: a register that keeps what is written, 128-aligned */

static u64 cfg;

static bool find_vf(void)
{
	for (u32 i = 0; dt.pci.ecam && i < 32; i++) {
		cfg = dt.pci.ecam + ((u64)i << 15);
		if (read32(cfg) == VF_ID)
			return true;
	}
	return false;
}

static void test_config(void)
{
	expect_eq(read32(cfg), VF_ID, "vendor and device");
	expect_eq(read32(cfg + 8) >> 8, 0x020000, "class");
	expect_eq(read8(cfg + 0x0e), 0, "header type");
	expect_eq(read8(cfg + 0x3d), 0, "interrupt pin");
	expect_eq(read32(cfg + 0x100), 0, "extended capabilities");
	/* A VF's own memory enable is 0 whatever is written: what a guest sees is nidus's. */
	write16(cfg + CFG_COMMAND, COMMAND_MEMORY);
	expect_eq(read16(cfg + CFG_COMMAND), COMMAND_MEMORY, "command");
	write16(cfg + CFG_COMMAND, 0);
	for (u32 i = 0; i < 6; i++)
		write32(cfg + CFG_BAR0 + 4 * i, ~0u);
	expect_eq(read32(cfg + CFG_BAR0), (u32)~(VF_SIZE - 1) | BAR_64_PREFETCH, "size of BAR 0");
	expect_eq(read32(cfg + CFG_BAR0 + 4), ~0u, "its upper half");
	expect_eq(read32(cfg + CFG_BAR0 + 8), 0, "size of BAR 2");
}

static void test_registers(void)
{
	u32 value = (u32)dt_arg("seed", 1) << 12, others = 0;
	u64 bar = dt.pci.low, end;

	write32(cfg + CFG_BAR0, (u32)bar);
	write32(cfg + CFG_BAR0 + 4, 0);
	write16(cfg + CFG_COMMAND, COMMAND_MEMORY);
	write32(bar + VF_RDBAL, value);
	/*
	 * Twice: while BARs of other functions move, one read of QEMU 10.0's may be answered from
	 * elsewhere.
	 */
	for (end = counter_virt() + ticks_us(2000000); counter_virt() < end;)
		others += read32(bar + VF_RDBAL) != value && read32(bar + VF_RDBAL) != value;
	expect_eq(others, 0, "changes of a register by others");
	/* Moved, it is the same. */
	write16(cfg + CFG_COMMAND, 0);
	write32(cfg + CFG_BAR0, (u32)bar + MIB(1));
	write16(cfg + CFG_COMMAND, COMMAND_MEMORY);
	expect_eq(read32(bar + MIB(1) + VF_RDBAL), value, "the register elsewhere");
}

static const struct suite_test tests[] = {
	{ "config", test_config, 1 },
	{ "registers", test_registers, 1 },
};

void guest_main(void)
{
	test_begin("find");
	expect(find_vf(), "there is no virtual function");
	if (!test_failed())
		suite_run(tests, ARRAY_SIZE(tests), NULL);
}
