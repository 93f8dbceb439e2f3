/* SPDX-License-Identifier: Apache-2.0 */
/* The SMMU driver against a model of an SMMU: what each stream meets, at each moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/feat.h"
#include "arch/sysreg.h"
#include "arch/counter.h"
#include "boot/fdt.h"
#include "dev/gicv3.h"
#include "dev/smmu.h"
#include "dts.h"
#include "lib/log.h"
#include "mm/page.h"
#include "mm/stage1.h"
#include "smmu_model.h"

#define ARENA MIB(64)
#define SMMU_NODE                                                                                  \
	"smmu: smmuv3@9050000 { compatible = \"arm,smmu-v3\"; dma-coherent; #iommu-cells = <1>;\n" \
	"	reg = <0 0x9050000 0 0x20000>; interrupts = <0 74 1>, <0 75 1>, <0 76 1>,\n"       \
	"	<0 77 1>; interrupt-names = \"eventq\", \"priq\", \"cmdq-sync\", \"gerror\"; };\n"
#define NOTHING 0UL /* of model_dma() */
#define EVERYTHING ~0UL

static u64 arena, now, step;
static struct machine m;
static int node;
static char line[256];
static unsigned lines, pended;
static struct stage2 s2;
static struct smmu_stream stream;

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	lines++;
}

int stage1_map_device(u64 at, u64 size)
{
	assert_int_equal(at, MODEL_BASE);
	assert_int_equal(size, 0x20000);
	return 0;
}

struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

void gicv3_set_pending(u32 intid, bool pending)
{
	assert_int_equal(intid, 106);
	assert_true(pending);
	pended++;
}

/* Time goes by with each look at the clock. */
u64 counter_now(void)
{
	return now += step;
}

static struct timer *armed;
static u64 armed_at;

void timer_set(struct timer *t, u64 deadline)
{
	armed = t;
	armed_at = deadline;
}

void timer_cancel(struct timer *t)
{
	if (armed == t)
		armed = NULL;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	t->fn = fn;
}

/* ---- what a VM's SMMU would do ---- */

static unsigned taken;
static u64 last[4];

static bool take(struct smmu_stream *t, const u64 word[4])
{
	assert_ptr_equal(t->owner, &taken);
	memcpy(last, word, sizeof(last));
	taken++;
	return !(word[1] >> 39 & 1);
}

static void read_tree(void)
{
	char *source = dts_edit(dts_machine, "	aliases {", SMMU_NODE "	aliases {");
	size_t size;
	void *tree = dts_tree(source, &size);
	const char *error = fdt_read_machine(&m, tree, size);

	free(source);
	if (error)
		fail_msg("machine: %s", error);
	node = fdt_path_offset(tree, "/smmuv3@9050000");
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("CNTFRQ_EL0", 10000);
	feat.pa_bits = 48;
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	fake_mmio_reset();
	fake_mmio_add(MODEL_BASE, 0x20000, model_mmio);
	model_reset();
	read_tree();
	now = lines = pended = 0;
	step = 10;
	armed = NULL;
	taken = 0;
	line[0] = '\0';
	s2 = (struct stage2){ .vmid = 0x1234, .vtcr = 0x80093598, .vttbr = 0x1234UL << 48 | 0x7654000 };
	s2.pt.ia_bits = 40;
	return 0;
}

static void up(void)
{
	smmu_block(&m);
	smmu_init();
	stream = (struct smmu_stream){ .smmu = smmu_at(node), .sid = 8, .device = "dev" };
	assert_non_null(stream.smmu);
	assert_null(smmu_stream_init(&stream));
}

/* From the first moment on nothing passes; nor when it is on. */
static void all_abort(void **state)
{
	(void)state;
	assert_true(model_dma(8, 0x1000, true) == EVERYTHING);
	smmu_block(&m);
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	assert_null(smmu_at(node));
	smmu_init();
	assert_non_null(smmu_at(node));
	assert_int_equal(model.reg[0x20 / 4] & 1, 1);
	for (u32 sid = 0; sid < 0x10000; sid++) {
		assert_true(model_dma(sid, 0x1000, true) == NOTHING);
		memset(model.ste, 0, sizeof(model.ste));
	}
	/* In silence: nobody has to handle that. */
	assert_int_equal(model.eventq_prod, 0);
	/* Broadcast TLBIs are never relied on. */
	assert_int_equal(model.reg[0x2c / 4] >> 2 & 1, 1);
}

/* One that firmware has left on, with everything passing. */
static void left_on(void **state)
{
	(void)state;
	model.reg[0x20 / 4] = 0xd;
	model.reg[0x50 / 4] = 5; /* interrupts to where firmware wanted them */
	model.reg[0x60 / 4] = 1; /* and an error that nobody has acknowledged */
	smmu_block(&m);
	assert_int_equal(model.reg[0x20 / 4], 0);
	assert_int_equal(model.reg[0x50 / 4], 0);
	assert_int_equal(model.reg[0x64 / 4], 1);
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	model.deaf = true;
	model.reg[0x20 / 4] = 0;
	smmu_block(&m);
	assert_int_equal(lines, 0); /* there is nothing to acknowledge */
	smmu_init();
	assert_null(smmu_at(node));
	assert_non_null(strstr(line, "it can't be turned on; no VM gets a device behind it"));
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
}

static void useless(void **state)
{
	static const struct {
		u32 idr0_clear, idr0_set, idr1, idr5;
		const char *why;
	} cases[] = {
		{ 1, 0, 0x02730010, 0x74, "it has no stage 2" },
		{ 8, 0, 0x02730010, 0x74, "it can't read tables of 4 KiB pages" },
		{ 0, 0, 0x02730010, 0x64, "it can't read tables of 4 KiB pages" },
		{ 0x10, 0, 0x02730010, 0x74, "it does not see the CPUs' caches" },
		{ 0, 0x600000, 0x02730010, 0x74, "it is big-endian" },
		{ 0, 0, 0x42730010, 0x74, "its tables are where the machine wants them" },
		{ 0, 0, 0x00f30010, 0x74, "its queues are too small" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		model.idr0 = (model.idr0 & ~cases[i].idr0_clear) | cases[i].idr0_set;
		model.idr1 = cases[i].idr1;
		model.idr5 = cases[i].idr5;
		smmu_block(&m);
		smmu_init();
		assert_null(smmu_at(node));
		if (!strstr(line, cases[i].why))
			fail_msg("expected \"%s\", found \"%s\"", cases[i].why, line);
		assert_true(model_dma(8, 0x1000, true) == NOTHING);
	}
}

/* The fields of an entry, by their places in the architecture's table of 512 bits. */
static void entry(void **state)
{
	u64 ste[8];
	const u64 vtcr = 1UL << 31 | 1UL << 19 | 5UL << 16 | 0UL << 14 | 3UL << 12 | 1UL << 10 |
			 1UL << 8 | 2UL << 6 | 20;

	(void)state;
	smmu_ste_stage2(ste, vtcr, 0xabcdUL << 48 | 0x123456780000, true);
	assert_int_equal(ste[0] & 1, 1);          /* V */
	assert_int_equal(ste[0] >> 1 & 7, 6);     /* Config: stage 2 */
	assert_int_equal(ste[0] >> 4, 0);         /* no stage 1 */
	assert_int_equal(ste[1] >> 28 & 3, 0);    /* EATS: no ATS */
	assert_int_equal(ste[1] >> 30 & 3, 0);    /* STRW */
	assert_int_equal(ste[1] >> 44 & 3, 1);    /* SHCFG: incoming */
	assert_int_equal(ste[2] & 0xffff, 0xabcd); /* S2VMID */
	assert_int_equal(ste[2] >> 32 & 0x3f, 20); /* S2T0SZ */
	assert_int_equal(ste[2] >> 38 & 3, 2);    /* S2SL0 */
	assert_int_equal(ste[2] >> 40 & 3, 1);    /* S2IR0 */
	assert_int_equal(ste[2] >> 42 & 3, 1);    /* S2OR0 */
	assert_int_equal(ste[2] >> 44 & 3, 3);    /* S2SH0 */
	assert_int_equal(ste[2] >> 46 & 3, 0);    /* S2TG: 4 KiB */
	assert_int_equal(ste[2] >> 48 & 7, 5);    /* S2PS */
	assert_int_equal(ste[2] >> 51 & 1, 1);    /* S2AA64 */
	assert_int_equal(ste[2] >> 52 & 1, 0);    /* S2ENDI: little */
	assert_int_equal(ste[2] >> 55 & 3, 0);    /* S2HD, S2HA */
	assert_int_equal(ste[2] >> 57 & 1, 0);    /* S2S: no stall */
	assert_int_equal(ste[2] >> 58 & 1, 1);    /* S2R */
	assert_int_equal(ste[2] >> 59, 0);
	assert_true(ste[3] == 0x123456780000);    /* S2TTB */
	assert_int_equal(ste[4] | ste[5] | ste[6] | ste[7], 0);
	/* VTCR_EL2.VS is S2AA64's place: without it the bit stands all the same. */
	smmu_ste_stage2(ste, vtcr & ~(1UL << 19), 0, false);
	assert_int_equal(ste[2] >> 51 & 1, 1);
	assert_int_equal(ste[2] >> 58 & 1, 0);
	smmu_ste_stage2(ste, 20, 0x2001, true); /* CnP is no part of the address */
	assert_int_equal(ste[3], 0x2000);
}

static void one_stream(u32 idr0)
{
	setup(NULL);
	model.idr0 = idr0;
	up();
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_true(model_dma(8, 0x1000, true) == 0x7654000);
	assert_true(model_knows(0x1234, 0x1000));
	/* Its neighbours, of the same table and of others, abort as before. */
	assert_true(model_dma(9, 0x1000, true) == NOTHING);
	assert_true(model_dma(0x108, 0x1000, true) == NOTHING);
	assert_true(smmu_detach(&stream));
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	assert_false(model_knows(0x1234, 0x1000));
	assert_true(smmu_detach(&stream));
	/* And once more: what it knew is not in force. */
	s2.vttbr = 0x1234UL << 48 | 0x9999000;
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_true(model_dma(8, 0x1000, true) == 0x9999000);
}

static void streams(void **state)
{
	(void)state;
	one_stream(0x0d44101b);
	one_stream(0x0544101b); /* linear tables only */
}

/* A page that stage 2 loses is lost for devices too when the unmap returns. */
static void unmaps(void **state)
{
	(void)state;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_non_null(s2.devices);
	for (u64 page = 0x1000; page < 0x5000; page += 0x1000)
		model_dma(8, page, true);
	s2.devices(&s2, 0x2000, 0x2000);
	assert_true(model_knows(0x1234, 0x1000));
	assert_false(model_knows(0x1234, 0x2000));
	assert_false(model_knows(0x1234, 0x3000));
	assert_true(model_knows(0x1234, 0x4000));
	/* A large range: everything of the VM. */
	model.tlbis = 0;
	s2.devices(&s2, 0, GIB(1));
	assert_int_equal(model.tlbis, 1);
	assert_false(model_knows(0x1234, 0x1000));
	/* Another VM's tables are none of this. */
	model_dma(8, 0x1000, true);
	s2.vmid = 7;
	s2.devices(&s2, 0x1000, 0x1000);
	assert_true(model_knows(0x1234, 0x1000));
}

static void refusals(void **state)
{
	struct smmu_stream twin = { .sid = 8, .device = "twin" }, far = { .sid = 0x10000 };

	(void)state;
	model.idr0 &= ~(1u << 18); /* VMIDs of 8 bits */
	up();
	twin.smmu = far.smmu = stream.smmu;
	assert_non_null(smmu_stream_init(&twin));
	assert_non_null(smmu_stream_init(&far));
	assert_non_null(smmu_stage2_check(stream.smmu, &s2));
	s2.vmid = 255;
	assert_null(smmu_stage2_check(stream.smmu, &s2));
	s2.pt.ia_bits = 48;
	assert_non_null(smmu_stage2_check(stream.smmu, &s2));
	/* A stream that is nobody's any more can be another's. */
	smmu_stream_done(&stream);
	assert_null(smmu_stream_init(&twin));
}

static void take_interrupts(void)
{
	for (unsigned i = 0, before = ~0u; i < 100 && before != pended; i++) {
		before = pended;
		smmu_interrupt(106);
	}
}

/* A line for the first fault, a count, an end to recording; DMA goes on. */
static void storms(void **state)
{
	(void)state;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	lines = 0;
	model_dma(8, 0x5000, false);
	smmu_interrupt(106);
	assert_int_equal(lines, 1);
	assert_string_equal(line, "vm vm: dev: its write of 0x5000 is blocked: nothing is there "
				  "(event 0x10)");
	assert_int_equal(stream.faults, 1);
	for (u32 i = 0; i < 100; i++)
		model_dma(8, 0x5000, false);
	smmu_interrupt(106);
	/* So many at a time; the rest is not forgotten. */
	assert_int_equal(stream.faults, 65);
	assert_int_equal(pended, 1);
	smmu_interrupt(106);
	assert_int_equal(stream.faults, 101);
	assert_int_equal(lines, 1);
	for (u32 round = 0; round < 100; round++) {
		for (u32 i = 0; i < 1000; i++)
			model_dma(8, 0x5000, false);
		take_interrupts();
	}
	assert_int_equal(lines, 2);
	assert_true(stream.faults >= 256 && stream.faults < 1024);
	assert_true(stream.quiet);
	assert_true(model_dma(8, 0x1000, true) == 0x7654000);
	/* With the VM's next start everything is as at first. */
	assert_true(smmu_detach(&stream));
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_int_equal(stream.faults, 0);
	model_dma(8, 0x5000, false);
	take_interrupts();
	assert_int_equal(stream.faults, 1);
	assert_int_equal(lines, 3);
}

/* Faults that S2R is not about: the stream's accesses all abort in the end. */
static void storms_beyond(void **state)
{
	(void)state;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	lines = 0;
	for (u32 round = 0; round < 100; round++) {
		for (u32 i = 0; i < 1000; i++)
			model_dma(8, 1UL << 60, false);
		take_interrupts();
	}
	assert_int_equal(lines, 3);
	assert_true(stream.faults >= 512 && stream.faults < 1024);
	assert_true(model_dma(8, 0x1000, true) == 0);
	assert_true(smmu_detach(&stream));
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_true(model_dma(8, 0x1000, true) == 0x7654000);
}

/* Events of a stream that is beyond the table: a line, once. */
static void strays(void **state)
{
	(void)state;
	up();
	lines = 0;
	for (u32 i = 0; i < 1000; i++) {
		model_dma(0x10000 + i, 0x5000, true);
		take_interrupts();
	}
	assert_int_equal(lines, 1);
	assert_non_null(strstr(line, "stream 0x10000, which no VM has: event 0x2"));
}

/* An SMMU that stops: one line, an end to waiting, and nobody believes that DMA is over. */
static void stops(void **state)
{
	u64 before;

	(void)state;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	model_dma(8, 0x1000, true);
	model.halted = true;
	lines = 0;
	assert_false(smmu_detach(&stream));
	assert_int_equal(lines, 1);
	assert_non_null(strstr(line, "it does not complete commands"));
	before = now;
	assert_false(smmu_detach(&stream));
	s2.devices(&s2, 0x1000, 0x1000);
	/* A VM that resets asks for it again. */
	assert_false(smmu_attach(&stream, &s2, "vm"));
	assert_int_equal(lines, 1);
	assert_int_equal(now, before);
	/* A command that is none is the end as well. */
	setup(NULL);
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	model.reg[0x60 / 4] ^= 1;
	assert_false(smmu_detach(&stream));
	assert_non_null(strstr(line, "it stopped at a command"));
}

/* The queue is longer than what one operation queues; more than it holds goes through as well. */
static void many_commands(void **state)
{
	(void)state;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	for (u32 i = 0; i < 100; i++)
		s2.devices(&s2, 0x1000, 32 * PAGE_SIZE);
	assert_true(smmu_detach(&stream));
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_int_equal(model.tlbis > 3200, 1);
}

/* What can't be shared. */
static void stage1_check(void **state)
{
	static const struct {
		u32 idr0_clear, idr0_set, iidr;
		bool fit;
	} cases[] = {
		{ 0, 0, 0, true },
		{ 2, 0, 0, false },                   /* no stage 1 */
		{ 0x03000000, 0, 0, true },           /* a CD says whether faults stall */
		{ 0x03000000, 0x02000000, 0, false }, /* all stall */
		{ 0, 0, 0x4830143b, false },          /* MMU-600 r0, r1, r2 */
		{ 0, 0, 0x4831043b, false },
		{ 0, 0, 0x4832043b, true },
		{ 0, 0, 0x4871043b, false }, /* MMU-700 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		model.idr0 = (model.idr0 & ~cases[i].idr0_clear) | cases[i].idr0_set;
		model.reg[0x18 / 4] = cases[i].iidr;
		up();
		if (!smmu_stage1_check(stream.smmu) != cases[i].fit)
			fail_msg("case %zu", i);
	}
}

static const u64 *known(void)
{
	(void)model_dma(8, 0x1000, true);
	return model_ste(8);
}

/* What stands before stage 2, which stays as it is. */
static void before(void **state)
{
	(void)state;
	up();
	assert_false(smmu_set_before(&stream, SMMU_STAGE1, 0x40008000, 0));
	assert_true(smmu_attach(&stream, &s2, "vm"));
	smmu_take_events_of(&stream, take, &taken);
	assert_true(smmu_set_before(&stream, SMMU_STAGE1, ~0UL, ~0UL));
	assert_true(known()[0] == (0xf | 0xfffffffffffc0)); /* both stages, one context */
	assert_true(known()[1] == (1UL << 44 | 1UL << 19 | 0xfc));
	assert_int_equal(known()[2] & 0xffff, 0x1234);
	assert_true(known()[3] == 0x7654000);
	assert_true(smmu_set_before(&stream, SMMU_STAGE1, 0x40008000, 0x54));
	assert_int_equal(known()[0], 0xf | 0x40008000);
	assert_true(known()[1] == (1UL << 44 | 0x54)); /* and no merged events unless asked for */
	assert_true(smmu_set_before(&stream, SMMU_ABORTS, 0, 0));
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	assert_int_equal(model.eventq_prod, 0);
	assert_true(smmu_set_before(&stream, SMMU_NOTHING, 0, 0));
	assert_true(model_dma(8, 0x1000, true) == 0x7654000);
	assert_int_equal(known()[0], 0xd);
	assert_true(smmu_set_before(&stream, SMMU_REFUSES, 0, 0));
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	assert_int_equal(model.eventq_prod, 1);
	/* Its neighbour is as before; and the next life begins without. */
	assert_true(model_dma(9, 0x1000, true) == NOTHING);
	assert_true(smmu_set_before(&stream, SMMU_STAGE1, 0x40008000, 0));
	assert_true(smmu_detach(&stream));
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	assert_null(stream.events);
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_int_equal(known()[0], 0xd);
	/* Where faults could stall, they do not. */
	setup(NULL);
	model.idr0 &= ~0x03000000u;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	assert_true(smmu_set_before(&stream, SMMU_STAGE1, 0x40008000, 0));
	assert_int_equal(known()[1] >> 27 & 1, 1);
}

static void stage1_commands(void **state)
{
	(void)state;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	smmu_take_events_of(&stream, take, &taken);
	assert_true(smmu_set_before(&stream, SMMU_STAGE1, 0x40008000, 0));
	model_dma(8, 0x1000, true);
	smmu_stage1_tlbi(&stream, 0x12, 0x55, 0x1fff);
	assert_true(model.last_tlbi[0] == (0x12 | 0x1234UL << 32 | 0x55UL << 48));
	assert_true(model.last_tlbi[1] == 0x1001);
	assert_false(model_knows(0x1234, 0x1000));
	smmu_stage1_changed(&stream);
	assert_true(smmu_stage1_sync(&stream));
	/* What stage 2 loses may be known by any address. */
	model_dma(8, 0x7000, true);
	s2.devices(&s2, 0x1000, 0x1000);
	assert_false(model_knows(0x1234, 0x7000));
	assert_true(smmu_detach(&stream));
	model.tlbis = 0;
	smmu_stage1_tlbi(&stream, 0x10, 0, 0);
	assert_int_equal(model.tlbis, 0);
}

/* The VM's events go to the VM; of too many the rest waits, and so does the stream. */
static void stage1_events(void **state)
{
	(void)state;
	up();
	assert_true(smmu_attach(&stream, &s2, "vm"));
	smmu_take_events_of(&stream, take, &taken);
	assert_true(smmu_set_before(&stream, SMMU_STAGE1, 0x40008000, 0));
	lines = 0;
	step = 0;
	model_dma(8, 0x5000, false);
	take_interrupts();
	assert_int_equal(taken, 1);
	assert_true(last[2] == 0x5000);
	assert_int_equal(stream.faults, 0);
	model_event(0x10 | 8UL << 32, 2UL << 40 | 1UL << 39, 0x6000);
	take_interrupts();
	assert_int_equal(stream.faults, 1);
	assert_int_equal(lines, 1);
	for (u32 round = 0; round < 10; round++) {
		for (u32 i = 0; i < 100; i++)
			model_dma(8, 0x5000, false);
		take_interrupts();
	}
	assert_true(taken >= 256 && taken < 400);
	assert_true(stream.paused);
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	/* Its VM does not get around that. */
	assert_true(smmu_set_before(&stream, SMMU_NOTHING, 0, 0));
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
	assert_ptr_equal(armed, &stream.resume);
	assert_true(armed_at - now <= 1000);
	armed->fn(armed);
	assert_true(model_dma(8, 0x1000, true) == 0x7654000);
	assert_int_equal(lines, 1);
	/* An end of the VM meanwhile. */
	stream.paused = true;
	timer_set(&stream.resume, 5);
	assert_true(smmu_detach(&stream));
	assert_null(armed);
	stream.resume.fn(&stream.resume);
	assert_true(model_dma(8, 0x1000, true) == NOTHING);
}

static void interrupts(void **state)
{
	u32 intid[SMMU_IRQS];
	bool edge[SMMU_IRQS];

	(void)state;
	up();
	assert_int_equal(smmu_irqs(intid, edge), 2);
	assert_int_equal(intid[0], 106);
	assert_int_equal(intid[1], 109);
	assert_true(edge[0] && edge[1]);
	assert_int_equal(model.reg[0x50 / 4], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_abort, setup),
		cmocka_unit_test_setup(left_on, setup),
		cmocka_unit_test_setup(useless, setup),
		cmocka_unit_test_setup(entry, setup),
		cmocka_unit_test_setup(streams, setup),
		cmocka_unit_test_setup(unmaps, setup),
		cmocka_unit_test_setup(refusals, setup),
		cmocka_unit_test_setup(storms, setup),
		cmocka_unit_test_setup(storms_beyond, setup),
		cmocka_unit_test_setup(strays, setup),
		cmocka_unit_test_setup(stops, setup),
		cmocka_unit_test_setup(many_commands, setup),
		cmocka_unit_test_setup(interrupts, setup),
		cmocka_unit_test_setup(stage1_check, setup),
		cmocka_unit_test_setup(before, setup),
		cmocka_unit_test_setup(stage1_commands, setup),
		cmocka_unit_test_setup(stage1_events, setup),
	};

	return cmocka_run_group_tests_name("smmu", tests, NULL, NULL);
}
