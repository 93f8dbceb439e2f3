/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes rubbish (seed=N) to every GIC register at every size; then the GIC must still be usable,
 * and the machine alive.
 */
#include "lib/dt.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/random.h"
#include "lib/test.h"

const char guest_name[] = "gicfuzz";

static u64 seed, writes, aborts;

static void one(u64 a, u32 size)
{
	struct trap t;
	u64 v = random_next(&seed);

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
	if (random_next(&seed) & 1)
		read32(a & ~3UL);
	trap_disarm();
	writes++;
	aborts += t.count;
}

/* Every register of a region once per size, then as many again at random. */
static void region(u64 base, u64 size)
{
	u64 off, i;
	u32 n;

	for (n = 1; n <= 8; n *= 2)
		for (off = 0; off < size; off += n < 4 ? 4 : n)
			one(base + off + (n < 4 ? random_next(&seed) % 4 / n * n : 0), n);
	for (i = 0; i < size / 4; i++) {
		n = 1u << (random_next(&seed) & 3);
		one(base + random_next(&seed) % (size / n) * n, n);
	}
}

static void fuzz_icc(void)
{
	struct trap t;
	u32 i;

	trap_arm(&t);
	for (i = 0; i < 2000; i++) {
		u64 v = random_next(&seed);

		switch (random_next(&seed) % 14) {
		case 0:
			sysreg_write(ICC_PMR_EL1, v);
			break;
		case 1:
			sysreg_write(ICC_BPR0_EL1, v);
			break;
		case 2:
			sysreg_write(ICC_BPR1_EL1, v);
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
	aborts += t.count;
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

static void fuzz_cpu(u32 index)
{
	u64 stride = index < dt.cpu_count ? 0x20000 : 0;

	region(dt.gicr + stride * index, 0x20000);
}

void guest_main(void)
{
	u32 i, round, rounds = (u32)dt_arg("rounds", 2);

	seed = dt_arg("seed", 1);
	gic_dist_init();
	gic_cpu_init();
	for (round = 0; round < rounds; round++) {
		test_begin("distributor");
		region(dt.gicd, 0x10000);
		usable();
		test_begin("redistributors");
		for (i = 0; i < dt.cpu_count; i++)
			fuzz_cpu(i);
		usable();
		test_begin("cpu_interface");
		fuzz_icc();
		usable();
	}
	print("gicfuzz: %lu writes, %lu aborted\n", writes, aborts);
}
