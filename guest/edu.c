/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM with QEMU's `edu` device (-device edu,dma_mask=0xffffffffff), which copies 4 KiB from or to
 * any address a tenth of a second after it was told to: what a VM sees of PCI, and that its device
 * reaches what is the VM's and nothing else.
 *
 *   (nothing)    all tests; functions=N: the VM has so many (1)
 *   reset        leaves a DMA under way and resets, resets=N times (1); looks whether it came all the
 *                same
 *   msi-resets=N  resets N times in the middle of messages; none may come in the next life
 *   storm=MS     another CPU has the device send messages for so long, while this one takes none; then
 *                one comes
 *   off          leaves a DMA under way and powers off
 *   watch=S      no device: fills its RAM and looks for S seconds whether it stays so
 */
#include "lib/edu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/its.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/suite.h"

const char guest_name[] = "edu";
extern char _bss_end[];

#define MSI_ENABLE 1u
#define MSI_EVENT 1u
#define MSI_LPI (GIC_LPI + 40)

static volatile u32 irqs, irq_status, lpis;
static volatile u64 irq_at; /* counter at the last interrupt */
static u64 from[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));
static u64 to[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));

static void on_irq(struct frame *f)
{
	u64 now = sysreg_read(CNTVCT_EL0);
	u32 id = gic_ack();

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	irq_at = now;
	if (id == MSI_LPI)
		lpis = lpis + 1;
	if (id == edu_intid || id == MSI_LPI) {
		irq_status = read32(edu_bar + EDU_IRQ_STATUS);
		write32(edu_bar + EDU_IRQ_ACK, irq_status);
		irqs = irqs + 1;
	}
	gic_eoi(id);
}

static bool wait_irq(u32 seen)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while (irqs == seen && counter_virt() < end) {
		irq_enable();
		isb();
		irq_disable();
	}
	return irqs != seen;
}

/* ---- configuration space ---- */

static void test_config(void)
{
	u32 others = 0;

	for (u32 i = 0; i < 256; i++)
		others += read32(dt.pci.ecam + ((u64)i << 12)) != ~0u;
	expect_eq(others, dt_arg("functions", 1), "functions");
	expect_eq(read32(edu_cfg + 0x100), 0, "extended capabilities");
	expect_eq(read32(edu_cfg + 0xffc), 0, "the last word");
	expect_eq(read8(edu_cfg + 0x0e), 0, "header type");
	expect_eq(read16(edu_cfg + 2), 0x11e8, "device");
	expect_eq(read8(edu_cfg + 3), 0x11, "its upper byte");
	expect_eq(read8(edu_cfg + 0x3d), 1, "interrupt pin");
	/* All that it has is MSI, which takes an ITS. */
	expect_eq(!!(read16(edu_cfg + 6) & 0x10), !!dt.its, "status: capabilities");
	if (dt.its)
		expect_eq(read16(edu_cfg + read8(edu_cfg + CFG_CAP)), 5, "the only capability");
	write32(edu_cfg, 0);
	expect_eq(read32(edu_cfg), EDU_ID, "ID after a write");
	write32(edu_cfg + CFG_BAR0, ~0u);
	expect_eq(read32(edu_cfg + CFG_BAR0), (u32) ~(EDU_SIZE - 1), "size of BAR 0");
	write32(edu_cfg + CFG_BAR0 + 4, ~0u);
	expect_eq(read32(edu_cfg + CFG_BAR0 + 4), 0, "size of BAR 1");
	write32(edu_cfg + 0x30, ~0u);
	expect_eq(read32(edu_cfg + 0x30), 0, "size of the ROM");
}

static bool faults(u64 at)
{
	struct trap t = { 0 };

	trap_arm(&t);
	(void)read32(at);
	trap_disarm();
	return t.count;
}

static void test_bars(void)
{
	u64 first = dt.pci.low + 16 * EDU_SIZE, second = dt.pci.low + 64 * EDU_SIZE;

	edu_put_bar(first, COMMAND_MEMORY);
	expect_eq(read32(edu_bar), 0x010000ed, "ID register");
	write32(edu_bar + EDU_LIVE, 0x12345678);
	edu_put_bar(second, COMMAND_MEMORY);
	expect_eq(read32(edu_bar + EDU_LIVE), ~0x12345678u, "a register after the BAR has moved");
	expect(faults(first), "the BAR is still where it was");
	edu_put_bar(second, 0);
	expect(faults(second), "the BAR is there with decode off");
	/* The device itself is not moved by all this. */
	edu_put_bar(first, COMMAND_MEMORY);
	expect_eq(read32(edu_bar), 0x010000ed, "ID register");
}

/* Where a BAR must not be, nothing changes. */
static void test_bars_elsewhere(void)
{
	const u64 places[] = { dt.ram, dt.ram + dt.ram_size - EDU_SIZE, dt.gicd & ~(EDU_SIZE - 1),
			       dt.uart & ~(EDU_SIZE - 1), dt.pci.ecam & ~(EDU_SIZE - 1), 0,
			       dt.ram + dt.ram_size };
	u64 in_ram = (u64)_bss_end & ~(EDU_SIZE - 1);

	edu_fill(from, 1);
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		edu_put_bar(places[i], COMMAND_MEMORY);
		expect(edu_is_filled(from, 1), "RAM is not RAM with the BAR at 0x%lx", places[i]);
		expect_eq(read32(dt.gicd + GIC_PIDR2) >> 4 & 15, 3, "GICD_PIDR2.ArchRev");
		expect_eq(read32(edu_cfg), EDU_ID, "the device's ID");
	}
	edu_put_bar(in_ram, COMMAND_MEMORY);
	expect(edu_is_filled(from, 1), "RAM is not RAM with the BAR at 0x%lx", in_ram);
	edu_put_bar(dt.pci.low, COMMAND_MEMORY);
	expect_eq(read32(edu_bar), 0x010000ed, "ID register");
}

static void test_config_random(void)
{
	u64 seed = 5, count = dt_arg("n", 20000);

	for (u64 i = 0; i < count; i++) {
		u64 r = random_next(&seed), at = edu_cfg + (r >> 8 & (r >> 32 & 7 ? 0x3f : 0xfff));

		/* The device must not do what a random command says. */
		if ((at & 0xfff) <= CFG_COMMAND + 3 && (r & 3) != 3)
			continue;
		switch (r & 3) {
		case 0:
			write8(at, (u8)(r >> 40));
			break;
		case 1:
			write16(at & ~1UL, (u16)(r >> 40));
			break;
		case 2:
			write32(at & ~3UL, (u32)(r >> 40));
			break;
		default:
			write16(edu_cfg + CFG_COMMAND, (u16)(r >> 40));
		}
	}
	expect_eq(read32(edu_cfg), EDU_ID, "ID");
	edu_put_bar(dt.pci.low, COMMAND_MEMORY);
	expect_eq(read32(edu_bar), 0x010000ed, "ID register");
}

/* ---- interrupts ---- */

static void test_intx(void)
{
	u32 seen = irqs;

	edu_put_bar(dt.pci.low, COMMAND_MEMORY);
	for (u32 i = 1; i < 100 && !test_failed(); i++) {
		write32(edu_bar + EDU_IRQ_RAISE, i);
		expect(wait_irq(seen), "interrupt %u does not come", i);
		expect_eq(irq_status, i, "its status");
		seen = irqs;
	}
	write16(edu_cfg + CFG_COMMAND, COMMAND_MEMORY | COMMAND_NO_INTX);
	write32(edu_bar + EDU_IRQ_RAISE, 7);
	expect_eq(read16(edu_cfg + 6) & 8, 8, "status: INTx");
	for (u32 i = 0; i < 1000; i++) {
		irq_enable();
		isb();
		irq_disable();
	}
	expect_eq(irqs, seen, "interrupts with INTx disabled");
	write16(edu_cfg + CFG_COMMAND, COMMAND_MEMORY);
	expect(wait_irq(seen), "the interrupt does not come when INTx is enabled");
}

/* ---- DMA ---- */

/* A page to the device and back to another: addresses are the VM's own. */
static void copy_through(u64 *source, u64 *target, u64 seed)
{
	edu_put_bar(dt.pci.low, COMMAND_MEMORY | COMMAND_MASTER);
	edu_fill(source, seed);
	memset(target, 0, EDU_PAGE);
	edu_dma((u64)source, 0);
	edu_dma((u64)target, CMD_TO_RAM);
	expect(edu_is_filled(target, seed), "what came back is not what was sent");
}

static void test_dma(void)
{
	u32 seen = irqs;

	copy_through(from, to, 2);
	copy_through(from, (u64 *)(dt.ram + dt.ram_size / 2), 3);
	copy_through((u64 *)(dt.ram + dt.ram_size / 2 + EDU_PAGE), to, 4);
	edu_dma_start((u64)from, CMD_IRQ);
	expect(wait_irq(seen), "no interrupt of a DMA");
	expect_eq(irq_status, DMA_IRQ, "its status");
}

static void test_no_master(void)
{
	copy_through(from, to, 6);
	memset(to, 0, EDU_PAGE);
	write16(edu_cfg + CFG_COMMAND, COMMAND_MEMORY);
	edu_dma((u64)to, CMD_TO_RAM);
	expect(edu_is_zero(to), "a DMA without bus master");
}

/*
 * All that is not the VM's: what a machine has below its RAM, and where its RAM goes on. What is
 * read there is nothing, and nobody minds what is written.
 */
static void test_wild(void)
{
	const u64 low[] = { 0, 0x08000000, 0x08080040, 0x080a0000, 0x09000000, 0x09050000,
			    0x0a000000, 0x3f000000, 0x4010000000UL, 0x8000000000UL, 0xfffff000 };
	u64 step = MIB(16), at = dt.ram + dt.ram_size, end = at + dt_arg("wild", 448) * MIB(1);
	u32 n = ARRAY_SIZE(low), i = 0;

	copy_through(from, to, 7);
	for (; i < n || at < end; i++) {
		u64 target = i < n ? low[i] : at;

		if (i >= n)
			at += step;
		edu_dma((u64)from, 0);
		edu_dma(target, CMD_TO_RAM);
		edu_dma(target, 0);
		memset(to, 0, EDU_PAGE);
		edu_dma((u64)to, CMD_TO_RAM);
		expect(edu_is_zero(to) || edu_is_filled(to, 7), "something was read at 0x%lx",
		       target);
	}
	print("edu: %u wild places\n", i);
	/* And the device is as useful as before. */
	copy_through(from, to, 8);
}

/* ---- a DMA that is under way ---- */

#define LATE (u64 *)(dt.ram + dt.ram_size / 2 + MIB(1))

/* The device keeps its registers over a reset of the VM, as it has none of its own. */
static bool is_second_boot(void)
{
	edu_put_bar(dt.pci.low, COMMAND_MEMORY);
	return read64(edu_bar + EDU_COUNT) == EDU_PAGE;
}

static void leave_dma(void)
{
	copy_through(from, to, 9);
	edu_dma_start((u64)LATE, CMD_TO_RAM);
}

static void wait_late(u64 us)
{
	u64 end = counter_virt() + ticks_us(us);

	while (counter_virt() < end)
		expect(edu_is_zero(LATE), "a DMA from before the reset has arrived");
}

/* The device's register for tests of life says how many boots there have been: it reads inverted. */
static void late(void)
{
	u32 boots = is_second_boot() ? ~read32(edu_bar + EDU_LIVE) : 0;

	if (!boots)
		print("edu: first boot\n");
	else
		wait_late(200000);
	if (boots < dt_arg("resets", 1)) {
		expect(!test_failed(), "boot %u", boots);
		leave_dma();
		write32(edu_bar + EDU_LIVE, boots + 1);
		if (!test_failed())
			psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
	}
	wait_late(300000);
	print("edu: %u boots\n", boots);
	expect_eq(read16(edu_cfg + CFG_COMMAND), COMMAND_MEMORY, "command");
	copy_through(from, to, 10);
}

/* ---- another VM's RAM ---- */

static void watch(u64 seconds)
{
	u64 end, n = 0, first = ((u64)_bss_end + MIB(1)) & ~(EDU_PAGE - 1);

	/* The device tree and the stacks are at the top. */
	u64 last = dt.ram + dt.ram_size - MIB(2);

	for (u64 page = first; page < last; page += EDU_PAGE)
		edu_fill((u64 *)page, page);
	print("edu: watching\n");
	for (end = counter_virt() + ticks_us(seconds * 1000000); counter_virt() < end; n++)
		for (u64 page = first; page < last; page += EDU_PAGE)
			if (!edu_is_filled((u64 *)page, page))
				test_fail("page 0x%lx has changed", page);
	print("edu: looked %lu times\n", n);
}

/* ---- messages ---- */

static void aim(u64 address, u32 data, bool on)
{
	u64 cap = edu_cfg + read8(edu_cfg + CFG_CAP);

	write16(cap + 2, 0);
	write32(cap + 4, (u32)address);
	write32(cap + 8, (u32)(address >> 32));
	write16(cap + 12, (u16)data);
	write16(cap + 2, on ? MSI_ENABLE : 0);
}

/* The ITS has the device's messages go to this CPU. */
static void map_messages(u32 device)
{
	its_init();
	its_mapd(device, 1);
	its_mapti(device, MSI_EVENT, MSI_LPI, 0);
	its_event(ITS_INV, device, MSI_EVENT);
}

static bool rings(void)
{
	u32 seen = irqs, before = lpis;

	write32(edu_bar + EDU_IRQ_RAISE, 1);
	return wait_irq(seen) && lpis == before + 1 && irq_status == 1;
}

/* Ticks from the write that makes the device send a message to the handler, and to its end. */
static void how_long(void)
{
	u64 first = ~0UL, all = ~0UL;

	for (u32 i = 0; i < 20; i++) {
		u64 begin;

		irq_enable();
		isb();
		begin = sysreg_read(CNTVCT_EL0);
		write32(edu_bar + EDU_IRQ_RAISE, 1);
		dsb(sy);
		isb();
		all = MIN(all, sysreg_read(CNTVCT_EL0) - begin);
		first = MIN(first, irq_at - begin);
		irq_disable();
	}
	print("edu: %lu ticks from a device's write to the handler, %lu until it is over\n", first,
	      all);
}

/* Nothing comes for a while, of what is raised. */
static bool is_silent(void)
{
	u64 end = counter_virt() + ticks_us(50000);
	u32 seen = lpis;

	write32(edu_bar + EDU_IRQ_RAISE, 1);
	while (counter_virt() < end) {
		irq_enable();
		isb();
		irq_disable();
	}
	write32(edu_bar + EDU_IRQ_ACK, ~0u);
	return lpis == seen;
}

static void test_msi(void)
{
	u32 device = (u32)(edu_cfg - dt.pci.ecam) >> 12;

	if (!dt.its) {
		test_skip("there is no ITS");
		return;
	}
	edu_put_bar(dt.pci.low + EDU_SIZE, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	map_messages(device);
	aim(dt.its + GITS_TRANSLATER, MSI_EVENT, true);
	for (u32 i = 0; i < 50; i++)
		expect(rings(), "message %u does not come", i);
	how_long();
	its_event(ITS_INT, device, MSI_EVENT);
	expect(wait_irq(irqs), "INT does not come");
	aim(dt.its + GITS_TRANSLATER, MSI_EVENT, false);
	expect(is_silent(), "one came with MSI off");
	aim((u64)to, MSI_EVENT, true);
	expect(is_silent() && !to[0], "one came that goes to RAM");
	aim(dt.its + GITS_TRANSLATER, 0, true);
	expect(is_silent(), "one came of an event that is not mapped");
	aim(dt.its + GITS_TRANSLATER, 77, true);
	expect(is_silent(), "one came of an event that does not exist");
	aim(dt.its + GITS_TRANSLATER, MSI_EVENT, true);
	write16(edu_cfg + CFG_COMMAND, COMMAND_MEMORY);
	expect(is_silent(), "one came without bus master");
	write16(edu_cfg + CFG_COMMAND, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	expect(rings(), "the last one does not come");
	aim(0, 0, false);
}

/* The device keeps a word, inverted, as it is not reset. */
static void resets(u64 n)
{
	u32 device = (u32)(edu_cfg - dt.pci.ecam) >> 12, boots;
	u64 end;

	edu_put_bar(dt.pci.low + EDU_SIZE, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	boots = read32(edu_bar + EDU_LIVE);
	boots = boots > n ? 0 : boots;
	write32(edu_bar + EDU_IRQ_ACK, ~0u); /* of the last life, as it is not reset */
	expect_eq(read16(edu_cfg + read8(edu_cfg + CFG_CAP) + 2) & MSI_ENABLE, 0,
		  "MSI after a reset");
	map_messages(device);
	for (end = counter_virt() + ticks_us(20000); counter_virt() < end;) {
		irq_enable();
		isb();
		irq_disable();
	}
	expect_eq(lpis, 0, "messages of the last life");
	aim(dt.its + GITS_TRANSLATER, MSI_EVENT, true);
	for (u32 i = 0; i < 20; i++)
		expect(rings(), "message %u does not come", i);
	if (boots >= n || test_failed())
		return;
	write32(edu_bar + EDU_LIVE, ~(boots + 1));
	print("edu: boot %u\n", boots);
	/* One is pending, another is under way, a third comes with a DMA that ends later. */
	edu_dma_start((u64)from, CMD_TO_RAM | CMD_IRQ);
	its_event(ITS_INT, device, MSI_EVENT);
	write32(edu_bar + EDU_IRQ_RAISE, 1);
	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}

/* As many messages as a CPU can have the device send. */
static void send_all(u32 index)
{
	u64 end = counter_virt() + ticks_us(dt_arg("storm", 0) * 1000);

	if (!index)
		return;
	while (counter_virt() < end)
		write32(edu_bar + EDU_IRQ_RAISE, 1);
}

static void storm(void)
{
	edu_put_bar(dt.pci.low + EDU_SIZE, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	map_messages((u32)(edu_cfg - dt.pci.ecam) >> 12);
	aim(dt.its + GITS_TRANSLATER, MSI_EVENT, true);
	expect(smp_run_all(send_all, PATIENCE_US + dt_arg("storm", 0) * 1000), "a CPU did not end");
	/* What was held back comes within 20 ms; this vcpu may get less than that of them. */
	for (u64 begin = counter_virt(), past = 0; past < ticks_us(lpis ? 100000 : PATIENCE_US);) {
		irq_enable();
		isb();
		irq_disable();
		past = counter_virt() - begin;
	}
	expect(lpis, "none has come of all that were sent");
	expect(rings(), "the next one does not come");
}

static const struct suite_test tests[] = {
	{ "config", test_config, 1 },
	{ "bars", test_bars, 1 },
	{ "bars elsewhere", test_bars_elsewhere, 1 },
	{ "intx", test_intx, 1 },
	{ "msi", test_msi, 1 },
	{ "dma", test_dma, 1 },
	{ "no bus master", test_no_master, 1 },
	{ "config at random", test_config_random, 1 },
	{ "dma again", test_dma, 1 },
	{ "wild dma", test_wild, 1 },
};

void guest_main(void)
{
	if (dt_arg("watch", 0)) {
		test_begin("watch");
		watch(dt_arg("watch", 0));
		return;
	}
	test_begin("find");
	expect(edu_find(), "there is no edu");
	if (test_failed())
		return;
	gic_dist_init();
	gic_cpu_init();
	cpu_self()->irq = on_irq;
	if (edu_intid) {
		gic_enable(edu_intid);
		gic_route(edu_intid, cpu_self()->mpidr);
	}
	if (dt_arg("storm", 0)) {
		test_begin("storm");
		storm();
	} else if (dt_arg("msi-resets", 0)) {
		test_begin("resets");
		resets(dt_arg("msi-resets", 0));
	} else if (dt_flag("reset")) {
		test_begin("reset");
		late();
	} else if (dt_flag("off")) {
		test_begin("off");
		leave_dma();
	} else {
		suite_run(tests, ARRAY_SIZE(tests), NULL);
	}
}
