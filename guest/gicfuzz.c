/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes random values (seed=N) to every GIC register at every size; then the GIC must still be
 * usable, and the machine alive.
 */
#include "lib/dt.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/random.h"
#include "lib/test.h"

const char guest_name[] = "gicfuzz";

/* Per CPU. */
static struct {
	u64 seed, writes, aborts;
} cpus[GUEST_CPUS_MAX];

static u64 rnd(void)
{
	return random_next(&cpus[cpu_self()->index].seed);
}

static void one(u64 a, u32 size)
{
	struct trap t;
	u64 v = rnd();

	v = v & 1 ? ~0UL : v >> 1;
	trap_arm(&t);
	if (size == 1)
		write8(a, (u8)v);
	else if (size == 2)
		write16(a, (u16)v);
	else if (size == 4)
		write32(a, (u32)v);
	else
		write64(a, v);
	if (rnd() & 1)
		read32(a & ~3UL);
	trap_disarm();
	cpus[cpu_self()->index].writes++;
	cpus[cpu_self()->index].aborts += t.count;
}

/* Write every register of a region once per size, then as many again at random. */
static void region(u64 base, u64 size)
{
	u64 off, i;
	u32 n;

	for (n = 1; n <= 8; n *= 2)
		for (off = 0; off < size; off += n < 4 ? 4 : n)
			one(base + off + (n < 4 ? rnd() % 4 / n * n : 0), n);
	for (i = 0; i < size / 4; i++) {
		n = 1u << (rnd() & 3);
		one(base + rnd() % (size / n) * n, n);
	}
}

/*
 * ICC_BPR*: the three bits that exist. QEMU up to 10.0 compares with the minimum before it drops
 * the others, and aborts when an interrupt comes, with and without a hypervisor.
 */
static void fuzz_icc(void)
{
	struct trap t;
	u32 i;

	trap_arm(&t);
	for (i = 0; i < 2000; i++) {
		u64 v = rnd();

		switch (rnd() % 14) {
		case 0:
			sysreg_write(ICC_PMR_EL1, v);
			break;
		case 1:
			sysreg_write(ICC_BPR0_EL1, v & 7);
			break;
		case 2:
			sysreg_write(ICC_BPR1_EL1, v & 7);
			break;
		case 3:
			sysreg_write(ICC_CTLR_EL1, v);
			break;
		case 4:
			sysreg_write(ICC_AP0R0_EL1, v);
			break;
		case 5:
			sysreg_write(ICC_AP1R0_EL1, v);
			break;
		case 6:
			sysreg_write(ICC_EOIR0_EL1, v & 0x3ff);
			break;
		case 7:
			sysreg_write(ICC_EOIR1_EL1, v & 0x3ff);
			break;
		case 8:
			sysreg_write(ICC_DIR_EL1, v & 0x3ff);
			break;
		case 9:
			sysreg_write(ICC_SGI1R_EL1, v);
			break;
		case 10:
			sysreg_write(ICC_SGI0R_EL1, v);
			break;
		case 11:
			sysreg_write(ICC_ASGI1R_EL1, v);
			break;
		case 12:
			sysreg_write(ICC_SRE_EL1, v);
			break;
		default:
			gic_ack();
			break;
		}
	}
	trap_disarm();
	cpus[cpu_self()->index].aborts += t.count;
}

static void usable(void)
{
	u32 i;

	sysreg_write(ICC_AP0R0_EL1, 0);
	sysreg_write(ICC_AP1R0_EL1, 0);
	gic_dist_init();
	gic_cpu_init();
	write32(cpu_self()->gicr + GICR_SGI + GIC_IGRPMODR, 0);
	gic_enable(3);
	for (i = 0; i < 3; i++) {
		gic_sgi(3, cpu_self()->mpidr);
		expect_eq(gic_ack(), 3, "IAR after an SGI to itself");
		gic_eoi(3);
	}
}

/* All CPUs at once: the distributor, all redistributors, their own CPU interface. */
static void fuzz_together(u32 index)
{
	u32 i;

	gic_cpu_init();
	for (i = 0; i < 20000; i++) {
		u32 n = 1u << (rnd() & 3);
		u64 base = rnd() & 1 ? dt.gicd : dt.gicr + rnd() % (2 * dt.cpu_count) * 0x10000;

		one(base + rnd() % (0x10000 / n) * n, n);
		if (rnd() % 512 == 0)
			fuzz_icc();
	}
	(void)index;
}

void guest_main(void)
{
	u64 writes = 0, aborts = 0;
	u32 i, round, rounds = (u32)dt_arg("rounds", 2);

	for (i = 0; i < GUEST_CPUS_MAX; i++)
		cpus[i].seed = dt_arg("seed", 1) << 8 | i;
	gic_dist_init();
	gic_cpu_init();
	for (round = 0; round < rounds; round++) {
		test_begin("distributor");
		region(dt.gicd, 0x10000);
		usable();
		test_begin("redistributors");
		for (i = 0; i < dt.cpu_count; i++)
			region(dt.gicr + 0x20000UL * i, 0x20000);
		usable();
		test_begin("cpu_interface");
		fuzz_icc();
		usable();
		test_begin("together");
		smp_run_all(fuzz_together, 10 * PATIENCE_US);
		usable();
	}
	for (i = 0; i < dt.cpu_count; i++) {
		writes += cpus[i].writes;
		aborts += cpus[i].aborts;
	}
	print("gicfuzz: %lu writes, %lu aborted\n", writes, aborts);
}
