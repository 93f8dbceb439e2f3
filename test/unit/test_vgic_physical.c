/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of the machine's GICv3: which registers it accesses, and how it finds its
 * redistributor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/gicv3.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "dev/gicv3.h"
#include "state/cpu.h"
#include "vgic/vgic.h"

#define DIST 0x100000000UL
#define RED0 0x200000000UL /* two redistributors of GICv3 */
#define RED1 0x300000000UL /* two of GICv4: 256 KiB each */

struct cpu cpus[MAX_CPUS];
u32 cpu_count = 4;

struct cpu *cpu_this(void)
{
	return &cpus[fake_cpu];
}

static u32 dist[GICD_SIZE / 4], red[4][GICR_SIZE / 4];
static u32 rwp_polls; /* reads that still show RWP */
static const u64 affinity[4] = { 0x0, 0x100, 0x01000203, 0x01000204 };

static u64 word(u32 *w, unsigned size, bool write, u64 v)
{
	if (write) {
		w[0] = (u32)v;
		if (size == 8)
			w[1] = (u32)(v >> 32);
		return 0;
	}
	return size == 8 ? w[0] | (u64)w[1] << 32 : w[0];
}

static u64 dist_access(u64 at, unsigned size, bool write, u64 v)
{
	u64 offset = at - DIST, r;

	if (size == 1)
		fail();
	r = word(&dist[offset / 4], size, write, v);
	if (!write && offset == GICD_TYPER)
		return 2; /* 96 INTIDs */
	if (!write && offset == GICD_CTLR && rwp_polls) {
		rwp_polls--;
		r |= GICD_CTLR_RWP;
	}
	return r;
}

static u64 red_access(u32 i, u64 offset, unsigned size, bool write, u64 v, u64 typer)
{
	if (offset >= GICR_SIZE)
		fail(); /* nidus does not use the GICv4 frames */
	if (!write && offset == GICR_TYPER)
		return affinity[i] << 32 | typer;
	if (!write && offset == GICR_WAKER)
		return red[i][GICR_WAKER / 4] & GICR_WAKER_SLEEP ? 6 : 0;
	return word(&red[i][offset / 4], size, write, v);
}

static u64 red0_access(u64 at, unsigned size, bool write, u64 v)
{
	u64 offset = at - RED0;
	u32 i = (u32)(offset / GICR_SIZE);

	return red_access(i, offset % GICR_SIZE, size, write, v, i == 1 ? GICR_TYPER_LAST : 0);
}

static u64 red1_access(u64 at, unsigned size, bool write, u64 v)
{
	u64 offset = at - RED1;
	u32 i = (u32)(offset / (2 * GICR_SIZE));

	return red_access(2 + i, offset % (2 * GICR_SIZE), size, write, v,
			  GICR_TYPER_VLPIS | (i == 1 ? GICR_TYPER_LAST : 0));
}

static int up(void **state)
{
	static struct machine m;

	(void)state;
	memset(&m, 0, sizeof(m));
	m.gicd = (struct range){ DIST, GICD_SIZE };
	m.gicr[0] = (struct range){ RED0, 2 * GICR_SIZE };
	m.gicr[1] = (struct range){ RED1, 4 * GICR_SIZE };
	m.gicr_count = 2;
	fake_reset();
	fake_mmio_reset();
	fake_mmio_add(DIST, GICD_SIZE, dist_access);
	fake_mmio_add(RED0, 2 * GICR_SIZE, red0_access);
	fake_mmio_add(RED1, 4 * GICR_SIZE, red1_access);
	memset(dist, 0x5a, sizeof(dist));
	memset(red, 0, sizeof(red));
	memset(cpus, 0, sizeof(cpus));
	for (u32 i = 0; i < 4; i++) {
		cpus[i].hw.mpidr = BIT(31) | (affinity[i] >> 24) << 32 | (affinity[i] & 0xffffff);
		red[i][GICR_WAKER / 4] = 6;
	}
	dist[0] = 0;
	rwp_polls = 3;
	gicv3_init(&m);
	return 0;
}

static void distributor_comes_up(void **state)
{
	(void)state;
	assert_int_equal(rwp_polls, 0);
	assert_int_equal(dist[GICD_CTLR / 4], GICD_CTLR_ARE | GICD_CTLR_GRP1);
	for (u32 w = 1; w < 3; w++) {
		assert_int_equal(dist[GICD_ICENABLER / 4 + w], ~0u);
		assert_int_equal(dist[GICD_IGROUPR / 4 + w], ~0u);
		assert_int_equal(dist[GICD_ICFGR / 4 + 2 * w], 0);
	}
	for (u32 n = 32; n < 96; n += 4)
		assert_int_equal(dist[GICD_IPRIORITYR / 4 + n / 4], 0xa0a0a0a0);
	/* Private interrupts and those that do not exist are left alone. */
	assert_int_equal(dist[GICD_ICENABLER / 4], 0x5a5a5a5a);
	assert_int_equal(dist[GICD_ICENABLER / 4 + 3], 0x5a5a5a5a);
	assert_int_equal(dist[(GICD_IROUTER + 8 * 95) / 4], 0);
	assert_int_equal(dist[(GICD_IROUTER + 8 * 96) / 4], 0x5a5a5a5a);
}

static void each_cpu_finds_its_redistributor(void **state)
{
	const u64 at[4] = { RED0, RED0 + GICR_SIZE, RED1, RED1 + 2 * GICR_SIZE };

	(void)state;
	for (fake_cpu = 0; fake_cpu < 4; fake_cpu++) {
		assert_int_equal(gicv3_cpu_init(&cpus[fake_cpu].hw), 0);
		assert_int_equal((u64)cpus[fake_cpu].hw.gicr, at[fake_cpu]);
		assert_int_equal(red[fake_cpu][GICR_WAKER / 4] & GICR_WAKER_SLEEP, 0);
		assert_int_equal(red[fake_cpu][(GICR_SGI + GICD_ISENABLER) / 4], 0xffff);
		assert_int_equal(red[fake_cpu][(GICR_SGI + GICD_IGROUPR) / 4], ~0u);
		assert_int_equal(fake_get("ICC_CTLR_EL1"), ICC_CTLR_EOIMODE);
		assert_int_equal(fake_get("ICC_PMR_EL1"), 0xff);
		assert_int_equal(fake_get("ICC_IGRPEN1_EL1"), 1);
		assert_int_equal(fake_get("ICC_SRE_EL2"), 0xf);
	}
	fake_cpu = 0;
	cpus[5].hw.mpidr = 0x42;
	assert_int_equal(gicv3_cpu_init(&cpus[5].hw), -ENOENT);
}

/*
 * What firmware acknowledged and never ended masks no interrupt of nidus; registers beyond the
 * priorities do not exist.
 */
static void active_priorities_are_forgotten(void **state)
{
	static const char *const name[] = { "ICC_AP1R0_EL1", "ICC_AP1R1_EL1", "ICC_AP1R2_EL1",
					    "ICC_AP1R3_EL1" };
	static const struct {
		u32 bits, regs;
	} cases[] = { { 4, 1 }, { 5, 1 }, { 6, 2 }, { 7, 4 }, { 8, 4 } };

	(void)state;
	for (u32 c = 0; c < ARRAY_SIZE(cases); c++) {
		fake_set("ICC_CTLR_EL1", (u64)(cases[c].bits - 1) << 8);
		for (u32 i = 0; i < 4; i++)
			fake_set(name[i], 0x80000001);
		assert_int_equal(gicv3_cpu_init(&cpus[0].hw), 0);
		for (u32 i = 0; i < 4; i++)
			assert_int_equal(fake_get(name[i]), i < cases[c].regs ? 0 : 0x80000001);
	}
}

static void ppi_here_spi_there(void **state)
{
	(void)state;
	fake_cpu = 1;
	assert_int_equal(gicv3_cpu_init(&cpus[1].hw), 0);
	gicv3_set_enable(27, true);
	assert_int_equal(red[1][(GICR_SGI + GICD_ISENABLER) / 4], 1u << 27);
	gicv3_set_active(27, true);
	assert_int_equal(red[1][(GICR_SGI + GICD_ISACTIVER) / 4], 1u << 27);
	gicv3_set_active(27, false);
	assert_int_equal(red[1][(GICR_SGI + GICD_ICACTIVER) / 4], 1u << 27);
	gicv3_set_enable(70, false);
	assert_int_equal(dist[GICD_ICENABLER / 4 + 2], 1u << 6);
	gicv3_set_edge(70, true);
	assert_int_equal(dist[GICD_ICFGR / 4 + 4], 2u << 12);
	gicv3_set_edge(71, true);
	gicv3_set_edge(70, false);
	assert_int_equal(dist[GICD_ICFGR / 4 + 4], 2u << 14);
	gicv3_route_spi(70, cpus[3].hw.mpidr);
	assert_int_equal(dist[(GICD_IROUTER + 8 * 70) / 4], 0x000204);
	assert_int_equal(dist[(GICD_IROUTER + 8 * 70) / 4 + 1], 1);
	dist[GICD_ISPENDR / 4 + 2] = 1u << 6;
	assert_true(gicv3_is_pending(70));
	assert_false(gicv3_is_pending(71));
	gicv3_set_pending(70, false);
	assert_int_equal(dist[GICD_ICPENDR / 4 + 2], 1u << 6);
}

static void kick_is_one_sgi(void **state)
{
	unsigned before = fake_writes_total();

	(void)state;
	cpu_kick(&cpus[2]);
	assert_int_equal(fake_writes_total() - before, 1);
	assert_int_equal(fake_get("ICC_SGI1R_EL1"), 1UL << 48 | 2UL << 16 | 1u << 3);
	cpus[6].hw.mpidr = 0x25;
	cpu_kick(&cpus[6]);
	assert_int_equal(fake_get("ICC_SGI1R_EL1"), 2UL << 44 | 1u << 5);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, up)
	const struct CMUnitTest tests[] = {
		T(distributor_comes_up),
		T(each_cpu_finds_its_redistributor),
		T(active_priorities_are_forgotten),
		T(ppi_here_spi_there),
		T(kick_is_one_sgi),
	};

	return cmocka_run_group_tests_name("gicv3: the machine's GIC", tests, NULL, NULL);
}
