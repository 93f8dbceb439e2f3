/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ITS and LPIs, with messages that are made by INT commands: the bare machine's answers are the
 * expected ones.
 *
 *   (nothing)    all tests
 *   flood=S      for S seconds, commands and registers at random, by all CPUs; LPIs come or do not
 */
#include "lib/its.h"

#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/suite.h"

const char guest_name[] = "its";

#define DEVICE 2u
#define LPI(n) (GIC_LPI + 16 + (n))
#define MANY 200u
#define QUIET_US 20000 /* in which what must not come does not */
#define DOORBELL_DATA 3u

static u32 got[GIC_LPIS], by_cpu[GUEST_CPUS_MAX], others; /* atomic */
static u32 order[8], order_count;
static void (*in_handler)(u32 lpi);
static u32 ready, stop;

static void on_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	if (id >= GIC_LPI && id - GIC_LPI < GIC_LPIS) {
		__atomic_fetch_add(&got[id - GIC_LPI], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&by_cpu[cpu_self()->index], 1, __ATOMIC_RELAXED);
		if (order_count < ARRAY_SIZE(order))
			order[order_count++] = id;
		if (in_handler)
			in_handler(id);
	} else {
		__atomic_fetch_add(&others, 1, __ATOMIC_RELAXED);
	}
	gic_eoi(id);
}

static u32 count(u32 lpi)
{
	return __atomic_load_n(&got[lpi - GIC_LPI], __ATOMIC_ACQUIRE);
}

/* Event of the device, to CPU 0, as the property table says. */
static void map(u32 event, u32 lpi)
{
	its_mapti(DEVICE, event, lpi, 0);
	its_event(ITS_INV, DEVICE, event);
}

static void window(void)
{
	irq_enable();
	isb();
	irq_disable();
}

/* Wait until the LPI has come n times in all. */
static bool comes(u32 lpi, u32 n)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while (count(lpi) < n && counter_virt() < end)
		window();
	return count(lpi) == n;
}

/* Nothing comes for a while. */
static bool quiet(u32 lpi, u32 n)
{
	u64 end = counter_virt() + ticks_us(QUIET_US);

	while (counter_virt() < end)
		window();
	return count(lpi) == n;
}

static void set_property(u32 lpi, u32 v)
{
	its_property[lpi - GIC_LPI] = (u8)v;
	dsb(sy);
}

static void before(void)
{
	memset(got, 0, sizeof(got));
	memset(by_cpu, 0, sizeof(by_cpu));
	memset(its_property, LPI_NORMAL, sizeof(its_property));
	order_count = 0;
	in_handler = NULL;
	its_mapd(DEVICE, 0);
	its_mapd(DEVICE, 8);
}

/* ---- registers ---- */

static void test_registers(void)
{
	u64 typer = read64(dt.its + GITS_TYPER);

	expect(typer & GITS_TYPER_PHYSICAL, "no physical LPIs: GITS_TYPER 0x%lx", typer);
	expect(GITS_TYPER_DEVICE_BITS(typer) >= 8, "GITS_TYPER 0x%lx", typer);
	expect_eq(read32(dt.its + GITS_TYPER), typer & 0xffffffff, "the lower half of GITS_TYPER");
	expect_eq(read32(dt.its + GITS_TYPER + 4), typer >> 32, "its upper half");
	expect_eq(read32(dt.its + GITS_CTLR) & GITS_CTLR_ENABLED, 1, "GITS_CTLR.Enabled");
	expect(read32(dt.gicd + GICD_TYPER) & GICD_TYPER_LPIS, "GICD_TYPER.LPIS is 0");
	expect(GICD_TYPER_IDS(read32(dt.gicd + GICD_TYPER)) >= 14, "GICD_TYPER.IDbits");
	expect(read64(cpu_self()->gicr + GICR_TYPER) & GICR_TYPER_PLPIS, "GICR_TYPER.PLPIS is 0");
	expect(read32(cpu_self()->gicr + GICR_CTLR) & GICR_CTLR_LPIS, "GICR_CTLR.EnableLPIs is 0");
	expect_eq(read32(dt.its + GIC_PIDR2) >> 4 & 15, 3, "the architecture in GITS_PIDR2");
	expect_eq(GITS_BASER_TYPE(read64(dt.its + GITS_BASER)), GITS_BASER_DEVICES, "BASER0");
	expect_eq(read64(dt.its + GITS_CWRITER), read64(dt.its + GITS_CREADR), "GITS_CREADR");
	expect_eq(GICR_PROPBASER_PA(read64(cpu_self()->gicr + GICR_PROPBASER)), (u64)its_property,
		  "the address in GICR_PROPBASER");
}

/* ---- one LPI ---- */

static void test_int(void)
{
	map(5, LPI(0));
	for (u32 i = 1; i <= 20; i++) {
		its_event(ITS_INT, DEVICE, 5);
		expect(comes(LPI(0), i), "INT %u: it came %u times", i, count(LPI(0)));
	}
	expect(quiet(LPI(0), 20), "it came once more");
}

static void test_mapi(void)
{
	/* The EventID is the INTID: more bits than this device has, so it is ignored. */
	(void)its_command(ITS_MAPI | (u64)DEVICE << ITS_DEVICE_SHIFT, LPI(0), 0, 0);
	its_event(ITS_INT, DEVICE, 5);
	expect(quiet(LPI(0), 0), "an event that does not exist came");
}

/* Two that come before the first is taken are one. */
static void test_one(void)
{
	map(5, LPI(0));
	its_event(ITS_INT, DEVICE, 5);
	its_event(ITS_INT, DEVICE, 5);
	expect(comes(LPI(0), 1) && quiet(LPI(0), 1), "it came %u times", count(LPI(0)));
}

static void once_more(u32 lpi)
{
	if (count(lpi) == 1)
		its_event(ITS_INT, DEVICE, 5);
}

static void test_in_service(void)
{
	map(5, LPI(0));
	in_handler = once_more;
	its_event(ITS_INT, DEVICE, 5);
	expect(comes(LPI(0), 2) && quiet(LPI(0), 2), "it came %u times", count(LPI(0)));
}

static void test_disabled(void)
{
	set_property(LPI(0), LPI_NORMAL & ~LPI_ENABLE);
	map(5, LPI(0));
	its_event(ITS_INT, DEVICE, 5);
	expect(quiet(LPI(0), 0), "it came disabled");
	set_property(LPI(0), LPI_NORMAL);
	its_event(ITS_INV, DEVICE, 5);
	expect(comes(LPI(0), 1) && quiet(LPI(0), 1), "enabled, it came %u times", count(LPI(0)));
	set_property(LPI(0), LPI_NORMAL & ~LPI_ENABLE);
	its_invall(0);
	its_event(ITS_INT, DEVICE, 5);
	expect(quiet(LPI(0), 1), "it came disabled by INVALL");
	set_property(LPI(0), LPI_NORMAL);
	its_invall(0);
	expect(comes(LPI(0), 2), "enabled by INVALL, it came %u times", count(LPI(0)));
}

/* Disabled while pending and enabled: it stays pending. */
static void test_disabled_late(void)
{
	map(5, LPI(0));
	its_event(ITS_INT, DEVICE, 5);
	set_property(LPI(0), LPI_NORMAL & ~LPI_ENABLE);
	its_event(ITS_INV, DEVICE, 5);
	expect(quiet(LPI(0), 0), "it came disabled");
	set_property(LPI(0), LPI_NORMAL);
	its_event(ITS_INV, DEVICE, 5);
	expect(comes(LPI(0), 1) && quiet(LPI(0), 1), "enabled, it came %u times", count(LPI(0)));
}

static void test_clear(void)
{
	set_property(LPI(0), LPI_NORMAL & ~LPI_ENABLE);
	map(5, LPI(0));
	its_event(ITS_INT, DEVICE, 5);
	its_event(ITS_CLEAR, DEVICE, 5);
	set_property(LPI(0), LPI_NORMAL);
	its_event(ITS_INV, DEVICE, 5);
	expect(quiet(LPI(0), 0), "it came after CLEAR");
}

static void test_discard(void)
{
	map(5, LPI(0));
	its_event(ITS_INT, DEVICE, 5);
	its_event(ITS_DISCARD, DEVICE, 5);
	expect(quiet(LPI(0), 0), "it came after DISCARD");
	(void)its_command(ITS_INT | (u64)DEVICE << ITS_DEVICE_SHIFT, 5, 0, 0);
	expect(quiet(LPI(0), 0), "its event is still there");
	map(5, LPI(1));
	its_event(ITS_INT, DEVICE, 5);
	expect(comes(LPI(1), 1) && !count(LPI(0)), "the event's new LPI does not come");
}

/* ---- several ---- */

static void test_priority(void)
{
	for (u32 i = 0; i < 4; i++) {
		set_property(LPI(i), (0xc0 - i * 0x20) | LPI_ENABLE);
		its_mapti(DEVICE, i, LPI(i), 0);
	}
	its_invall(0);
	gic_set_pmr(0x80);
	for (u32 i = 0; i < 4; i++)
		its_event(ITS_INT, DEVICE, i);
	expect(comes(LPI(3), 1), "0x60 does not come with a mask of 0x80");
	expect(quiet(LPI(2), 0), "0x80 comes with a mask of 0x80");
	gic_set_pmr(0xff);
	for (u32 i = 0; i < 4; i++)
		expect(comes(LPI(i), 1), "priority 0x%x: it came %u times", 0xc0 - i * 0x20,
		       count(LPI(i)));
	for (u32 i = 0; i < 4; i++)
		expect_eq(order[i], LPI(3 - i), "the INTID that came next");
}

static void test_many(void)
{
	for (u32 i = 0; i < MANY; i++) {
		set_property(LPI(i), (i * 8 & 0x78) | LPI_ENABLE);
		its_mapti(DEVICE, i, LPI(i), 0);
	}
	its_invall(0);
	for (u32 round = 1; round <= 5; round++) {
		for (u32 i = 0; i < MANY; i++)
			its_event(ITS_INT, DEVICE, i);
		for (u32 i = 0; i < MANY; i++)
			expect(comes(LPI(i), round), "LPI %u came %u times of %u", i, count(LPI(i)),
			       round);
	}
}

static void test_off(void)
{
	u64 rd = cpu_self()->gicr;

	map(5, LPI(0));
	write32(dt.its + GITS_CTLR, 0);
	expect_eq(read32(dt.its + GITS_CTLR), GITS_CTLR_QUIESCENT, "GITS_CTLR when off");
	write32(dt.its + GITS_CTLR, (u32)GITS_CTLR_ENABLED);
	its_event(ITS_INT, DEVICE, 5);
	expect(comes(LPI(0), 1), "it does not come after the ITS was off");
	if (!(read32(rd + GICR_CTLR) & GICR_CTLR_CES))
		return;
	write32(rd + GICR_CTLR, 0);
	its_event(ITS_INT, DEVICE, 5);
	expect(quiet(LPI(0), 1), "it came with EnableLPIs 0");
	its_cpu_init();
	expect(quiet(LPI(0), 1), "it came late");
	its_event(ITS_INT, DEVICE, 5);
	expect(comes(LPI(0), 2), "it does not come with EnableLPIs 1 again");
}

/* A CPU's own write to the doorbell makes no event of a device that is mapped. */
static void test_doorbell(void)
{
	map(DOORBELL_DATA, LPI(0));
	write32(dt.its + GITS_TRANSLATER, DOORBELL_DATA);
	expect(quiet(LPI(0), 0), "a CPU made an event of a device");
}

/* ---- what is no good ---- */

static void test_bad(void)
{
	static const u64 bad[][3] = {
		{ ITS_MAPD | 9UL << 32, 7, 0 },                      /* not mapped */
		{ ITS_MAPD | 0xffffffffUL << 32, 7, ITS_VALID },     /* no such device */
		{ ITS_MAPC, 0, ITS_VALID | 0x7fffUL << 16 | 1 },     /* no such CPU */
		{ ITS_MAPC, 0, ITS_VALID | 0xffff },                 /* no such collection */
		{ ITS_MAPTI | 8UL << 32, 1 | (u64)LPI(0) << 32, 0 }, /* device not mapped */
		{ ITS_MAPTI | (u64)DEVICE << 32, 0xffffffffUL | (u64)LPI(0) << 32, 0 },
		{ ITS_MAPTI | (u64)DEVICE << 32, 1 | 0xffffffffUL << 32, 0 },
		{ ITS_MAPTI | (u64)DEVICE << 32, 1 | 27UL << 32, 0 }, /* a PPI */
		{ ITS_MAPTI | (u64)DEVICE << 32, 2 | (u64)LPI(0) << 32, 0xffff },
		{ ITS_MOVI | (u64)DEVICE << 32, 77, 0 }, /* event not mapped */
		{ ITS_INT | (u64)DEVICE << 32, 77, 0 },
		{ ITS_INV | (u64)DEVICE << 32, 0xffff, 0 },
		{ ITS_DISCARD | 7UL << 32, 0, 0 },
		{ ITS_INVALL, 0, 0xffff },
		{ ITS_MOVALL, 0, 0x7fffUL << 16 },
		{ 0xff, ~0UL, ~0UL },
		{ 0, 0, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		expect(its_command(bad[i][0], bad[i][1], bad[i][2], 0), "the ITS stalls at %u", i);
	map(5, LPI(0));
	its_event(ITS_INT, DEVICE, 5);
	expect(comes(LPI(0), 1), "after these it does not go on");
}

/* ---- other CPUs ---- */

static void serve(u32 index)
{
	(void)index;
	gic_cpu_init();
	cpu_self()->irq = on_irq;
	its_cpu_init();
	irq_enable();
	__atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		asm volatile("wfi");
	irq_disable();
}

static void start_other(void)
{
	__atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&ready, 0, __ATOMIC_RELEASE);
	expect_eq(smp_start(1, serve), PSCI_SUCCESS, "CPU_ON");
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE) && !test_failed())
		cpu_relax();
}

/* One last LPI wakes it. */
static void stop_other(u32 event)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	its_event(ITS_INT, DEVICE, event);
	expect(smp_join(1, PATIENCE_US), "CPU 1 does not stop");
}

static void test_move(void)
{
	start_other();
	its_mapti(DEVICE, 5, LPI(0), 0);
	its_mapti(DEVICE, 6, LPI(1), 1);
	its_mapti(DEVICE, 7, LPI(2), 0);
	its_invall(0);
	its_invall(1);
	for (u32 i = 1; i <= 100; i++) {
		/* Pending here, taken there: and each once. */
		its_event(ITS_INT, DEVICE, 5);
		its_movi(DEVICE, 5, 1);
		expect(comes(LPI(0), 2 * i - 1), "moved away, it came %u times of %u",
		       count(LPI(0)), 2 * i - 1);
		its_movi(DEVICE, 5, 0);
		its_event(ITS_INT, DEVICE, 5);
		expect(comes(LPI(0), 2 * i), "moved back, it came %u times of %u", count(LPI(0)),
		       2 * i);
	}
	its_event(ITS_INT, DEVICE, 7);
	expect(its_command(ITS_MOVALL, 0, its_target(0), its_target(1)), "MOVALL is not taken");
	expect(comes(LPI(2), 1) && quiet(LPI(2), 1), "after MOVALL it came %u times",
	       count(LPI(2)));
	print("its: %u taken by CPU 0, %u by CPU 1\n", by_cpu[0], by_cpu[1]);
	/* CPU 0 takes none between an INT and the MOVI behind it. */
	expect(by_cpu[1] >= 100, "%u were taken by CPU 1, at least 100 are its", by_cpu[1]);
	stop_other(6);
}

/* Each INT to the other CPU, asleep or not, arrives. */
static void test_wake(void)
{
	start_other();
	its_mapti(DEVICE, 6, LPI(1), 1);
	its_event(ITS_INV, DEVICE, 6);
	for (u32 i = 1; i <= 500 && !test_failed(); i++) {
		its_event(ITS_INT, DEVICE, 6);
		expect(comes(LPI(1), i), "INT %u: it came %u times", i, count(LPI(1)));
	}
	stop_other(6);
}

/* ---- at random ---- */

static u64 random_command(u64 *seed, u64 *w)
{
	static const u8 known[] = { ITS_MOVI, ITS_INT,    ITS_CLEAR,  ITS_SYNC,
				    ITS_MAPD, ITS_MAPC,   ITS_MAPTI,  ITS_MAPI,
				    ITS_INV,  ITS_INVALL, ITS_MOVALL, ITS_DISCARD };
	u64 r = random_next(seed), few = r & 1 ? 7 : ~0UL;

	w[0] = (r & 6 ? known[(r >> 8) % sizeof(known)] : r >> 8 & 0xff) | (random_next(seed) & few)
										   << 32;
	w[1] = (random_next(seed) & few) | (GIC_LPI + (random_next(seed) & 63)) << 32;
	w[2] = random_next(seed) & (r & 8 ? ITS_VALID | 3UL << 16 | 3 : ~0UL);
	w[3] = random_next(seed);
	return r;
}

static u64 hostile_queue[KIB(64) / 8] __attribute__((aligned(65536)));

static void flood_one(u64 *seed)
{
	u64 w[ITS_WORDS], r = random_next(seed), at = r & GITS_QUEUE_MASK & (KIB(64) - 1);

	for (u32 i = 0; i < 16; i++) {
		random_command(seed, w);
		memcpy(hostile_queue + random_next(seed) % (KIB(2)) * ITS_WORDS, w, sizeof(w));
	}
	switch (r >> 32 & 15) {
	case 0: /* everywhere, and large */
		write32(dt.its + GITS_CTLR, 0);
		write64(dt.its + GITS_CBASER, random_next(seed));
		write64(dt.its + GITS_BASER + (r & 8), random_next(seed));
		write64(cpu_self()->gicr + GICR_PROPBASER, random_next(seed));
		break;
	case 1:
		write32(dt.its + GITS_CTLR, 0);
		write64(dt.its + GITS_CBASER, (u64)hostile_queue | 15 | GITS_BASE_VALID);
		write64(dt.its + GITS_BASER, GITS_BASE_VALID | 15);
		write64(dt.its + GITS_BASER + 8, GITS_BASE_VALID | 15);
		break;
	case 2:
		write32(cpu_self()->gicr + GICR_CTLR, (u32)r & 1);
		write64(cpu_self()->gicr + GICR_PROPBASER, (u64)its_property | 13);
		break;
	case 3:
		write32(dt.its + (r >> 40 & 0x1fffc), (u32)random_next(seed));
		break;
	case 4:
		(void)read64(dt.its + (r >> 40 & 0x1fff8));
		break;
	default:
		write32(dt.its + GITS_CTLR, 1);
		write64(dt.its + GITS_CWRITER, at);
	}
	window();
}

static void flood(u32 index)
{
	u64 end = counter_virt() + ticks_us(dt_arg("flood", 1) * 1000000), seed = index + 1, n = 0;

	gic_cpu_init();
	cpu_self()->irq = on_irq;
	for (; counter_virt() < end; n++)
		flood_one(&seed);
	print("its: CPU %u: %lu rounds\n", index, n);
}

static const struct suite_test tests[] = {
	{ "registers", test_registers, 1 },
	{ "int", test_int, 1 },
	{ "mapi", test_mapi, 1 },
	{ "two are one", test_one, 1 },
	{ "in service", test_in_service, 1 },
	{ "disabled", test_disabled, 1 },
	{ "disabled late", test_disabled_late, 1 },
	{ "clear", test_clear, 1 },
	{ "discard", test_discard, 1 },
	{ "priority", test_priority, 1 },
	{ "many", test_many, 1 },
	{ "off", test_off, 1 },
	{ "doorbell", test_doorbell, 1 },
	{ "bad", test_bad, 1 },
	{ "move", test_move, 2 },
	{ "wake", test_wake, 2 },
	{ "int again", test_int, 1 },
};

void guest_main(void)
{
	test_begin("find");
	expect(dt.its, "there is no ITS");
	if (test_failed())
		return;
	gic_dist_init();
	if (dt_arg("flood", 0)) {
		test_begin("flood");
		memset(its_property, LPI_NORMAL, sizeof(its_property));
		expect(smp_run_all(flood, PATIENCE_US + dt_arg("flood", 0) * 1000000),
		       "a CPU is lost");
		return;
	}
	gic_cpu_init();
	cpu_self()->irq = on_irq;
	its_init();
	suite_run(tests, ARRAY_SIZE(tests), before);
	expect_eq(others, 0, "interrupts that are no LPIs");
}
