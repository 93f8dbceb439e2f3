/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM with an SMMUv3 (stage 1) of its own before QEMU's `edu` device: what the device reaches is
 * what the SMMU's tables say, and of that only what is the VM's.
 *
 *   n=N      rounds of the test with random registers, entries and commands, from all CPUs (2000)
 *   seed=N   for it
 *   resets=N  N resets of the VM in the middle of a DMA that stage 1 translates
 */
#include "arch/smmu.h"
#include "lib/edu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/its.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/suite.h"

const char guest_name[] = "smmu";

#define SID_BITS 8
#define CMDS_LOG2 8
#define EVENTS_LOG2 7
#define EVENTS (1u << EVENTS_LOG2)
#define IOVA 0x123456000UL   /* where stage 1 has pages, */
#define IOVA_MSI 0x8000000UL /* and the doorbell */
#define NOWHERE BIT(36)      /* an IPA at which the VM has nothing */
#define ASID 7UL
#define STORM_US 200000 /* by then a device that made too many events goes on */
#define MSI_EVENT 1u
#define MSI_LPI (GIC_LPI + 40)

/* Descriptors: a page that a device may read and write; of memory, or of a device. */
#define PAGE_BITS (3UL | BIT(6) | 3UL << 8 | BIT(10) | BIT(11))
#define ATTR_DEVICE (1UL << 2)
#define READ_ONLY BIT(7)

static u64 strtab[STE_WORDS << SID_BITS] __attribute__((aligned(16384)));
static u64 cmdq[2 << CMDS_LOG2] __attribute__((aligned(4096)));
static u64 eventq[4 << EVENTS_LOG2] __attribute__((aligned(4096)));
static u64 cd[8] __attribute__((aligned(64)));
static u64 table[3][512] __attribute__((aligned(4096)));
static u64 table_msi[2][512] __attribute__((aligned(4096)));
static u64 from[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));
static u64 to[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));
static u64 other[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));
static u8 scratch[MIB(1)] __attribute__((aligned(65536))); /* of the test at random */
static u32 prod, cons;                                     /* of commands, of events */
static volatile u32 event_irqs, error_irqs, lpis;

static u32 get(u32 reg)
{
	return read32(dt.smmu + reg);
}

static void put(u32 reg, u32 v)
{
	write32(dt.smmu + reg, v);
}

/* ---- the SMMU ---- */

/* Whether the queue has come to its end within a while. */
static bool drained(void)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while ((get(SMMU_CMDQ_CONS) & MASK(19, 0)) != prod) {
		if ((get(SMMU_GERROR) ^ get(SMMU_GERRORN)) & SMMU_GERROR_CMDQ)
			return false;
		if (counter_virt() > end) {
			test_fail("the command queue does not go on");
			return false;
		}
	}
	return true;
}

static void add_command(u64 w0, u64 w1)
{
	u64 *w = cmdq + 2 * (prod % (1u << CMDS_LOG2));

	w[0] = w0;
	w[1] = w1;
	prod = (prod + 1) % (2u << CMDS_LOG2);
}

static bool send(void)
{
	dsb(sy);
	put(SMMU_CMDQ_PROD, prod);
	return drained();
}

/* A command and a SYNC; both must be taken. */
static void command(u64 w0, u64 w1)
{
	add_command(w0, w1);
	add_command(SMMU_CMD_SYNC, 0);
	expect(send(), "command 0x%lx is not taken", w0);
}

static void turn_off(void)
{
	put(SMMU_CR0, 0);
	put(SMMU_IRQ_CTRL, 0);
	put(SMMU_GERRORN, get(SMMU_GERROR));
	put(SMMU_GBPA, SMMU_GBPA_UPDATE | SMMU_GBPA_INCOMING);
	expect_eq(get(SMMU_CR0ACK), 0, "CR0ACK");
}

static void turn_on(void)
{
	turn_off();
	put(SMMU_CR1, SMMU_CR1_CACHED);
	put(SMMU_CR2, SMMU_CR2_RECINVSID);
	write64(dt.smmu + SMMU_STRTAB_BASE, (u64)strtab | SMMU_BASE_RA);
	put(SMMU_STRTAB_BASE_CFG, SID_BITS);
	write64(dt.smmu + SMMU_CMDQ_BASE, (u64)cmdq | SMMU_BASE_RA | CMDS_LOG2);
	put(SMMU_CMDQ_PROD, prod = 0);
	put(SMMU_CMDQ_CONS, 0);
	put(SMMU_CR0, SMMU_CR0_CMDQEN);
	add_command(SMMU_CMD_CFGI_ALL, SMMU_CMD_ALL_STREAMS);
	command(SMMU_CMD_TLBI_NSNH_ALL, 0);
	write64(dt.smmu + SMMU_EVENTQ_BASE, (u64)eventq | EVENTS_LOG2);
	put(SMMU_EVENTQ_PROD, 0);
	put(SMMU_EVENTQ_CONS, cons = 0);
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	put(SMMU_IRQ_CTRL, SMMU_IRQ_EVENTQ | SMMU_IRQ_GERROR);
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
	expect_eq(get(SMMU_CR0ACK), SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN,
		  "CR0ACK");
}

static void set_entry(u64 w0, u64 w1)
{
	u64 *ste = strtab + STE_WORDS * edu_devfn;

	ste[0] = 0;
	ste[1] = w1;
	dsb(sy);
	ste[0] = w0;
	dsb(sy);
	command(SMMU_CMD_CFGI_STE | (u64)edu_devfn << SMMU_CMD_SID_SHIFT, 1);
}

/* Stage 1 of 39 bits with our table: V, AA64, R, A; no TTB1. */
static void make_context(u64 ttb)
{
	cd[0] = 25 | 1UL << 8 | 1UL << 10 | 3UL << 12 | BIT(30) | BIT(31) | 2UL << 32 | BIT(41) |
		BIT(45) | BIT(46) | ASID << 48;
	cd[1] = ttb;
	cd[3] = 0x04ff;
	table[0][IOVA >> 30] = (u64)table[1] | 3;
	table[1][IOVA >> 21 & 511] = (u64)table[2] | 3;
	table[0][0] = (u64)table_msi[0] | 3;
	table_msi[0][IOVA_MSI >> 21 & 511] = (u64)table_msi[1] | 3;
	table_msi[1][IOVA_MSI >> 12 & 511] = 0;
	dsb(sy);
}

static void stage1(void)
{
	make_context((u64)table[0]);
	memset(table[2], 0, sizeof(table[2]));
	command(SMMU_CMD_TLBI_NH_ALL, 0);
	set_entry(STE_V | STE_STAGE1 | (u64)cd, 1UL << 2 | 1UL << 4 | 3UL << 6);
}

/* Page i of the IOVAs; with the TLBs still as they were. */
static void map(u32 i, u64 ipa, u64 bits)
{
	table[2][(IOVA >> 12 & 511) + i] = ipa ? ipa | bits : 0;
	dsb(sy);
}

static void invalidate(u32 i)
{
	command(SMMU_CMD_TLBI_NH_VA | ASID << SMMU_CMD_ASID_SHIFT,
		(IOVA + i * EDU_PAGE) | SMMU_CMD_LEAF);
}

/* ---- what the device reaches ---- */

static bool writes(u64 at, u64 *page)
{
	edu_fill(from, 3);
	memset(page, 0, EDU_PAGE);
	edu_dma((u64)from, 0);
	edu_dma(at, CMD_TO_RAM);
	return edu_is_filled(page, 3);
}

/* The device has a page of ours already. */
static bool is_written(u64 at, u64 *page)
{
	memset(page, 0, EDU_PAGE);
	edu_dma(at, CMD_TO_RAM);
	expect(edu_is_zero(page) || edu_is_filled(page, 3), "half a page was written");
	return edu_is_filled(page, 3);
}

/* Let it have a page, past the SMMU. */
static void load(void)
{
	turn_off();
	expect(writes((u64)to, to), "no DMA with the SMMU off");
	turn_on();
}

/* The next record; false: there is none. Its words. */
static bool next_event(u64 *word)
{
	if ((get(SMMU_EVENTQ_PROD) & MASK(19, 0)) == cons)
		return false;
	dsb(sy);
	for (u32 i = 0; i < 4; i++)
		word[i] = eventq[4 * (cons % EVENTS) + i];
	cons = (cons + 1) % (2 * EVENTS);
	put(SMMU_EVENTQ_CONS, cons | (get(SMMU_EVENTQ_PROD) & SMMU_Q_OVERFLOW));
	return true;
}

static u32 drop_events(void)
{
	u64 word[4];
	u32 n = 0;

	while (next_event(word))
		n++;
	return n;
}

static bool wait_event(u64 *word)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while (!next_event(word))
		if (counter_virt() > end)
			return false;
	return true;
}

/*
 * The first record is this one, of a write by the device; then all are dropped. Of an address that
 * the SMMU could not read itself the page is known.
 */
static void expect_event(u32 type, u64 address, u64 w3)
{
	u64 word[4] = { 0 };

	expect(wait_event(word), "no event");
	expect_eq(word[0], type | (u64)edu_devfn << SMMU_EVENT_SID_SHIFT, "type and stream");
	if (type >= SMMU_EVENT_TRANSLATION)
		expect_eq(word[1] & (SMMU_EVENT1_READ | SMMU_EVENT1_S2), 0, "what it was");
	if (type >= SMMU_EVENT_WALK_EABT)
		expect_eq(word[2], address, "address");
	expect_eq(word[3], w3, "word 3");
	delay_us(STORM_US);
	drop_events();
}

static void expect_no_event(const char *why)
{
	delay_us(STORM_US);
	expect_eq(drop_events(), 0, why);
}

static void on_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	if (id == dt.smmu_eventq)
		event_irqs = event_irqs + 1;
	if (id == dt.smmu_gerror)
		error_irqs = error_irqs + 1;
	if (id == MSI_LPI) {
		lpis = lpis + 1;
		write32(edu_bar + EDU_IRQ_ACK, read32(edu_bar + EDU_IRQ_STATUS));
	}
	gic_eoi(id);
}

static bool comes(volatile u32 *irqs, u32 seen)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while (*irqs == seen && counter_virt() < end) {
		irq_enable();
		isb();
		irq_disable();
	}
	return *irqs != seen;
}

/* ---- tests ---- */

static void test_registers(void)
{
	turn_off();
	expect_eq(get(SMMU_IDR0) & (SMMU_IDR0_S1P | SMMU_IDR0_S2P), SMMU_IDR0_S1P, "IDR0: stages");
	expect_eq(SMMU_IDR1_SIDSIZE(get(SMMU_IDR1)), SID_BITS, "IDR1.SIDSIZE");
	expect_eq(SMMU_IDR1_CMDQS(get(SMMU_IDR1)), CMDS_LOG2, "IDR1.CMDQS");
	expect_eq(SMMU_IDR1_EVENTQS(get(SMMU_IDR1)), EVENTS_LOG2, "IDR1.EVENTQS");
	put(SMMU_IDR0, 0);
	expect(get(SMMU_IDR0), "IDR0 can be written");
	write64(dt.smmu + SMMU_STRTAB_BASE, ~0UL);
	expect_eq(read64(dt.smmu + SMMU_STRTAB_BASE), MASK(51, 6) | BIT(62), "STRTAB_BASE");
	put(SMMU_STRTAB_BASE + 4, 5);
	expect_eq(read64(dt.smmu + SMMU_STRTAB_BASE), 5UL << 32 | MASK(31, 6), "half of it");
	write8(dt.smmu + SMMU_CR0, 1);
	expect_eq(read8(dt.smmu + SMMU_CR0), 0, "a byte");
	turn_on();
	write64(dt.smmu + SMMU_STRTAB_BASE, 0);
	write64(dt.smmu + SMMU_CMDQ_BASE, 0);
	write64(dt.smmu + SMMU_EVENTQ_BASE, 0);
	put(SMMU_CMDQ_CONS, 5);
	expect_eq(read64(dt.smmu + SMMU_STRTAB_BASE) & MASK(51, 6), (u64)strtab, "STRTAB_BASE, on");
	expect_eq(read64(dt.smmu + SMMU_CMDQ_BASE) & MASK(51, 5), (u64)cmdq, "CMDQ_BASE, on");
	expect_eq(read64(dt.smmu + SMMU_EVENTQ_BASE) & MASK(51, 5), (u64)eventq, "EVENTQ_BASE, on");
	expect_eq(get(SMMU_CMDQ_CONS), prod, "CMDQ_CONS, on");
}

static void test_off(void)
{
	turn_off();
	expect(writes((u64)to, to), "no DMA with the SMMU off");
	put(SMMU_GBPA, SMMU_GBPA_ABORT);
	expect(is_written((u64)to, to), "GBPA counts without UPDATE");
	put(SMMU_GBPA, SMMU_GBPA_ABORT | SMMU_GBPA_UPDATE);
	expect_eq(get(SMMU_GBPA) & (SMMU_GBPA_UPDATE | SMMU_GBPA_ABORT), SMMU_GBPA_ABORT, "GBPA");
	expect(!is_written((u64)to, to), "a DMA with GBPA.ABORT");
}

static void test_entries(void)
{
	load();
	set_entry(STE_V | STE_BYPASS, 0);
	expect(is_written((u64)to, to), "no DMA with bypass");
	set_entry(STE_V | STE_ABORT, 0);
	expect(!is_written((u64)to, to), "a DMA with abort");
	expect_no_event("events with abort");
	set_entry(0, 0);
	expect(!is_written((u64)to, to), "a DMA with an entry that is not valid");
	expect_event(SMMU_EVENT_BAD_STE, 0, 0);
	set_entry(STE_V | STE_NESTED | (u64)cd, 0);
	expect(!is_written((u64)to, to), "a DMA with stage 2");
	expect_event(SMMU_EVENT_BAD_STE, 0, 0);
	/* An entry counts when it is invalidated; a stream beyond the table is none. */
	strtab[STE_WORDS * edu_devfn] = STE_V | STE_BYPASS;
	dsb(sy);
	command(SMMU_CMD_CFGI_ALL, SMMU_CMD_ALL_STREAMS);
	expect(is_written((u64)to, to), "no DMA after CFGI_ALL");
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	put(SMMU_STRTAB_BASE_CFG, 3);
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
	expect(!is_written((u64)to, to), "a DMA of a stream beyond the table");
	expect_event(SMMU_EVENT_BAD_STREAMID, 0, 0);
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	put(SMMU_STRTAB_BASE_CFG, SID_BITS);
	write64(dt.smmu + SMMU_STRTAB_BASE, NOWHERE);
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
	expect(!is_written((u64)to, to), "a DMA with the table in no memory");
	expect_event(SMMU_EVENT_STE_FETCH, 0, NOWHERE + 64 * edu_devfn);
}

static void test_translate(void)
{
	load();
	stage1();
	map(0, (u64)to, PAGE_BITS);
	expect(is_written(IOVA, to), "no DMA through stage 1");
	expect(!is_written((u64)to, to), "a DMA past stage 1");
	expect_event(SMMU_EVENT_TRANSLATION, (u64)to, 0);
	map(0, (u64)other, PAGE_BITS);
	invalidate(0);
	expect(is_written(IOVA, other), "no DMA to where the page was moved");
	memset(to, 0, EDU_PAGE);
	edu_dma(IOVA, CMD_TO_RAM);
	expect(edu_is_zero(to), "a DMA to where the page was before");
	map(0, 0, 0);
	command(SMMU_CMD_TLBI_NH_ASID | ASID << SMMU_CMD_ASID_SHIFT, 0);
	expect(!is_written(IOVA, other), "a DMA to a page that is gone");
	expect_event(SMMU_EVENT_TRANSLATION, IOVA, 0);
	map(0, (u64)to, PAGE_BITS | READ_ONLY);
	invalidate(0);
	expect(!is_written(IOVA, to), "a DMA to a page that can only be read");
	expect_event(SMMU_EVENT_PERMISSION, IOVA, 0);
	/* Stage 1 and back: the entry's change is enough. */
	set_entry(STE_V | STE_BYPASS, 0);
	expect(is_written((u64)to, to), "no DMA with bypass");
}

/* What the SMMU itself reads for stage 1 is not there, or not valid. */
static void test_reads(void)
{
	load();
	stage1();
	map(0, (u64)to, PAGE_BITS);
	set_entry(STE_V | STE_STAGE1 | NOWHERE, 0);
	expect(!is_written(IOVA, to), "a DMA without a context descriptor");
	expect_event(SMMU_EVENT_CD_FETCH, 0, NOWHERE);
	make_context(NOWHERE);
	set_entry(STE_V | STE_STAGE1 | (u64)cd, 0);
	command(SMMU_CMD_TLBI_NH_ALL, 0);
	expect(!is_written(IOVA, to), "a DMA without tables");
	expect(wait_event((u64[4]){ 0 }), "no event of tables in no memory");
	delay_us(STORM_US);
	drop_events();
	make_context((u64)table[0]);
	table[0][IOVA >> 30] = NOWHERE | 3;
	dsb(sy);
	command(SMMU_CMD_CFGI_CD | (u64)edu_devfn << SMMU_CMD_SID_SHIFT, 1);
	command(SMMU_CMD_TLBI_NH_ALL, 0);
	expect(!is_written(IOVA, to), "a DMA without a table of level 2");
	/* QEMU 10.0 calls it a fault of stage 1. */
	expect(wait_event((u64[4]){ 0 }), "no event of a table of level 2 in no memory");
	delay_us(STORM_US);
	drop_events();
	make_context((u64)table[0]);
	cd[0] &= ~BIT(31);
	dsb(sy);
	command(SMMU_CMD_CFGI_CD | (u64)edu_devfn << SMMU_CMD_SID_SHIFT, 1);
	expect(!is_written(IOVA, to), "a DMA by a context descriptor that is not valid");
	expect_event(SMMU_EVENT_BAD_CD, 0, 0);
}

/* Where stage 1 leads to what is not the VM's. */
static void test_stage2(void)
{
	load();
	stage1();
	map(0, NOWHERE, PAGE_BITS);
	map(1, dt.gicd, PAGE_BITS | ATTR_DEVICE);
	map(2, dt.ram + dt.ram_size, PAGE_BITS);
	for (u32 i = 0; i < 3; i++)
		edu_dma(IOVA + i * EDU_PAGE, CMD_TO_RAM);
	expect_no_event("events of accesses that stage 2 blocks");
	expect_eq(read32(dt.gicd + GIC_PIDR2) >> 4 & 15, 3, "GICD_PIDR2.ArchRev");
	map(0, (u64)to, PAGE_BITS);
	invalidate(0);
	expect(is_written(IOVA, to), "no DMA through stage 1");
}

static void test_events(void)
{
	u32 seen = event_irqs, n;

	load();
	stage1();
	edu_dma(IOVA, CMD_TO_RAM);
	expect(comes(&event_irqs, seen), "no interrupt of an event");
	/* The device makes one for each four bytes: soon more than the queue has room for. */
	for (u32 i = 0; i < 5 && !(get(SMMU_EVENTQ_PROD) & SMMU_Q_OVERFLOW); i++) {
		delay_us(STORM_US);
		edu_dma(IOVA, CMD_TO_RAM);
	}
	n = get(SMMU_EVENTQ_PROD);
	expect_eq((n ^ get(SMMU_EVENTQ_CONS)) >> 31, 1, "OVFLG");
	expect_eq((n - cons) & (2 * EVENTS - 1), EVENTS, "records");
	expect_eq(drop_events(), EVENTS, "records");
	expect_eq(get(SMMU_EVENTQ_PROD) ^ get(SMMU_EVENTQ_CONS), 0, "PROD and CONS in the end");
	/* Too many: the device may be stopped for a while, not for good. */
	map(0, (u64)to, PAGE_BITS);
	invalidate(0);
	delay_us(STORM_US);
	drop_events();
	expect(is_written(IOVA, to), "no DMA after too many events");
	/* A queue in no memory. */
	seen = error_irqs;
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN);
	write64(dt.smmu + SMMU_EVENTQ_BASE, NOWHERE | EVENTS_LOG2);
	put(SMMU_EVENTQ_PROD, 0);
	put(SMMU_EVENTQ_CONS, cons = 0);
	put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN);
	edu_dma(IOVA + 5 * EDU_PAGE, CMD_TO_RAM);
	expect(comes(&error_irqs, seen), "no interrupt of an error");
	expect_eq(get(SMMU_GERROR) ^ get(SMMU_GERRORN), SMMU_GERROR_EVENTQ_ABT, "GERROR");
	expect_eq(get(SMMU_EVENTQ_PROD), 0, "EVENTQ_PROD");
}

/* The queue stops at a command that is none, with this reason; then goes on behind it. */
static void expect_illegal(u64 w0)
{
	u32 at = prod, seen = error_irqs;

	add_command(w0, 0);
	add_command(SMMU_CMD_SYNC, 0);
	expect(!send(), "command 0x%lx is taken", w0);
	expect_eq(get(SMMU_CMDQ_CONS), at | SMMU_CERROR_ILL << SMMU_CMDQ_ERR_SHIFT, "CMDQ_CONS");
	expect_eq(get(SMMU_GERROR) ^ get(SMMU_GERRORN), SMMU_GERROR_CMDQ, "GERROR");
	expect(comes(&error_irqs, seen), "no interrupt of an error");
	cmdq[2 * (at % (1u << CMDS_LOG2))] = SMMU_CMD_SYNC;
	dsb(sy);
	put(SMMU_GERRORN, get(SMMU_GERROR));
	expect(drained(), "the queue does not go on");
}

static void test_commands(void)
{
	/* EL2's, stage 2's, ATS's, stalls', none; of the secure state; a SYNC's signal. */
	static const u64 illegal[] = { 0x00,
				       0x18,
				       0x20,
				       0x28,
				       0x2a,
				       0x40,
				       0x41,
				       0x44,
				       0x45,
				       0x47,
				       0xff,
				       SMMU_CMD_CFGI_STE | SMMU_CMD_SSEC,
				       SMMU_CMD_SYNC | 3UL << 12 };

	turn_on();
	for (u32 i = 0; i < ARRAY_SIZE(illegal); i++)
		expect_illegal(illegal[i]);
	/* Of streams that are nobody's, prefetches: nothing. */
	for (u64 sid = 0; sid < 0x10000; sid += 0x333)
		add_command(SMMU_CMD_CFGI_STE | sid << SMMU_CMD_SID_SHIFT, 1);
	command(SMMU_CMD_PREFETCH_CFG, 0);
	/* All of the queue at once, many times. */
	for (u32 round = 0; round < 20; round++) {
		for (u32 i = 0; i < (1u << CMDS_LOG2) - 1; i++)
			add_command(SMMU_CMD_TLBI_NH_VAA, (u64)i << 12);
		expect(send(), "a full queue is not taken");
	}
	/* In no memory. */
	put(SMMU_CR0, 0);
	write64(dt.smmu + SMMU_CMDQ_BASE, NOWHERE | CMDS_LOG2);
	put(SMMU_CMDQ_CONS, 0);
	put(SMMU_CR0, SMMU_CR0_CMDQEN);
	put(SMMU_CMDQ_PROD, 1);
	expect_eq(get(SMMU_CMDQ_CONS), SMMU_CERROR_ABT << SMMU_CMDQ_ERR_SHIFT, "CMDQ_CONS");
	turn_on();
}

static void aim(u64 address)
{
	u64 cap = edu_cfg + read8(edu_cfg + CFG_CAP);

	write16(cap + 2, 0);
	write32(cap + 4, (u32)address);
	write32(cap + 8, (u32)(address >> 32));
	write16(cap + 12, MSI_EVENT);
	write16(cap + 2, 1);
}

/* Messages go through stage 1 as all else. */
static void test_messages(void)
{
	u32 seen;

	if (!dt.its) {
		test_skip("there is no ITS");
		return;
	}
	load();
	stage1();
	table_msi[1][IOVA_MSI >> 12 & 511] =
		((dt.its + GITS_TRANSLATER) & ~MASK(11, 0)) | PAGE_BITS | ATTR_DEVICE;
	its_init();
	its_mapd(edu_devfn, 1);
	its_mapti(edu_devfn, MSI_EVENT, MSI_LPI, 0);
	its_event(ITS_INV, edu_devfn, MSI_EVENT);
	aim(IOVA_MSI + GITS_TRANSLATER % EDU_PAGE);
	for (u32 i = 0; i < 20; i++) {
		seen = lpis;
		write32(edu_bar + EDU_IRQ_RAISE, 1);
		expect(comes(&lpis, seen), "message %u does not come", i);
	}
	aim(dt.its + GITS_TRANSLATER);
	seen = lpis;
	write32(edu_bar + EDU_IRQ_RAISE, 1);
	delay_us(50000);
	irq_enable();
	isb();
	irq_disable();
	expect_eq(lpis, seen, "messages past stage 1");
	expect_event(SMMU_EVENT_TRANSLATION, dt.its + GITS_TRANSLATER, 0);
	write32(edu_bar + EDU_IRQ_ACK, ~0u);
	aim(0);
	write16(edu_cfg + read8(edu_cfg + CFG_CAP) + 2, 0);
}

/* ---- at random ---- */

/* An address that is nowhere, or in memory that nothing else is in. */
static u64 random_address(u64 *seed)
{
	u64 r = random_next(seed);

	return r & 3 ? (u64)scratch + (r >> 8) % (sizeof(scratch) / 2) : r >> 12;
}

static void random_entry(u64 *seed)
{
	u64 r = random_next(seed), *ste = strtab + STE_WORDS * (r >> 32 & (BIT(SID_BITS) - 1));

	if (r & 16)
		ste = strtab + STE_WORDS * edu_devfn;
	ste[0] = (random_next(seed) & ~STE_S1CONTEXT) |
		 (r & 32 ? (u64)cd : random_address(seed) & STE_S1CONTEXT);
	ste[1] = r & 64 ? random_next(seed) : 0;
}

static void random_command(u64 *seed)
{
	u64 r = random_next(seed), *w = cmdq + 2 * (r >> 32 & (BIT(CMDS_LOG2) - 1));

	w[0] = random_next(seed);
	w[1] = random_next(seed);
	if (r & 1)
		w[0] = (w[0] & ~(0xffUL | SMMU_CMD_SSEC)) |
		       (r & 2 ? SMMU_CMD_SYNC : (r >> 8 & 0x1f));
	if (r & 4)
		w[0] = (w[0] & MASK(31, 0)) | (u64)edu_devfn << SMMU_CMD_SID_SHIFT;
}

static void random_register(u64 *seed)
{
	static const u32 bases[] = { SMMU_STRTAB_BASE, SMMU_CMDQ_BASE, SMMU_EVENTQ_BASE };
	u64 r = random_next(seed), v = random_next(seed);

	switch (r & 7) {
	case 0:
		write64(dt.smmu + bases[(r >> 8) % 3], random_address(seed) | (v & 31));
		break;
	case 1:
		put(SMMU_CR0, (u32)v | (r & 256 ? SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN : 0));
		break;
	case 2:
		put(SMMU_GERRORN, r & 256 ? get(SMMU_GERROR) : (u32)v);
		break;
	case 3:
		put(r & 256 ? SMMU_EVENTQ_CONS : SMMU_CMDQ_CONS, (u32)v);
		break;
	case 4:
		write64(dt.smmu + SMMU_STRTAB_BASE, (u64)strtab);
		write64(dt.smmu + SMMU_CMDQ_BASE, (u64)cmdq | CMDS_LOG2);
		break;
	case 5:
		if ((r >> 8 & 0xff) != SMMU_EVENTQ_BASE && (r >> 8 & 0xfc) != SMMU_EVENTQ_BASE + 4)
			put(r >> 8 & 0xfc, (u32)v);
		(void)get(r >> 16 & 0x1fffc);
		break;
	default:
		put(SMMU_CMDQ_PROD, (u32)v & 0x1ff);
	}
}

static void at_random(u32 index)
{
	u64 seed = dt_arg("seed", 1) * 100 + index, n = dt_arg("n", 2000);

	for (u64 i = 0; i < n; i++) {
		random_entry(&seed);
		random_command(&seed);
		random_register(&seed);
		/* A device that uses it all the while. */
		if (!index && i % 64 == 0 && !(read32(edu_bar + EDU_CMD) & CMD_RUN))
			edu_dma_start(IOVA, CMD_TO_RAM);
	}
}

static void test_random(void)
{
	u64 seed = 5;

	load();
	stage1();
	map(0, (u64)to, PAGE_BITS);
	put(SMMU_EVENTQ_CONS, 0);
	for (u32 i = 0; i < sizeof(scratch) / 8; i++)
		((u64 *)scratch)[i] = random_next(&seed) & ~BIT(31); /* no context is valid */
	expect(smp_run_all(at_random, 10 * PATIENCE_US), "a CPU did not end");
	expect(edu_dma_wait(), "a DMA does not end");
	memset(strtab, 0, sizeof(strtab));
	delay_us(STORM_US);
	load();
	stage1();
	map(0, (u64)to, PAGE_BITS);
	expect(is_written(IOVA, to), "no DMA through stage 1");
}

/* The register of the device for tests of life counts the boots: it reads inverted. */
static void resets(u64 n)
{
	u32 boots;

	edu_put_bar(dt.pci.low, COMMAND_MEMORY | COMMAND_MASTER);
	boots = ~read32(edu_bar + EDU_LIVE);
	boots = boots > n ? 0 : boots;
	expect_eq(get(SMMU_CR0), 0, "CR0 after a reset");
	expect_eq(get(SMMU_GBPA) & SMMU_GBPA_ABORT, 0, "GBPA after a reset");
	delay_us(200000);
	expect(edu_is_zero(to), "a DMA from before the reset has arrived");
	load();
	stage1();
	map(0, (u64)to, PAGE_BITS);
	expect(is_written(IOVA, to), "no DMA through stage 1");
	if (boots >= n || test_failed())
		return;
	print("smmu: boot %u\n", boots);
	write32(edu_bar + EDU_LIVE, boots + 1);
	edu_dma_start(IOVA, CMD_TO_RAM);
	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}

static const struct suite_test tests[] = {
	{ "registers", test_registers, 1 },
	{ "off", test_off, 1 },
	{ "entries", test_entries, 1 },
	{ "translate", test_translate, 1 },
	{ "reads", test_reads, 1 },
	{ "stage 2", test_stage2, 1 },
	{ "events", test_events, 1 },
	{ "commands", test_commands, 1 },
	{ "messages", test_messages, 1 },
	{ "random", test_random, 1 },
	{ "translate again", test_translate, 1 },
};

void guest_main(void)
{
	test_begin("find");
	expect(edu_find(), "there is no edu");
	expect(dt.smmu && dt.smmu_eventq && dt.smmu_gerror, "there is no SMMU with interrupts");
	if (test_failed())
		return;
	if (dt_arg("resets", 0)) {
		test_begin("resets");
		resets(dt_arg("resets", 0));
		return;
	}
	gic_dist_init();
	gic_cpu_init();
	cpu_self()->irq = on_irq;
	for (u32 i = 0; i < 2; i++) {
		u32 intid = i ? dt.smmu_gerror : dt.smmu_eventq;

		gic_set_edge(intid, true);
		gic_route(intid, cpu_self()->mpidr);
		gic_enable(intid);
	}
	edu_put_bar(dt.pci.low, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	suite_run(tests, ARRAY_SIZE(tests), NULL);
}
