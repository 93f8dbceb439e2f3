/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PL031: the date, setting it, and its alarm with its interrupt. Runs on the bare machine too.
 * An argument date=SECONDS is the date at which the test began.
 */
#include "lib/dt.h"
#include "lib/gic.h"
#include "lib/psci.h"
#include "lib/suite.h"

const char guest_name[] = "rtc";

#define DR 0x00
#define MR 0x04
#define LR 0x08
#define CR 0x0c
#define IMSC 0x10
#define RIS 0x14
#define MIS 0x18
#define ICR 0x1c
#define ID 0xfe0

static u32 rd(u32 reg)
{
	return read32(dt.rtc + reg);
}

static void wr(u32 reg, u32 v)
{
	write32(dt.rtc + reg, v);
}

static void before(void)
{
	irq_disable();
	gic_dist_init();
	gic_cpu_init();
	wr(IMSC, 0);
	wr(ICR, 1);
	gic_set_edge(dt.rtc_intid, false);
	gic_route(dt.rtc_intid, cpu_self()->mpidr);
	gic_enable(dt.rtc_intid);
}

static void identity(void)
{
	static const u8 id[] = { 0x31, 0x10, 0, 0, 0x0d, 0xf0, 0x05, 0xb1 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(id); i++)
		if (i != 2 && i != 3) /* the revision */
			expect_eq(rd(ID + 4 * i), id[i], "ID register");
	wr(CR, 1);
	expect_eq(rd(CR), 1, "RTCCR");
}

/* The date is the host's, give or take how long it took to come here. */
static void date(void)
{
	u64 began = dt_arg("date", 0), now = rd(DR);

	print("rtc: at 0x%lx, the date is %lu\n", dt.rtc, now);
	if (began)
		expect(now + 2 >= began && now < began + 1800, "the date is %lu, not after %lu",
		       now, began);
}

/* So many seconds pass by the clock while they do by the counter. */
static void runs(void)
{
	u64 start = counter_virt(), now;
	u32 first = rd(DR);

	/* From before the second began: it is seen late, however long the CPU was away. */
	while (now = counter_virt(), rd(DR) == first)
		start = now;
	while (rd(DR) - first < 3)
		;
	expect(counter_virt() - start >= ticks_us(1990000), "2 s took %lu ticks",
	       counter_virt() - start);
}

static void sets(void)
{
	u32 was = rd(DR);

	wr(LR, 0xfffffffe);
	expect(rd(DR) >= 0xfffffffe || rd(DR) < 60, "RTCDR is 0x%x after RTCLR 0xfffffffe", rd(DR));
	while (rd(DR) > 60)
		;
	expect_eq(rd(LR), 0xfffffffe, "RTCLR");
	wr(LR, was + 4);
}

static bool wait_ack(void)
{
	u64 start = counter_virt();

	while (counter_virt() - start < ticks_us(PATIENCE_US)) {
		u32 id = gic_ack();

		if (id == dt.rtc_intid)
			return true;
		expect_eq(id, INTID_SPURIOUS, "INTID");
	}
	return false;
}

static void alarm_rings(void)
{
	u32 at = rd(DR) + 2, i;

	wr(MR, at);
	expect_eq(rd(MR), at, "RTCMR");
	wr(ICR, 1);
	wr(IMSC, 1);
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR before it is time");
	expect(wait_ack(), "no interrupt");
	expect(rd(DR) >= at, "RTCDR is %u, before the alarm at %u", rd(DR), at);
	expect_eq(rd(RIS), 1, "RTCRIS");
	expect_eq(rd(MIS), 1, "RTCMIS");
	/* Level: it comes again until it is cleared. */
	for (i = 0; i < 2; i++) {
		gic_eoi(dt.rtc_intid);
		expect(wait_ack(), "did not come again");
	}
	wr(ICR, 1);
	gic_eoi(dt.rtc_intid);
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR after RTCICR");
	expect_eq(rd(RIS), 0, "RTCRIS");
}

static void masked(void)
{
	u32 at = rd(DR) + 1;

	wr(MR, at);
	while (rd(DR) <= at)
		;
	expect_eq(rd(RIS), 1, "RTCRIS");
	expect_eq(rd(MIS), 0, "RTCMIS");
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR while masked");
	wr(IMSC, 1);
	expect(wait_ack(), "no interrupt once it is unmasked");
	wr(ICR, 1);
	gic_eoi(dt.rtc_intid);
}

/* Asleep until then: a vcpu in WFI has to be woken. */
static void wakes(void)
{
	u32 at = rd(DR) + 2;

	wr(MR, at);
	wr(ICR, 1);
	wr(IMSC, 1);
	while (rd(DR) < at)
		asm volatile("wfi" ::: "memory");
	expect(wait_ack(), "no interrupt");
	wr(ICR, 1);
	gic_eoi(dt.rtc_intid);
}

static const struct suite_test tests[] = {
	{ "identity", identity, 1 }, { "date", date, 1 },     { "runs", runs, 1 },
	{ "alarm", alarm_rings, 1 }, { "masked", masked, 1 }, { "wakes", wakes, 1 },
	{ "sets", sets, 1 },
};

void guest_main(void)
{
	suite_run(tests, ARRAY_SIZE(tests), before);
}
