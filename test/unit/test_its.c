/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of the machine's ITS against a model that reads commands and tables as IHI0069 has
 * them: what is mapped, and that nothing is trusted to be coherent, quick or there at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/cache.h"
#include "arch/counter.h"
#include "arch/feat.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "boot/fdt.h"
#include "dev/its.h"
#include "dev/pcpu.h"
#include "dts.h"
#include "lib/log.h"
#include "mm/page.h"
#include "mm/stage1.h"

#define ARENA MIB(64)
#define AT 0x8080000UL
#define GICR_AT 0x200000000UL
static u64 arena, now;
static struct machine m;
static int node;
static char text[2000];
static struct pcpu self;

void log_line(const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	strcat(text, "\n");
}

int stage1_map_device(u64 at, u64 size)
{
	assert_int_equal(at, AT);
	assert_int_equal(size, 0x10000);
	return 0;
}

struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

struct pcpu *pcpu_this(void)
{
	return &self;
}

u64 counter_now(void)
{
	return now += 10;
}

static const struct timer *armed;
static u64 armed_for;

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	t->fn = fn;
}

void timer_set(struct timer *t, u64 deadline)
{
	armed = t;
	armed_for = deadline;
}

void timer_cancel(struct timer *t)
{
	if (armed == t)
		armed = NULL;
}

/* ---- the model ---- */

static struct {
	u64 typer, cbaser, cwriter, creadr, baser[8];
	u32 ctlr;
	bool stuck, stalls, deaf, not_shared, sticky;
	u64 prop, pend;
	u32 rd_ctlr;
	/* of the one device that is mapped */
	bool mapped;
	u32 id, bits;
	u64 itt;
	u32 lpi[64];
	u32 collection;
	u64 target;
	bool collection_mapped;
	u32 pending;
	unsigned invalls, syncs, movis, discards;
} model;

static bool device_fits(u32 id)
{
	u64 base = model.baser[0], page = KIB(4) << 2 * FIELD(base, 9, 8);
	u64 bytes = (FIELD(base, 7, 0) + 1) * page;

	if (!(base >> 63))
		return false;
	if (base >> 62 & 1) {
		u64 l1 = id / (page / 8);

		return l1 < bytes / 8 && ((u64 *)(base & MASK(47, 12)))[l1] >> 63;
	}
	return id < bytes / 8;
}

static void do_command(const u64 *w)
{
	u32 id = (u32)(w[0] >> 32), e = (u32)w[1];

	switch (w[0] & 0xff) {
	case 0x08:
		assert_true(device_fits(id));
		model.mapped = w[2] >> 63;
		model.id = id;
		model.bits = (w[1] & 31) + 1;
		model.itt = w[2] & MASK(51, 8);
		break;
	case 0x09:
		assert_true(model.baser[1] >> 63);
		model.collection_mapped = w[2] >> 63;
		model.collection = w[2] & 0xffff;
		model.target = w[2] & MASK(51, 16);
		break;
	case 0x0a:
		assert_true(model.mapped && id == model.id && e < 1u << model.bits);
		model.lpi[e] = (u32)(w[1] >> 32);
		assert_int_equal(w[2] & 0xffff, model.collection);
		break;
	case 0x03:
		assert_true(model.mapped && id == model.id);
		if (!model.deaf && ((u8 *)(model.prop & MASK(51, 12)))[model.lpi[e] - 8192] & 1)
			model.pending = model.lpi[e];
		break;
	case 0x05:
		model.syncs++;
		break;
	case 0x0d:
		model.invalls++;
		break;
	case 0x01:
		model.movis++;
		break;
	case 0x0f:
		model.discards++;
		model.lpi[e] = 0;
		break;
	default:
		fail_msg("command 0x%lx", w[0]);
	}
}

static void run(void)
{
	u64 *queue = (u64 *)(model.cbaser & MASK(51, 12));

	assert_int_equal(model.cbaser & 0xffff & MASK(15, 12), 0);
	assert_int_equal(model.ctlr & 1, 1);
	if (model.stalls)
		model.creadr |= 1;
	while (!model.stuck && !model.stalls && model.creadr != model.cwriter) {
		do_command(queue + model.creadr / 8);
		model.creadr = (model.creadr + 32) % ((FIELD(model.cbaser, 7, 0) + 1) * 4096);
	}
}

static u64 its_mmio(u64 at, unsigned size, bool write, u64 v)
{
	u32 reg = (u32)(at - AT);
	u64 *word = NULL;

	(void)size;
	if (reg >= 0x100 && reg < 0x140)
		word = &model.baser[(reg - 0x100) / 8];
	switch (reg) {
	case 0x00:
		if (write)
			model.ctlr = (u32)v & 1;
		return model.ctlr | (model.ctlr ? 0 : BIT(31));
	case 0x08:
		return model.typer;
	case 0x80:
		word = &model.cbaser;
		break;
	case 0x88:
		if (write) {
			model.cwriter = v;
			if (model.ctlr)
				run();
		}
		return model.cwriter;
	case 0x90:
		return model.creadr;
	}
	assert_non_null(word);
	if (!write)
		return *word;
	if (reg >= 0x100) {
		/* Type and entry size are the hardware's; a page is at most of 16 KiB here. */
		u64 fixed = (reg == 0x100 ? 1UL : reg == 0x108 ? 4UL : 0) << 56 | 7UL << 48;

		v = (v & ~(MASK(58, 56) | MASK(52, 48))) | fixed;
		if (FIELD(v, 9, 8) == 2)
			v = (v & ~MASK(9, 8)) | 1 << 8;
		if (reg > 0x108)
			v = 0;
	} else {
		model.creadr = 0;
	}
	if (model.not_shared)
		v &= ~MASK(11, 10);
	return *word = v;
}

static u64 gicr_mmio(u64 at, unsigned size, bool write, u64 v)
{
	(void)size;
	switch (at - GICR_AT) {
	case 0x00:
		if (write && !(model.sticky && (model.rd_ctlr & 1)))
			model.rd_ctlr = (u32)v & 1;
		return model.rd_ctlr;
	case 0x08:
		return 5UL << 8 | 1;
	case 0x70:
	case 0x78: {
		u64 *word = at - GICR_AT == 0x70 ? &model.prop : &model.pend;

		if (write) {
			assert_int_equal(model.rd_ctlr & 1, 0);
			*word = model.not_shared ? v & ~MASK(11, 10) : v;
		}
		return *word;
	}
	}
	fail();
	return 0;
}

static u64 gicd_mmio(u64 at, unsigned size, bool write, u64 v)
{
	(void)size;
	(void)v;
	assert_false(write);
	assert_int_equal(at - m.gicd.base, 4);
	return 15UL << 19 | BIT(17);
}

static u64 iar(u64 stored)
{
	u32 v = model.pending ? model.pending : 1023;

	(void)stored;
	model.pending = 0;
	return v;
}

static int setup(void **state)
{
	size_t size;
	void *tree = dts_tree(dts_machine, &size);
	const char *error;

	(void)state;
	feat.pa_bits = 48;
	error = fdt_read_machine(&m, tree, size);
	if (error)
		fail_msg("machine: %s", error);
	node = fdt_path_offset(tree, "/intc@8000000/its@8080000");
	fake_reset();
	fake_set("CNTFRQ_EL0", 10000);
	fake_on_read("ICC_IAR1_EL1", iar);
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	fake_mmio_reset();
	fake_mmio_add(AT, 0x20000, its_mmio);
	fake_mmio_add(GICR_AT, 0x10000, gicr_mmio);
	fake_mmio_add(m.gicd.base, 0x10000, gicd_mmio);
	memset(&model, 0, sizeof(model));
	memset(&self, 0, sizeof(self));
	self.gicr = (void *)GICR_AT;
	model.typer = 15UL << 13 | 15UL << 8 | 11UL << 4 | 1;
	model.baser[0] = 1UL << 56 | 7UL << 48;
	model.baser[1] = 4UL << 56 | 7UL << 48;
	fake_lines_cleaned = 0;
	text[0] = '\0';
	return 0;
}

static bool said(const char *what)
{
	return strstr(text, what);
}

static struct its_device *device(void)
{
	static struct its_device d;

	d = (struct its_device){ .its = its_at(node), .id = 0x108, .events = 64 };
	return &d;
}

/* ---- the tests ---- */

static void comes_up(void **state)
{
	struct its_device *d;

	(void)state;
	its_init(&m);
	assert_true(said("16 bits of devices, 16 of events, 8192 LPIs"));
	assert_non_null(its_at(node));
	assert_int_equal(its_base(), AT);
	assert_int_equal(its_doorbell(its_at(node)), AT + 0x10000);
	assert_int_equal(model.rd_ctlr & 1, 1);
	assert_int_equal(model.prop & 31, 13);
	assert_int_equal(model.pend & 0xffff & ~MASK(11, 7), 0);
	/* The number of the redistributor, as GICR_TYPER says. */
	assert_int_equal(model.target, 5 << 16);
	/* What it was tried with is unmapped. */
	assert_false(model.mapped);
	assert_null(its_lpi(8192));
	/* Inner shareable, write-back, as nidus's own map is. */
	assert_int_equal(FIELD(model.cbaser, 11, 10), 1);
	assert_int_equal(FIELD(model.cbaser, 61, 59), 7);
	assert_int_equal(fake_lines_cleaned, 0);
	d = device();
	assert_null(its_device_init(d));
	assert_int_equal(model.bits, 6);
	assert_int_equal(model.itt & 0xff, 0);
	for (u32 i = 0; i < 64; i++) {
		assert_int_equal(model.lpi[i], d->lpi + i);
		assert_ptr_equal(its_lpi(d->lpi + i), d);
		assert_int_equal(((u8 *)(model.prop & MASK(51, 12)))[d->lpi + i - 8192] & 3, 3);
	}
	assert_null(its_lpi(d->lpi + 64));
	assert_null(its_lpi(8191));
	assert_null(its_lpi(~0u));
	its_route(d, 5, &self);
	its_route(d, 64, &self);
	assert_int_equal(model.movis, 1);
	its_device_done(d);
	assert_int_equal(model.discards, 64 + 2);
	assert_false(model.mapped);
	assert_null(its_lpi(8192));
}

static void not_coherent(void **state)
{
	struct its_device *d;

	(void)state;
	model.not_shared = true;
	its_init(&m);
	assert_non_null(its_at(node));
	assert_int_equal(FIELD(model.cbaser, 61, 59), 1);
	assert_int_equal(FIELD(model.baser[0], 61, 59), 1);
	assert_int_equal(FIELD(model.prop, 9, 7), 1);
	/* Tables of 512 KiB, a pending table, properties; then the device's, and each command. */
	assert_true(fake_lines_cleaned >= (KIB(512) + KIB(64) + KIB(8)) / 64);
	fake_lines_cleaned = 0;
	d = device();
	assert_null(its_device_init(d));
	assert_true(fake_lines_cleaned >= 64 * 32 / 64);
}

static void two_levels(void **state)
{
	struct its_device *d;

	(void)state;
	model.typer = 23UL << 13 | 15UL << 8 | 11UL << 4 | 1;
	its_init(&m);
	assert_non_null(its_at(node));
	assert_int_equal(model.baser[0] >> 62 & 1, 1);
	d = device();
	d->id = 0x123456;
	assert_null(its_device_init(d));
	assert_int_equal(model.id, 0x123456);
	d = device();
	d->id = 1 << 24;
	assert_string_equal(its_device_init(d),
			    "one whose messages the ITS's table has no room for");
}

static void left_on(void **state)
{
	(void)state;
	model.rd_ctlr = 1;
	model.ctlr = 1;
	its_init(&m);
	assert_non_null(its_at(node));
	/* If that can't be undone, there are no messages, and a line. */
	setup(NULL);
	model.rd_ctlr = 1;
	model.sticky = true;
	its_init(&m);
	assert_null(its_at(node));
	assert_true(said("firmware has enabled LPIs with tables of its own"));
	assert_int_equal(its_base(), 0);
}

static void broken(void **state)
{
	(void)state;
	model.stuck = true;
	its_init(&m);
	assert_null(its_at(node));
	assert_true(said("it does not take commands"));
	setup(NULL);
	model.stalls = true;
	its_init(&m);
	assert_null(its_at(node));
	assert_true(said("it has stalled at a command"));
	setup(NULL);
	model.deaf = true;
	its_init(&m);
	assert_null(its_at(node));
	assert_true(said("an LPI that it was told to send did not arrive"));
	setup(NULL);
	model.typer &= ~1UL;
	its_init(&m);
	assert_null(its_at(node));
	assert_true(said("it has no physical LPIs"));
}

/* Stuck later: no command is waited for twice. */
static void stuck_later(void **state)
{
	struct its_device *d;
	u64 began;

	(void)state;
	its_init(&m);
	model.stuck = true;
	d = device();
	assert_string_equal(its_device_init(d), "messages that its ITS does not take");
	began = now;
	its_device_done(d);
	its_route(d, 0, &self);
	assert_true(now - began < 100);
}

static u8 *properties(const struct its_device *d)
{
	return (u8 *)(model.prop & MASK(51, 12)) + d->lpi - 8192;
}

/* Held back: its LPIs are disabled until the timer; then enabled again, whoever has seen them off. */
static void held_back(void **state)
{
	struct its_device *d;
	u32 invalls;

	(void)state;
	its_init(&m);
	d = device();
	assert_null(its_device_init(d));
	invalls = model.invalls;
	its_hold(d, 5000);
	assert_true(said("device 0x108 sends more messages"));
	assert_int_equal(model.invalls, invalls + 1);
	assert_int_equal(properties(d)[0] & 1, 0);
	assert_int_equal(properties(d)[63] & 1, 0);
	assert_int_equal(properties(d)[64] & 1, 0);
	assert_ptr_equal(armed, &d->again);
	assert_int_equal(armed_for, 5000);
	/* Again meanwhile, and later: one timer, one line. */
	text[0] = '\0';
	its_hold(d, 6000);
	assert_int_equal(armed_for, 5000);
	armed = NULL;
	d->again.fn(&d->again);
	assert_null(armed);
	assert_int_equal(model.invalls, invalls + 2);
	assert_int_equal(properties(d)[0] & 1, 1);
	assert_int_equal(properties(d)[63] & 1, 1);
	its_hold(d, 7000);
	assert_int_equal(properties(d)[0] & 1, 0);
	assert_string_equal(text, "");
	its_device_done(d);
	assert_null(armed);
}

/* Without room for the command nothing is held, and what is held stays so until there is some. */
static void held_back_full(void **state)
{
	struct its_device *d;

	(void)state;
	its_init(&m);
	d = device();
	assert_null(its_device_init(d));
	its_hold(d, 5000);
	armed = NULL;
	model.creadr = (model.cwriter + 32) % 0x10000;
	model.stuck = true;
	d->again.fn(&d->again);
	assert_ptr_equal(armed, &d->again);
	model.stuck = false;
	model.creadr = model.cwriter;
	armed = NULL;
	d->again.fn(&d->again);
	assert_null(armed);
	assert_int_equal(properties(d)[5] & 1, 1);
	model.creadr = (model.cwriter + 32) % 0x10000;
	model.stuck = true;
	its_hold(d, 5000);
	assert_null(armed);
	assert_int_equal(properties(d)[5] & 1, 1);
}

static void too_many(void **state)
{
	struct its_device a, b;

	(void)state;
	its_init(&m);
	a = *device();
	a.events = 4096;
	memset(model.lpi, 0, sizeof(model.lpi));
	/* The model has no room for so many events: only the numbers count here. */
	model.stuck = true;
	(void)its_device_init(&a);
	b = a;
	b.events = 8192;
	assert_string_equal(its_device_init(&b), "more messages than there are LPIs");
}

static void none(void **state)
{
	(void)state;
	fdt_del_node((void *)m.fdt, node);
	its_init(&m);
	assert_string_equal(text, "");
	assert_int_equal(its_base(), 0);
	assert_int_equal(model.rd_ctlr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(comes_up, setup),
		cmocka_unit_test_setup(not_coherent, setup),
		cmocka_unit_test_setup(two_levels, setup),
		cmocka_unit_test_setup(left_on, setup),
		cmocka_unit_test_setup(broken, setup),
		cmocka_unit_test_setup(stuck_later, setup),
		cmocka_unit_test_setup(held_back, setup),
		cmocka_unit_test_setup(held_back_full, setup),
		cmocka_unit_test_setup(too_many, setup),
		cmocka_unit_test_setup(none, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
