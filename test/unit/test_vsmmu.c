/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMMU that a VM sees: what entries, commands and events mean, by their places in IHI 0070's
 * tables; and registers and queues, with a log of what is asked of the machine's SMMU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/sysreg.h"
#include "dev/pci.h"
#include "dev/smmu.h"
#include "did.h"
#include "mm/page.h"
#include "state/vm.h"
#include "state/vpci.h"
#include "vgic/vgic.h"
#include "vm/guest_fdt_pci.h"
#include "vm/vsmmu.h"
#include "vm/vsmmu_parts.h"

#define ARENA MIB(16)
#define RAM 0x40000000UL
#define RAM_SIZE MIB(1)
#define AT 0x9050000UL
/* Where the VM has its structures. */
#define STRTAB (RAM + 0x4000)
#define CMDQ (RAM + 0x10000)
#define EVENTQ (RAM + 0x20000)
#define SID 8UL

static u64 arena;
static struct vm vm;
static struct vpci pci;
static struct vm_config config;
static struct pci_fn fns[3];
static struct vcpu vcpu;
static const char *unfit_why;
static u32 idr0, pulses[2];
static bool deaf;

/* ---- the machine ---- */

const char *smmu_stage1_check(const struct smmu *s)
{
	return s == (struct smmu *)0x2000 ? unfit_why : NULL;
}

u32 smmu_idr0(const struct smmu *s)
{
	return s == (struct smmu *)0x2000 ? idr0 & ~(1u << 12) : idr0;
}

u32 smmu_idr5(const struct smmu *s)
{
	(void)s;
	return 0x54; /* 4 and 64 KiB, 44 bits */
}

u64 smmu_base(const struct smmu *s)
{
	(void)s;
	return 0x2b400000;
}

u32 smmu_intid(const struct smmu *s, u32 i)
{
	(void)s;
	return i ? 0 : 200;
}

static long number(const struct smmu_stream *t)
{
	return container_of(t, struct pci_fn, own_stream) - fns;
}

void smmu_take_events_of(struct smmu_stream *t, smmu_event_fn *events, void *owner)
{
	t->events = events;
	t->owner = owner;
}

bool smmu_set_before(struct smmu_stream *t, enum smmu_before before, u64 context, u64 attr)
{
	t->before = before;
	did("%ld before %d %lx %lx; ", number(t), (int)before, (unsigned long)context,
	    (unsigned long)attr);
	return !deaf;
}

void smmu_stage1_tlbi(struct smmu_stream *t, u64 op, u64 asid, u64 address)
{
	did("%ld tlbi %lx %lx %lx; ", number(t), (unsigned long)op, (unsigned long)asid,
	    (unsigned long)address);
}

void smmu_stage1_changed(struct smmu_stream *t)
{
	did("%ld changed; ", number(t));
}

bool smmu_stage1_sync(struct smmu_stream *t)
{
	did("%ld sync; ", number(t));
	return !deaf;
}

void vgic_set_spi(struct vm *v, u32 intid, bool level)
{
	assert_ptr_equal(v, &vm);
	assert_true(intid == 106 || intid == 109);
	pulses[intid == 109] += level;
}

/* ---- a VM with two functions ---- */

static int setup(void **state)
{
	(void)state;
	feat.pa_bits = 48;
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	memset(&vm, 0, sizeof(vm));
	memset(&pci, 0, sizeof(pci));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(fns, 0, sizeof(fns));
	config = (struct vm_config){ .name = "a", .cpus = 1, .nested = true };
	vm.config = &config;
	vm.pci = &pci;
	vcpu.vm = &vm;
	vm.ram_chunks = 1;
	vm.ram[0] = (struct vm_ram){ RAM, page_alloc(page_order(RAM_SIZE)), RAM_SIZE };
	memset(pa_ptr(pa(vm.ram[0].pa)), 0, RAM_SIZE);
	pci.count = 2;
	pci.dma.pt.ia_bits = 40;
	for (u32 i = 0; i < ARRAY_SIZE(fns); i++) {
		fns[i].own_stream.smmu = (struct smmu *)0x1000;
		fns[i].own_stream.sid = 0x500 + i;
		fns[i].stream = &fns[i].own_stream;
		snprintf(fns[i].name, sizeof(fns[i].name), "0000:05:0%u.0", i);
		pci.fn[i].dev = &fns[i];
	}
	unfit_why = NULL;
	idr0 = 0x0d44101b;
	deaf = false;
	done[0] = line[0] = '\0';
	pulses[0] = pulses[1] = 0;
	return 0;
}

static u64 access(bool write, u32 reg, u8 size, u64 data)
{
	struct mmio m = { .offset = reg, .data = data, .size = size, .write = write };
	u32 tries = 0;

	assert_int_equal(vm.mmio.count, 1);
	do {
		m.waits = false;
		assert_true(vm.mmio.region[0].fn(&vcpu, vm.mmio.region[0].dev, &m));
		assert_true(tries++ < 100);
	} while (m.waits);
	return m.data;
}

static void put(u32 reg, u64 v)
{
	access(true, reg, 4, v);
}

static void put64(u32 reg, u64 v)
{
	access(true, reg, 8, v);
}

static u32 get(u32 reg)
{
	return (u32)access(false, reg, 4, 0);
}

static u64 *ram(u64 at)
{
	return pa_ptr(pa(vm.ram[0].pa + (at - RAM)));
}

static void up(void)
{
	assert_null(vsmmu_claim(&vm));
	assert_int_equal(vm.layout.smmu, AT);
	assert_null(vsmmu_build(&vm));
	vsmmu_start(&vm);
}

/* As a driver does it. */
static void on(void)
{
	up();
	put(0x28, 0xd75); /* CR1 */
	put64(0x80, STRTAB | 1UL << 62);
	put(0x88, 8);
	put64(0x90, CMDQ | 8);
	put64(0xa0, EVENTQ | 7);
	put(0x20, 0xd);
	put(0x50, 5);
	done[0] = '\0';
}

static u32 prod;

static void command(u64 w0, u64 w1)
{
	ram(CMDQ)[2 * (prod % 256)] = w0;
	ram(CMDQ)[2 * (prod % 256) + 1] = w1;
	prod = (prod + 1) % 512;
	put(0x98, prod);
}

static void did_exactly(const char *what)
{
	assert_string_equal(done, what);
	done[0] = '\0';
}

/* ---- decoding ---- */

static void entries(void **state)
{
	static const struct {
		u64 w0, w1;
		enum smmu_before before;
	} cases[] = {
		{ 0, 0, SMMU_REFUSES },
		{ 0xa, 0, SMMU_REFUSES }, /* stage 1, not valid */
		{ 0x1, 0, SMMU_ABORTS },
		{ 0x7, 0, SMMU_ABORTS }, /* reserved, as abort */
		{ 0x9, 0, SMMU_NOTHING },
		{ 0xb, 0, SMMU_STAGE1 },
		{ 0xd, 0, SMMU_REFUSES },             /* stage 2 */
		{ 0xf, 0, SMMU_REFUSES },             /* both */
		{ 0xb, 1UL << 27, SMMU_REFUSES },     /* S1STALLD */
		{ 0xb, 2UL << 30, SMMU_REFUSES },     /* STRW */
		{ 0xb | 1UL << 40, 0, SMMU_REFUSES }, /* beyond the address bits */
		{ 0xb | 1UL << 39, 0, SMMU_STAGE1 },
		{ 0xb | 31UL << 59, 3UL << 28, SMMU_STAGE1 }, /* substreams, ATS: not there */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 ste[8] = { cases[i].w0, cases[i].w1, ~0UL, ~0UL, ~0UL, ~0UL, ~0UL, ~0UL };
		struct vsmmu_entry e = vsmmu_decode_entry(ste, 40);

		if (e.before != cases[i].before)
			fail_msg("case %zu: %d", i, (int)e.before);
		assert_int_equal(e.bad, e.before == SMMU_REFUSES ? 4 : 0);
		if (e.before == SMMU_STAGE1)
			assert_int_equal(e.context, cases[i].w0 & 0xfffffffffffc0);
	}
}

/* Of word 1 only how the context descriptor is read, and whether events may be merged. */
static void entry_attributes(void **state)
{
	u64 ste[8] = { 0xb, ~(1UL << 27 | 3UL << 30) };

	(void)state;
	assert_int_equal(vsmmu_decode_entry(ste, 48).attr, 0xfc | 1 << 19);
}

static void commands(void **state)
{
	static const struct {
		u64 w0, w1;
		struct vsmmu_command want;
	} cases[] = {
		{ 0x01, 0, { .op = VSMMU_NOTHING } },
		{ 0x02, 0, { .op = VSMMU_NOTHING } },
		{ 0x03 | 9UL << 32, 1, { .op = VSMMU_STREAMS, .sid = 9, .sid_last = 9 } },
		{ 0x04, 31, { .op = VSMMU_STREAMS, .sid = 0, .sid_last = ~0u } },
		{ 0x04 | 13UL << 32, 1, { .op = VSMMU_STREAMS, .sid = 12, .sid_last = 15 } },
		{ 0x05 | 9UL << 32, 0, { .op = VSMMU_CONTEXT, .sid = 9, .sid_last = 9 } },
		{ 0x06 | 9UL << 32, 0, { .op = VSMMU_CONTEXT, .sid = 9, .sid_last = 9 } },
		{ 0x10 | 0xffffUL << 32, ~0UL, { .op = VSMMU_TLBI, .tlbi = 0x10 } },
		{ 0x11 | 0x1234UL << 48, ~0UL, { .op = VSMMU_TLBI, .tlbi = 0x11, .asid = 0x1234 } },
		{ 0x12 | 0x1234UL << 48 | 0x1fUL << 20 | 0x1fUL << 12,
		  0xabcdef0000000f01,
		  { .op = VSMMU_TLBI,
		    .tlbi = 0x12,
		    .asid = 0x1234,
		    .address = 0xabcdef0000000001 } },
		{ 0x13 | 0x1234UL << 48,
		  0x7000,
		  { .op = VSMMU_TLBI, .tlbi = 0x13, .address = 0x7000 } },
		{ 0x30, ~0UL, { .op = VSMMU_TLBI, .tlbi = 0x10 } },
		{ 0x46, 0, { .op = VSMMU_SYNC } },
		{ 0x46 | 2UL << 12, 0, { .op = VSMMU_SYNC } },
		{ 0x46 | 3UL << 12, 0, { .op = VSMMU_ILLEGAL } },
		{ 0x03 | 1UL << 10, 0, { .op = VSMMU_ILLEGAL } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 word[2] = { cases[i].w0, cases[i].w1 };
		struct vsmmu_command c = vsmmu_decode_command(word, true);
		const struct vsmmu_command *w = &cases[i].want;

		if (c.op != w->op || c.sid != w->sid || c.sid_last != w->sid_last ||
		    c.tlbi != w->tlbi || c.asid != w->asid || c.address != w->address)
			fail_msg("case %zu", i);
	}
	/* All others are none. */
	for (u64 op = 0; op < 256; op++) {
		struct vsmmu_command c = vsmmu_decode_command((u64[]){ op, 0 }, true);
		bool known = (op >= 1 && op <= 6) || (op >= 0x10 && op <= 0x13) || op == 0x30 ||
			     op == 0x46;

		if ((c.op != VSMMU_ILLEGAL) != known)
			fail_msg("command 0x%lx", (unsigned long)op);
	}
	assert_int_equal(vsmmu_decode_command((u64[]){ 0x11 | 0x1234UL << 48, 0 }, false).asid,
			 0x34);
}

static void events(void **state)
{
	const u64 s2 = 1UL << 39, in = 2UL << 40, tt = 1UL << 40, read = 1UL << 35;
	static const u64 w2 = 0x123456789;
	struct {
		u64 w0, w1, w3;
		u32 bad;
		bool mine;
		u64 r0, r1, r2, r3;
	} cases[] = {
		{ 0x10, in | read | 0xffff, 0, 0, true, 0x10, in | read, w2, 0 },
		{ 0x11, in, 0, 0, true, 0x11, in, w2, 0 },
		{ 0x12, in, 0, 0, true, 0x12, in, w2, 0 },
		{ 0x13, in | 1UL << 31, 0, 0, true, 0x13, in, w2, 0 },
		{ 0x10, in | s2, 0x5000, 0, false, 0, 0, 0, 0 },
		{ 0x10, tt | s2, 0x5004, 0, true, 0x0b, tt, w2, 0x5000 },
		{ 0x10, s2, 0x5000, 0, true, 0x09, 0, 0, 0x5000 },
		{ 0x0a, ~0UL, ~0UL, 0, true, 0x0a, 0, 0, 0 },
		{ 0x09, 0, 0x80005000, 0, true, 0x09, 0, 0, 0 }, /* a PA is not told */
		{ 0x0b, tt, 0x80005000, 0, true, 0x0b, tt, w2, 0 },
		{ 0x04, 0, 0, 0, false, 0, 0, 0, 0 },
		{ 0x04, 0, 0, 4, true, 0x04, 0, 0, 0x77 },
		{ 0x04, 0, 0, 2, true, 0x02, 0, 0, 0x77 },
		{ 0x01, 0, 0, 0, false, 0, 0, 0, 0 },
		{ 0x03, 0, 0, 0, false, 0, 0, 0, 0 },
		{ 0x24, 0, 0, 0, false, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 word[4] = { cases[i].w0 | 0x505UL << 32 | 1UL << 11, cases[i].w1, w2,
				cases[i].w3 };
		u64 r[4] = { 0 };
		bool mine = vsmmu_decode_event(r, word, 0x18, cases[i].bad, 0x77);

		if (mine != cases[i].mine)
			fail_msg("case %zu", i);
		if (mine && (r[0] != (cases[i].r0 | 0x18UL << 32) || r[1] != cases[i].r1 ||
			     r[2] != cases[i].r2 || r[3] != cases[i].r3))
			fail_msg("case %zu: %lx %lx %lx %lx", i, (unsigned long)r[0],
				 (unsigned long)r[1], (unsigned long)r[2], (unsigned long)r[3]);
	}
}

/* ---- who has one ---- */

static void who(void **state)
{
	(void)state;
	config.nested = false;
	assert_null(vsmmu_claim(&vm));
	assert_int_equal(vm.layout.smmu, 0);
	assert_null(vsmmu_build(&vm));
	assert_null(pci.smmu);
	vsmmu_start(&vm);
	config.iommu = VM_IOMMU_ON;
	assert_null(vsmmu_claim(&vm));
	assert_int_equal(vm.layout.smmu, AT);
	vm.layout = (struct vm_layout){ 0 };
	config.nested = true;
	config.iommu = VM_IOMMU_OFF;
	assert_null(vsmmu_claim(&vm));
	assert_int_equal(vm.layout.smmu, 0);
	/* Behind an SMMU that can't: a line, or if it was asked for no VM. */
	config.iommu = VM_IOMMU_DEFAULT;
	fns[1].own_stream.smmu = (struct smmu *)0x2000;
	unfit_why = "it has no stage 1";
	assert_null(vsmmu_claim(&vm));
	assert_int_equal(vm.layout.smmu, 0);
	assert_string_equal(line, "vm a: no SMMU of its own: that of 0000:05:01.0 can't be shared: "
				  "it has no stage 1");
	config.iommu = VM_IOMMU_ON;
	assert_non_null(strstr(vsmmu_claim(&vm), "nidus,iommu: expected PCI functions behind"));
	/* Without functions there is nothing to see. */
	vm.pci = NULL;
	assert_null(vsmmu_claim(&vm));
	vsmmu_start(&vm);
}

/* INTIDs that nobody else has; 1:1 VMs have it where the machine does. */
static void where(void **state)
{
	(void)state;
	vm.layout.rtc_intid = 34;
	fns[0].intid = 106;
	assert_null(vsmmu_claim(&vm));
	assert_int_equal(vm.layout.smmu_intid[0], 107);
	assert_int_equal(vm.layout.smmu_intid[1], 109);
	assert_int_equal(vm.layout.intid_max, 109);
	vm.layout = (struct vm_layout){ .rtc_intid = 34 };
	config.direct_map = true;
	assert_null(vsmmu_claim(&vm));
	assert_int_equal(vm.layout.smmu, 0x2b400000);
	assert_int_equal(vm.layout.smmu_intid[0], 200);
	assert_int_equal(vm.layout.smmu_intid[1], 32);
}

/* What is shown is what all SMMUs that walk the tables can. */
static void features(void **state)
{
	struct guest_pci tree = { .count = 2 };

	(void)state;
	up();
	assert_int_equal(get(0),
			 0x0540101a); /* S1P, AArch64, COHACC, ASID16, LE, no stalls, TERM */
	assert_int_equal(get(4), 8 << 21 | 7 << 16 | 8);
	assert_int_equal(get(0x14), 0x52); /* 4 and 64 KiB, 40 bits */
	assert_int_equal(get(0x44), 0x1000);
	vsmmu_describe(&vm, &tree);
	assert_int_equal(tree.smmu, AT);
	assert_int_equal(tree.fn[0].stream, 8);
	assert_int_equal(tree.fn[1].stream, 16);
	vsmmu_destroy(&vm);
	assert_null(pci.smmu);
	/* Two SMMUs; ASIDs of 8 bits at one; and two functions with one stream. */
	setup(NULL);
	pci.count = 3;
	fns[1].own_stream.smmu = (struct smmu *)0x2000;
	fns[2].stream = &fns[0].own_stream;
	up();
	assert_int_equal(get(0), 0x0540001a);
	tree.count = 3;
	vsmmu_describe(&vm, &tree);
	assert_int_equal(tree.fn[2].stream, 8);
	assert_int_equal(pci.smmu->smmus, 2);
	assert_int_equal(pci.smmu->count, 2);
}

/* ---- registers and queues ---- */

static void on_and_off(void **state)
{
	(void)state;
	up();
	put(0x44, 1u << 20);
	did_exactly("");
	put(0x44, 1u << 31 | 1u << 20);
	did_exactly("0 before 2 0 0; 1 before 2 0 0; ");
	put(0x44, 1u << 31);
	did_exactly("0 before 0 0 0; 1 before 0 0 0; ");
	put64(0x80, STRTAB | 7);
	put(0x88, 8);
	ram(STRTAB)[8 * 8] = 0xb | (RAM + 0x8000);
	ram(STRTAB)[8 * 8 + 1] = 0xd4 | 1 << 19 | 1UL << 44;
	ram(STRTAB)[8 * 16] = 0x9;
	put(0x20, 1);
	did_exactly("0 before 1 40008000 800d4; 1 before 0 0 0; ");
	/* While it is on the table stays where it is. */
	put64(0x80, 0);
	put(0x88, 0);
	put(0x2c, 2);
	assert_int_equal(access(false, 0x80, 8, 0), STRTAB);
	assert_int_equal(get(0x88), 8);
	assert_int_equal(get(0x2c), 0);
	put(0x20, 0);
	did_exactly("0 before 0 0 0; 1 before 0 0 0; ");
	/* Beyond the table: silently, or with an event. */
	put(0x88, 4);
	put(0x20, 1);
	did_exactly("0 before 1 40008000 800d4; 1 before 2 0 0; ");
	put(0x20, 0);
	put(0x2c, 2);
	done[0] = '\0';
	put(0x20, 1);
	did_exactly("0 before 1 40008000 800d4; 1 before 3 0 0; ");
	put(0x20, 0);
	/* In no memory, and of the largest size there is. */
	put64(0x80, ~0UL);
	put(0x88, 63);
	done[0] = '\0';
	put(0x20, 1);
	did_exactly("0 before 3 0 0; 1 before 3 0 0; ");
}

static void queue(void **state)
{
	(void)state;
	on();
	prod = 0;
	ram(STRTAB)[8 * 8] = 0xb | (RAM + 0x8000);
	command(0x03 | SID << 32, 1);
	did_exactly("0 before 1 40008000 0; ");
	command(0x05 | SID << 32, 1);
	command(0x05 | 9UL << 32, 1); /* nobody's */
	command(0x03 | 0xffffUL << 32, 1);
	did_exactly("0 changed; ");
	command(0x12 | 5UL << 48 | 0xffffUL << 32, 0x7001);
	command(0x46, 0);
	did_exactly("0 tlbi 12 5 7001; 0 sync; ");
	assert_int_equal(get(0x9c), prod);
	/* All of it at once. */
	for (u32 i = 0; i < 255; i++)
		ram(CMDQ)[2 * ((prod + i) % 256)] = 0x46;
	prod = (prod + 255) % 512;
	put(0x98, prod);
	assert_int_equal(get(0x9c), prod);
	/* Off: nothing is done. */
	put(0x20, 5);
	done[0] = '\0';
	command(0x46, 0);
	did_exactly("");
	put(0x20, 0xd);
	did_exactly("0 sync; ");
}

static void queue_errors(void **state)
{
	(void)state;
	on();
	prod = 0;
	command(0x46, 0);
	command(0x28, 0);
	command(0x46, 0);
	did_exactly("0 sync; ");
	assert_int_equal(get(0x9c), 1 | 1 << 24);
	assert_int_equal(get(0x60) ^ get(0x64), 1);
	assert_int_equal(pulses[1], 1);
	assert_non_null(strstr(line, "vm a: smmu: command 0x1 is illegal: 0x28"));
	/* Another bit does not acknowledge it, nor makes an error. */
	put(0x64, get(0x64) ^ 4);
	assert_int_equal(get(0x60) ^ get(0x64), 1);
	ram(CMDQ)[2] = 0x46;
	put(0x64, get(0x60));
	did_exactly("0 sync; 0 sync; ");
	assert_int_equal(get(0x9c) & 0xfffff, 3);
	/* In no memory. */
	put(0x20, 5);
	put64(0x90, 8);
	put(0x20, 0xd);
	put(0x98, 4);
	assert_int_equal(get(0x9c), 3 | 2 << 24);
	assert_int_equal(pulses[1], 2);
}

/* A machine's SMMU that does not answer: no SYNC is complete, and nothing goes on. */
static void stuck(void **state)
{
	(void)state;
	on();
	prod = 0;
	deaf = true;
	command(0x46, 0);
	assert_int_equal(get(0x9c), 0);
	command(0x46, 0);
	did_exactly("0 sync; ");
}

static bool happens(u64 w0, u64 w1, u64 w3)
{
	const u64 word[4] = { w0 | 0x500UL << 32, w1, 0x1234000, w3 };

	return vsmmu_event(&fns[0].own_stream, word);
}

static void event_queue(void **state)
{
	const u64 in = 2UL << 40;

	(void)state;
	on();
	prod = 0;
	ram(STRTAB)[8 * 8] = 0xb | (RAM + 0x8000);
	command(0x03 | SID << 32, 1);
	assert_true(happens(0x10, in, 0));
	assert_false(happens(0x10, in | 1UL << 39, 0x5000));
	assert_int_equal(get(0x100a8), 1);
	assert_int_equal(ram(EVENTQ)[0], 0x10 | SID << 32);
	assert_int_equal(ram(EVENTQ)[2], 0x1234000);
	assert_int_equal(pulses[0], 1);
	/* One interrupt for a queue that is no longer empty. */
	for (u32 i = 1; i < 128; i++)
		assert_true(happens(0x10, in, 0));
	assert_int_equal(pulses[0], 1);
	assert_int_equal(get(0x100a8), 128);
	for (u32 i = 0; i < 3; i++) {
		assert_true(happens(0x10, in, 0));
		assert_int_equal(get(0x100a8), 1u << 31 | 128);
	}
	put(0x100ac, 1u << 31 | 128);
	assert_true(happens(0x13, in, 0));
	assert_int_equal(get(0x100a8), 1u << 31 | 129);
	assert_int_equal(ram(EVENTQ)[0], 0x13 | SID << 32);
	assert_int_equal(pulses[0], 2);
	/* Bypass has no events of its own. */
	ram(STRTAB)[8 * 8] = 9;
	command(0x03 | SID << 32, 1);
	assert_false(happens(0x10, in, 0));
	/* An entry that is not valid. */
	ram(STRTAB)[8 * 8] = 0;
	command(0x03 | SID << 32, 1);
	assert_true(happens(0x04, 0, 0));
	assert_int_equal(ram(EVENTQ)[4], 0x04 | SID << 32);
}

static void event_errors(void **state)
{
	const u64 in = 2UL << 40;

	(void)state;
	on();
	prod = 0;
	ram(STRTAB)[8 * 8] = 0xb | (RAM + 0x8000);
	command(0x03 | SID << 32, 1);
	put64(0xa0, 5); /* not while it is on */
	assert_int_equal(access(false, 0xa0, 8, 0), EVENTQ | 7);
	put(0x20, 9);
	assert_true(happens(0x10, in, 0));
	put64(0xa0, RAM + RAM_SIZE + 7);
	put(0x100a8, 5);
	put(0x100ac, 5);
	put(0x20, 0xd);
	assert_int_equal(get(0x100a8), 5);
	assert_true(happens(0x10, in, 0));
	assert_int_equal(get(0x60) ^ get(0x64), 4);
	assert_int_equal(pulses[1], 1);
	assert_true(happens(0x10, in, 0));
	assert_int_equal(pulses[1], 1);
	assert_int_equal(get(0x100a8), 5);
	/* After a reset of the VM nothing of it is left. */
	vsmmu_start(&vm);
	for (u32 reg = 0x20; reg < 0x100; reg += 4)
		if (reg != 0x44 && get(reg))
			fail_msg("register 0x%x is 0x%x", reg, get(reg));
}

/* Accesses of all sizes to all registers. */
static void accesses(void **state)
{
	(void)state;
	up();
	for (u32 reg = 0; reg < 0x20000; reg += 4) {
		struct mmio m = { .offset = reg + 1, .size = 2, .write = true };

		assert_int_equal(access(false, reg + 1, 1, 0), 0);
		assert_false(vm.mmio.region[0].fn(&vcpu, vm.mmio.region[0].dev, &m));
		access(true, reg, 4, 0xffffffff);
	}
	put(0x20, 0);
	put64(0x80, ~0UL);
	assert_int_equal(access(false, 0x80, 8, 0), 0x400fffffffffffc0);
	put(0x84, 0);
	assert_int_equal(access(false, 0x80, 8, 0), 0xffffffc0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(entry_attributes),
		cmocka_unit_test(commands),
		cmocka_unit_test(events),
		cmocka_unit_test_setup(who, setup),
		cmocka_unit_test_setup(where, setup),
		cmocka_unit_test_setup(features, setup),
		cmocka_unit_test_setup(on_and_off, setup),
		cmocka_unit_test_setup(queue, setup),
		cmocka_unit_test_setup(queue_errors, setup),
		cmocka_unit_test_setup(stuck, setup),
		cmocka_unit_test_setup(event_queue, setup),
		cmocka_unit_test_setup(event_errors, setup),
		cmocka_unit_test_setup(accesses, setup),
	};

	return cmocka_run_group_tests_name("vsmmu", tests, NULL, NULL);
}
