/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM with an SMMUv3 (stage 1) of its own before QEMU's `edu` device: what the device reaches is
 * what the SMMU's tables say, and of that only what is the VM's.
 *
 *   n=N      rounds of the test with random registers, entries and commands, from all CPUs (2000)
 *   seed=N   for it
 *   resets=N  N resets of the VM in the middle of a DMA that stage 1 translates
 */
#include "lib/edu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/its.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/suite.h"
#include "smmu/driver.h"

const char guest_name[] = "smmu";

#define NOWHERE BIT(36) /* an IPA at which the VM has nothing */
#define STORM_US 200000 /* by then a device that made too many events goes on */
#define MSI_EVENT 1u
#define MSI_LPI (GIC_LPI + 40)

/* Descriptors: a page that a device may read and write; of memory, or of a device. */
#define PAGE_BITS (3UL | BIT(6) | 3UL << 8 | BIT(10) | BIT(11))
#define ATTR_DEVICE (1UL << 2)
#define READ_ONLY BIT(7)

static u64 from[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));
static u64 to[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));
static u64 other[EDU_PAGE / 8] __attribute__((aligned(EDU_PAGE)));
static u8 scratch[MIB(1)] __attribute__((aligned(65536))); /* of the test at random */
static volatile u32 event_irqs, error_irqs, lpis;

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
	smmu_turn_off();
	expect(writes((u64)to, to), "no DMA with the SMMU off");
	smmu_turn_on();
}

static bool wait_event(u64 *word)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while (!smmu_next_event(word))
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
	smmu_drop_events();
}

static void expect_no_event(const char *why)
{
	delay_us(STORM_US);
	expect_eq(smmu_drop_events(), 0, why);
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
	smmu_turn_off();
	expect_eq(smmu_get(SMMU_IDR0) & (SMMU_IDR0_S1P | SMMU_IDR0_S2P), SMMU_IDR0_S1P,
		  "IDR0: stages");
	expect_eq(SMMU_IDR1_SIDSIZE(smmu_get(SMMU_IDR1)), SID_BITS, "IDR1.SIDSIZE");
	expect_eq(SMMU_IDR1_CMDQS(smmu_get(SMMU_IDR1)), CMDS_LOG2, "IDR1.CMDQS");
	expect_eq(SMMU_IDR1_EVENTQS(smmu_get(SMMU_IDR1)), EVENTS_LOG2, "IDR1.EVENTQS");
	smmu_put(SMMU_IDR0, 0);
	expect(smmu_get(SMMU_IDR0), "IDR0 can be written");
	write64(dt.smmu + SMMU_STRTAB_BASE, ~0UL);
	expect_eq(read64(dt.smmu + SMMU_STRTAB_BASE), MASK(51, 6) | BIT(62), "STRTAB_BASE");
	smmu_put(SMMU_STRTAB_BASE + 4, 5);
	expect_eq(read64(dt.smmu + SMMU_STRTAB_BASE), 5UL << 32 | MASK(31, 6), "half of it");
	write8(dt.smmu + SMMU_CR0, 1);
	expect_eq(read8(dt.smmu + SMMU_CR0), 0, "a byte");
	smmu_turn_on();
	write64(dt.smmu + SMMU_STRTAB_BASE, 0);
	write64(dt.smmu + SMMU_CMDQ_BASE, 0);
	write64(dt.smmu + SMMU_EVENTQ_BASE, 0);
	smmu_put(SMMU_CMDQ_CONS, 5);
	expect_eq(read64(dt.smmu + SMMU_STRTAB_BASE) & MASK(51, 6), (u64)smmu_strtab,
		  "STRTAB_BASE, on");
	expect_eq(read64(dt.smmu + SMMU_CMDQ_BASE) & MASK(51, 5), (u64)smmu_cmdq, "CMDQ_BASE, on");
	expect_eq(read64(dt.smmu + SMMU_EVENTQ_BASE) & MASK(51, 5), (u64)smmu_eventq,
		  "EVENTQ_BASE, on");
	expect_eq(smmu_get(SMMU_CMDQ_CONS), smmu_prod, "CMDQ_CONS, on");
}

static void test_off(void)
{
	smmu_turn_off();
	expect(writes((u64)to, to), "no DMA with the SMMU off");
	smmu_put(SMMU_GBPA, SMMU_GBPA_ABORT);
	expect(is_written((u64)to, to), "GBPA counts without UPDATE");
	smmu_put(SMMU_GBPA, SMMU_GBPA_ABORT | SMMU_GBPA_UPDATE);
	expect_eq(smmu_get(SMMU_GBPA) & (SMMU_GBPA_UPDATE | SMMU_GBPA_ABORT), SMMU_GBPA_ABORT,
		  "GBPA");
	expect(!is_written((u64)to, to), "a DMA with GBPA.ABORT");
}

static void test_entries(void)
{
	load();
	smmu_set_entry(STE_V | STE_BYPASS, 0);
	expect(is_written((u64)to, to), "no DMA with bypass");
	smmu_set_entry(STE_V | STE_ABORT, 0);
	expect(!is_written((u64)to, to), "a DMA with abort");
	expect_no_event("events with abort");
	smmu_set_entry(0, 0);
	expect(!is_written((u64)to, to), "a DMA with an entry that is not valid");
	expect_event(SMMU_EVENT_BAD_STE, 0, 0);
	smmu_set_entry(STE_V | STE_NESTED | (u64)smmu_cd, 0);
	expect(!is_written((u64)to, to), "a DMA with stage 2");
	expect_event(SMMU_EVENT_BAD_STE, 0, 0);
	/* An entry counts when it is invalidated; a stream beyond the table is none. */
	smmu_strtab[STE_WORDS * edu_devfn] = STE_V | STE_BYPASS;
	dsb(sy);
	smmu_command(SMMU_CMD_CFGI_ALL, SMMU_CMD_ALL_STREAMS);
	expect(is_written((u64)to, to), "no DMA after CFGI_ALL");
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	smmu_put(SMMU_STRTAB_BASE_CFG, 3);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
	expect(!is_written((u64)to, to), "a DMA of a stream beyond the table");
	expect_event(SMMU_EVENT_BAD_STREAMID, 0, 0);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	smmu_put(SMMU_STRTAB_BASE_CFG, SID_BITS);
	write64(dt.smmu + SMMU_STRTAB_BASE, NOWHERE);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
	expect(!is_written((u64)to, to), "a DMA with the table in no memory");
	expect_event(SMMU_EVENT_STE_FETCH, 0, NOWHERE + 64 * edu_devfn);
}

static void test_translate(void)
{
	load();
	smmu_stage1();
	smmu_map(0, (u64)to, PAGE_BITS);
	expect(is_written(IOVA, to), "no DMA through stage 1");
	expect(!is_written((u64)to, to), "a DMA past stage 1");
	expect_event(SMMU_EVENT_TRANSLATION, (u64)to, 0);
	smmu_map(0, (u64)other, PAGE_BITS);
	smmu_invalidate(0);
	expect(is_written(IOVA, other), "no DMA to where the page was moved");
	memset(to, 0, EDU_PAGE);
	edu_dma(IOVA, CMD_TO_RAM);
	expect(edu_is_zero(to), "a DMA to where the page was before");
	smmu_map(0, 0, 0);
	smmu_command(SMMU_CMD_TLBI_NH_ASID | ASID << SMMU_CMD_ASID_SHIFT, 0);
	expect(!is_written(IOVA, other), "a DMA to a page that is gone");
	expect_event(SMMU_EVENT_TRANSLATION, IOVA, 0);
	smmu_map(0, (u64)to, PAGE_BITS | READ_ONLY);
	smmu_invalidate(0);
	expect(!is_written(IOVA, to), "a DMA to a page that can only be read");
	expect_event(SMMU_EVENT_PERMISSION, IOVA, 0);
	/* Stage 1 and back: the entry's change is enough. */
	smmu_set_entry(STE_V | STE_BYPASS, 0);
	expect(is_written((u64)to, to), "no DMA with bypass");
}

/* What the SMMU itself reads for stage 1 is not there, or not valid. */
static void test_reads(void)
{
	load();
	smmu_stage1();
	smmu_map(0, (u64)to, PAGE_BITS);
	smmu_set_entry(STE_V | STE_STAGE1 | NOWHERE, 0);
	expect(!is_written(IOVA, to), "a DMA without a context descriptor");
	expect_event(SMMU_EVENT_CD_FETCH, 0, NOWHERE);
	smmu_make_context(NOWHERE);
	smmu_set_entry(STE_V | STE_STAGE1 | (u64)smmu_cd, 0);
	smmu_command(SMMU_CMD_TLBI_NH_ALL, 0);
	expect(!is_written(IOVA, to), "a DMA without tables");
	expect(wait_event((u64[4]){ 0 }), "no event of tables in no memory");
	delay_us(STORM_US);
	smmu_drop_events();
	smmu_make_context((u64)smmu_table[0]);
	smmu_table[0][IOVA >> 30] = NOWHERE | 3;
	dsb(sy);
	smmu_command(SMMU_CMD_CFGI_CD | (u64)edu_devfn << SMMU_CMD_SID_SHIFT, 1);
	smmu_command(SMMU_CMD_TLBI_NH_ALL, 0);
	expect(!is_written(IOVA, to), "a DMA without a table of level 2");
	/* QEMU 10.0 calls it a fault of stage 1. */
	expect(wait_event((u64[4]){ 0 }), "no event of a table of level 2 in no memory");
	delay_us(STORM_US);
	smmu_drop_events();
	smmu_make_context((u64)smmu_table[0]);
	smmu_cd[0] &= ~BIT(31);
	dsb(sy);
	smmu_command(SMMU_CMD_CFGI_CD | (u64)edu_devfn << SMMU_CMD_SID_SHIFT, 1);
	expect(!is_written(IOVA, to), "a DMA by a context descriptor that is not valid");
	expect_event(SMMU_EVENT_BAD_CD, 0, 0);
}

/* Where stage 1 leads to what is not the VM's. */
static void test_stage2(void)
{
	load();
	smmu_stage1();
	smmu_map(0, NOWHERE, PAGE_BITS);
	smmu_map(1, dt.gicd, PAGE_BITS | ATTR_DEVICE);
	smmu_map(2, dt.ram + dt.ram_size, PAGE_BITS);
	for (u32 i = 0; i < 3; i++)
		edu_dma(IOVA + i * EDU_PAGE, CMD_TO_RAM);
	expect_no_event("events of accesses that stage 2 blocks");
	expect_eq(read32(dt.gicd + GIC_PIDR2) >> 4 & 15, 3, "GICD_PIDR2.ArchRev");
	smmu_map(0, (u64)to, PAGE_BITS);
	smmu_invalidate(0);
	expect(is_written(IOVA, to), "no DMA through stage 1");
}

static void test_events(void)
{
	u32 seen = event_irqs, n, dropped;

	load();
	smmu_stage1();
	edu_dma(IOVA, CMD_TO_RAM);
	expect(comes(&event_irqs, seen), "no interrupt of an event");
	/* The device makes one for each four bytes: soon more than the queue has room for. */
	for (u32 i = 0; i < 5 && !(smmu_get(SMMU_EVENTQ_PROD) & SMMU_Q_OVERFLOW); i++) {
		delay_us(STORM_US);
		edu_dma(IOVA, CMD_TO_RAM);
	}
	n = smmu_get(SMMU_EVENTQ_PROD);
	expect_eq((n ^ smmu_get(SMMU_EVENTQ_CONS)) >> 31, 1, "OVFLG");
	expect_eq((n - smmu_cons) & (2 * EVENTS - 1), EVENTS, "records");
	/* The machine may have more of them, for which there is room as these are taken. */
	dropped = smmu_drop_events();
	expect(dropped >= EVENTS, "%u records, expected %u or more", dropped, EVENTS);
	do
		delay_us(STORM_US);
	while (smmu_drop_events());
	expect_eq(smmu_get(SMMU_EVENTQ_PROD) ^ smmu_get(SMMU_EVENTQ_CONS), 0,
		  "PROD and CONS in the end");
	/* Too many: the device may be stopped for a while, not for good. */
	smmu_map(0, (u64)to, PAGE_BITS);
	smmu_invalidate(0);
	delay_us(STORM_US);
	smmu_drop_events();
	expect(is_written(IOVA, to), "no DMA after too many events");
	/* A queue in no memory. */
	seen = error_irqs;
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN);
	write64(dt.smmu + SMMU_EVENTQ_BASE, NOWHERE | EVENTS_LOG2);
	smmu_put(SMMU_EVENTQ_PROD, 0);
	smmu_put(SMMU_EVENTQ_CONS, smmu_cons = 0);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN);
	edu_dma(IOVA + 5 * EDU_PAGE, CMD_TO_RAM);
	expect(comes(&error_irqs, seen), "no interrupt of an error");
	expect_eq(smmu_get(SMMU_GERROR) ^ smmu_get(SMMU_GERRORN), SMMU_GERROR_EVENTQ_ABT, "GERROR");
	expect_eq(smmu_get(SMMU_EVENTQ_PROD), 0, "EVENTQ_PROD");
}

/* The queue stops at a command that is none, with this reason; then goes on behind it. */
static void expect_illegal(u64 w0)
{
	u32 at = smmu_prod, seen = error_irqs;

	smmu_add_command(w0, 0);
	smmu_add_command(SMMU_CMD_SYNC, 0);
	expect(!smmu_send(), "command 0x%lx is taken", w0);
	expect_eq(smmu_get(SMMU_CMDQ_CONS), at | SMMU_CERROR_ILL << SMMU_CMDQ_ERR_SHIFT,
		  "CMDQ_CONS");
	expect_eq(smmu_get(SMMU_GERROR) ^ smmu_get(SMMU_GERRORN), SMMU_GERROR_CMDQ, "GERROR");
	expect(comes(&error_irqs, seen), "no interrupt of an error");
	smmu_cmdq[2 * (at % (1u << CMDS_LOG2))] = SMMU_CMD_SYNC;
	dsb(sy);
	smmu_put(SMMU_GERRORN, smmu_get(SMMU_GERROR));
	expect(smmu_drained(), "the queue does not go on");
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

	smmu_turn_on();
	for (u32 i = 0; i < ARRAY_SIZE(illegal); i++)
		expect_illegal(illegal[i]);
	/* Of streams that are nobody's, prefetches: nothing. */
	for (u64 sid = 0; sid < 0x10000; sid += 0x333)
		smmu_add_command(SMMU_CMD_CFGI_STE | sid << SMMU_CMD_SID_SHIFT, 1);
	smmu_command(SMMU_CMD_PREFETCH_CFG, 0);
	/* All of the queue at once, many times. */
	for (u32 round = 0; round < 20; round++) {
		for (u32 i = 0; i < (1u << CMDS_LOG2) - 1; i++)
			smmu_add_command(SMMU_CMD_TLBI_NH_VAA, (u64)i << 12);
		expect(smmu_send(), "a full queue is not taken");
	}
	/* In no memory. */
	smmu_put(SMMU_CR0, 0);
	write64(dt.smmu + SMMU_CMDQ_BASE, NOWHERE | CMDS_LOG2);
	smmu_put(SMMU_CMDQ_CONS, 0);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN);
	smmu_put(SMMU_CMDQ_PROD, 1);
	expect_eq(smmu_get(SMMU_CMDQ_CONS), SMMU_CERROR_ABT << SMMU_CMDQ_ERR_SHIFT, "CMDQ_CONS");
	smmu_turn_on();
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
	smmu_stage1();
	smmu_table_msi[1][IOVA_MSI >> 12 & 511] =
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
	u64 r = random_next(seed), *ste = smmu_strtab + STE_WORDS * (r >> 32 & (BIT(SID_BITS) - 1));

	if (r & 16)
		ste = smmu_strtab + STE_WORDS * edu_devfn;
	ste[0] = (random_next(seed) & ~STE_S1CONTEXT) |
		 (r & 32 ? (u64)smmu_cd : random_address(seed) & STE_S1CONTEXT);
	ste[1] = r & 64 ? random_next(seed) : 0;
}

static void random_command(u64 *seed)
{
	u64 r = random_next(seed), *w = smmu_cmdq + 2 * (r >> 32 & (BIT(CMDS_LOG2) - 1));

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
		smmu_put(SMMU_CR0, (u32)v | (r & 256 ? SMMU_CR0_CMDQEN | SMMU_CR0_SMMUEN : 0));
		break;
	case 2:
		smmu_put(SMMU_GERRORN, r & 256 ? smmu_get(SMMU_GERROR) : (u32)v);
		break;
	case 3:
		smmu_put(r & 256 ? SMMU_EVENTQ_CONS : SMMU_CMDQ_CONS, (u32)v);
		break;
	case 4:
		write64(dt.smmu + SMMU_STRTAB_BASE, (u64)smmu_strtab);
		write64(dt.smmu + SMMU_CMDQ_BASE, (u64)smmu_cmdq | CMDS_LOG2);
		break;
	case 5:
		if ((r >> 8 & 0xff) != SMMU_EVENTQ_BASE && (r >> 8 & 0xfc) != SMMU_EVENTQ_BASE + 4)
			smmu_put(r >> 8 & 0xfc, (u32)v);
		(void)smmu_get(r >> 16 & 0x1fffc);
		break;
	default:
		smmu_put(SMMU_CMDQ_PROD, (u32)v & 0x1ff);
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
	smmu_stage1();
	smmu_map(0, (u64)to, PAGE_BITS);
	smmu_put(SMMU_EVENTQ_CONS, 0);
	for (u32 i = 0; i < sizeof(scratch) / 8; i++)
		((u64 *)scratch)[i] = random_next(&seed) & ~BIT(31); /* no context is valid */
	expect(smp_run_all(at_random, 10 * PATIENCE_US), "a CPU did not end");
	expect(edu_dma_wait(), "a DMA does not end");
	memset(smmu_strtab, 0, sizeof(smmu_strtab));
	delay_us(STORM_US);
	load();
	smmu_stage1();
	smmu_map(0, (u64)to, PAGE_BITS);
	expect(is_written(IOVA, to), "no DMA through stage 1");
}

/* The register of the device for tests of life counts the boots: it reads inverted. */
static void resets(u64 n)
{
	u32 boots;

	edu_put_bar(dt.pci.low, COMMAND_MEMORY | COMMAND_MASTER);
	boots = ~read32(edu_bar + EDU_LIVE);
	boots = boots > n ? 0 : boots;
	expect_eq(smmu_get(SMMU_CR0), 0, "CR0 after a reset");
	expect_eq(smmu_get(SMMU_GBPA) & SMMU_GBPA_ABORT, 0, "GBPA after a reset");
	delay_us(200000);
	expect(edu_is_zero(to), "a DMA from before the reset has arrived");
	load();
	smmu_stage1();
	smmu_map(0, (u64)to, PAGE_BITS);
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
