/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's SMMUv3s: found, made to abort everything, brought up; and whose stream is whose. */
#include "dev/smmu.h"

#include <libfdt.h>

#include "arch/barrier.h"
#include "arch/tcr.h"
#include "dev/dt.h"
#include "dev/smmu_queue.h"
#include "lib/check.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/stage1.h"
#include "mm/tlb.h"

#define STE_BYTES (8UL * STE_WORDS)
#define L2_LOG2 8 /* entries of a level-2 table: one for each function of a PCI bus */
#define L2_ENTRIES (1U << L2_LOG2)
#define L2_ORDER 2
/* Streams that a table has at most: a linear one takes 4 MiB for 16 bits. */
#define LINEAR_BITS_MAX 16
#define TWO_LEVEL_BITS_MAX 20

static struct smmu smmus[SMMU_MAX];
static u32 smmu_count;

struct smmu *smmu_at(int node)
{
	for (u32 i = 0; i < smmu_count; i++)
		if (smmus[i].node == node)
			return smmus[i].ready ? &smmus[i] : NULL;
	return NULL;
}

/* ---- found, and made to abort ---- */

/* Everything aborts while the SMMU is off, then it is turned off. */
static bool block(const struct smmu *s)
{
	u64 gbpa;

	if (!smmu_wait(s, SMMU_GBPA, SMMU_GBPA_UPDATE, 0))
		return false;
	gbpa = smmu_read(s, SMMU_GBPA) | SMMU_GBPA_ABORT | SMMU_GBPA_UPDATE;
	smmu_write(s, SMMU_GBPA, gbpa);
	if (!smmu_wait(s, SMMU_GBPA, SMMU_GBPA_UPDATE | SMMU_GBPA_ABORT, SMMU_GBPA_ABORT))
		return false;
	smmu_write(s, SMMU_CR0, 0);
	/* IRQ_CFG0 is written only while this is 0; an old error would stop the command queue. */
	smmu_write(s, SMMU_IRQ_CTRL, 0);
	smmu_write(s, SMMU_GERRORN, smmu_read(s, SMMU_GERROR));
	return smmu_wait(s, SMMU_CR0ACK, SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN,
			 0) &&
	       smmu_wait(s, SMMU_IRQ_CTRLACK, SMMU_IRQ_EVENTQ | SMMU_IRQ_GERROR, 0);
}

/* The SPI of this name; none is no error: then events wait for others' lines. */
static void read_irq(struct smmu *s, const struct dt *dt, const struct machine *m,
		     const struct dt_path *p, u32 i, const char *name)
{
	struct dt_irq irq[8];
	int at = fdt_stringlist_search(dt->fdt, s->node, "interrupt-names", name);
	int count = dt_interrupts(dt, p, m->gic_node, irq, ARRAY_SIZE(irq));

	if (at < 0 || at >= count || irq[at].intid < 32 || irq[at].intid > 1019)
		return;
	s->intid[i] = irq[at].intid;
	s->edge[i] = irq[at].edge;
}

static void find(const struct machine *m, const struct dt *dt, const struct dt_path *p)
{
	struct smmu *s = &smmus[smmu_count];
	struct range r;

	if (smmu_count == SMMU_MAX) {
		log_line("there are more than %d SMMUs: this one is left as it is", SMMU_MAX);
		return;
	}
	if (!dt_reg(dt, p, 0, &r) || !IS_ALIGNED(r.base, PAGE_SIZE) ||
	    stage1_map_device(r.base, SMMU_SIZE)) {
		log_line("an SMMU's registers can't be mapped: %s", dt->err);
		return;
	}
	*s = (struct smmu){ .regs = r.base, .node = p->node[p->depth] };
	read_irq(s, dt, m, p, 0, "eventq");
	read_irq(s, dt, m, p, 1, "gerror");
	smmu_count++;
	if (!block(s))
		smmu_give_up(s, "it can't be made to abort all accesses");
}

void smmu_block(const struct machine *m)
{
	char line[160] = "";
	struct dt dt = { .fdt = m->fdt, .err = line, .err_size = sizeof(line) };
	struct dt_path p;

	memset(smmus, 0, sizeof(smmus));
	smmu_count = 0;
	dt_walk(&p);
	while (dt_next(dt.fdt, &p))
		if (dt_compatible(dt.fdt, p.node[p.depth], "arm,smmu-v3") &&
		    dt_path_enabled(dt.fdt, &p))
			find(m, &dt, &p);
}

/* ---- brought up ---- */

/* Why nidus can't use it, or NULL. */
static const char *lacks(const struct smmu *s)
{
	u32 idr0 = smmu_read(s, SMMU_IDR0), idr1 = smmu_read(s, SMMU_IDR1);

	if (!(idr0 & SMMU_IDR0_S2P))
		return "it has no stage 2";
	if (!(idr0 & SMMU_IDR0_TTF_AARCH64) || !(smmu_read(s, SMMU_IDR5) & SMMU_IDR5_GRAN4K))
		return "it can't read tables of 4 KiB pages";
	if (SMMU_IDR0_TTENDIAN(idr0) == 3)
		return "it is big-endian";
	if (!(idr0 & SMMU_IDR0_COHACC))
		return "it does not see the CPUs' caches";
	if (idr1 & SMMU_IDR1_PRESET)
		return "its tables are where the machine wants them";
	if (SMMU_IDR1_CMDQS(idr1) < SMMU_CMDS_LOG2 || SMMU_IDR1_EVENTQS(idr1) < SMMU_EVENTS_LOG2)
		return "its queues are too small";
	return NULL;
}

static void read_features(struct smmu *s)
{
	static const u8 oas[] = { 32, 36, 40, 42, 44, 48, 52, 52 };
	u32 idr0 = smmu_read(s, SMMU_IDR0);

	s->vmid16 = idr0 & SMMU_IDR0_VMID16;
	s->stalls = SMMU_IDR0_STALL(idr0) != 1;
	s->two_level = SMMU_IDR0_ST_LEVEL(idr0) == 1;
	s->oas_bits = oas[SMMU_IDR5_OAS(smmu_read(s, SMMU_IDR5))];
	s->sid_bits = MIN(SMMU_IDR1_SIDSIZE(smmu_read(s, SMMU_IDR1)),
			  s->two_level ? TWO_LEVEL_BITS_MAX : LINEAR_BITS_MAX);
	/* Not worth two levels. */
	if (s->sid_bits <= L2_LOG2)
		s->two_level = false;
}

/* Pages for n entries that abort, without a word about it; 0: no memory. */
static u64 aborting_entries(u64 n)
{
	u64 page = page_alloc(page_order(n * STE_BYTES));
	u64 *ste = pa_ptr(pa(page));

	if (!page)
		return 0;
	page_zero(page, PAGE_SIZE << page_order(n * STE_BYTES));
	for (u64 i = 0; i < n; i++)
		ste[i * STE_WORDS] = STE_V | STE_ABORT;
	return page;
}

/* All streams abort: one level-2 table, to begin with, is everybody's. */
static bool make_strtab(struct smmu *s)
{
	u64 n = BIT(s->sid_bits - L2_LOG2), page;

	if (!s->two_level) {
		page = aborting_entries(BIT(s->sid_bits));
		s->strtab = pa_ptr(pa(page));
		return page;
	}
	s->aborting = aborting_entries(L2_ENTRIES);
	page = page_alloc(page_order(n * sizeof(u64)));
	if (!s->aborting || !page)
		return false;
	s->strtab = pa_ptr(pa(page));
	for (u64 i = 0; i < n; i++)
		s->strtab[i] = s->aborting | STE_L1_SPAN;
	return true;
}

static bool make_tables(struct smmu *s)
{
	u64 cmdq = page_alloc_zero(), eventq = page_alloc_zero();

	s->cmdq = pa_ptr(pa(cmdq));
	s->eventq = pa_ptr(pa(eventq));
	return cmdq && eventq && make_strtab(s);
}

static bool set_cr0(const struct smmu *s, u64 v)
{
	smmu_write(s, SMMU_CR0, v);
	return smmu_wait(s, SMMU_CR0ACK, v, v);
}

static void set_bases(const struct smmu *s)
{
	u64 format = s->two_level ? SMMU_STRTAB_2LEVEL | L2_LOG2 << SMMU_STRTAB_SPLIT_SHIFT : 0;

	smmu_write(s, SMMU_CR1, SMMU_CR1_CACHED);
	smmu_write(s, SMMU_CR2, SMMU_CR2_PTM);
	smmu_write64(s, SMMU_STRTAB_BASE, ptr_pa(s->strtab).a | SMMU_BASE_RA);
	smmu_write(s, SMMU_STRTAB_BASE_CFG, format | s->sid_bits);
	smmu_write64(s, SMMU_CMDQ_BASE, ptr_pa(s->cmdq).a | SMMU_BASE_RA | SMMU_CMDS_LOG2);
	smmu_write(s, SMMU_CMDQ_PROD, 0);
	smmu_write(s, SMMU_CMDQ_CONS, 0);
	smmu_write64(s, SMMU_EVENTQ_BASE, ptr_pa(s->eventq).a | SMMU_EVENTS_LOG2);
	smmu_write(s, SMMU_EVENTQ_PROD, 0);
	smmu_write(s, SMMU_EVENTQ_CONS, 0);
}

/* Interrupts as wires, not as messages. */
static bool enable_irqs(const struct smmu *s, u32 idr0)
{
	u64 on = SMMU_IRQ_EVENTQ | SMMU_IRQ_GERROR;

	if (idr0 & SMMU_IDR0_MSI) {
		smmu_write64(s, SMMU_EVENTQ_IRQ_CFG0, 0);
		smmu_write64(s, SMMU_GERROR_IRQ_CFG0, 0);
	}
	smmu_write(s, SMMU_GERRORN, smmu_read(s, SMMU_GERROR));
	smmu_write(s, SMMU_IRQ_CTRL, on);
	return smmu_wait(s, SMMU_IRQ_CTRLACK, on, on);
}

/* Turn it on, with nothing left of what firmware did. */
static bool enable(struct smmu *s)
{
	u32 idr0 = smmu_read(s, SMMU_IDR0);
	u64 on = SMMU_CR0_CMDQEN | (idr0 & SMMU_IDR0_ATS ? SMMU_CR0_ATSCHK : 0);

	set_bases(s);
	if (!set_cr0(s, on))
		return false;
	smmu_command(s, SMMU_CMD_CFGI_ALL, SMMU_CMD_ALL_STREAMS);
	if (idr0 & SMMU_IDR0_HYP)
		smmu_command(s, SMMU_CMD_TLBI_EL2_ALL, 0);
	smmu_command(s, SMMU_CMD_TLBI_NSNH_ALL, 0);
	if (!smmu_sync(s))
		return false;
	return set_cr0(s, on |= SMMU_CR0_EVENTQEN) && enable_irqs(s, idr0) &&
	       set_cr0(s, on | SMMU_CR0_SMMUEN);
}

void smmu_init(void)
{
	for (u32 i = 0; i < smmu_count; i++) {
		struct smmu *s = &smmus[i];
		const char *why = s->stuck ? "it does not answer" : lacks(s);

		if (!why) {
			read_features(s);
			why = !make_tables(s) ? "there is no memory for its tables"
			      : !enable(s)    ? "it can't be turned on"
					      : NULL;
		}
		s->ready = !why;
		if (why)
			log_line("smmu at 0x%lx: %s; no VM gets a device behind it", s->regs, why);
		else
			log_line("smmu at 0x%lx: %u bits of streams, %u of addresses; all abort",
				 s->regs, s->sid_bits, s->oas_bits);
	}
}

u32 smmu_irqs(u32 *intid, bool *edge)
{
	u32 n = 0;

	for (u32 i = 0; i < 2 * smmu_count; i++) {
		const struct smmu *s = &smmus[i / 2];

		if (!s->ready || !s->intid[i % 2])
			continue;
		intid[n] = s->intid[i % 2];
		edge[n++] = s->edge[i % 2];
	}
	return n;
}

void smmu_interrupt(u32 intid)
{
	for (u32 i = 0; i < smmu_count; i++)
		if (smmus[i].ready && (smmus[i].intid[0] == intid || smmus[i].intid[1] == intid))
			smmu_take_events(&smmus[i]);
}

/* ---- streams ---- */

void smmu_ste_stage2(u64 ste[8], u64 vtcr, u64 vttbr, bool record)
{
	memset(ste, 0, STE_BYTES);
	ste[0] = STE_V | STE_STAGE2;
	ste[1] = STE1_SHCFG_INCOMING | STE1_MEV;
	ste[2] = FIELD(vttbr, 63, VTTBR_VMID_SHIFT) | FIELD(vtcr, 18, 0) << STE2_VTCR_SHIFT |
		 STE2_S2AA64 | STE2_S2AFFD | STE2_S2PTW | (record ? STE2_S2R : 0);
	ste[3] = vttbr & MASK(47, 4);
}

/* The stream's entry. */
static u64 *entry_of(const struct smmu *s, u32 sid)
{
	u64 *table = s->strtab;

	if (s->two_level) {
		table = pa_ptr(pa(s->strtab[sid >> L2_LOG2] & MASK(51, 6)));
		sid %= L2_ENTRIES;
	}
	return table + (u64)sid * STE_WORDS;
}

/* A level-2 table of its own for the stream's 256. */
static bool own_table(struct smmu *s, u32 sid)
{
	u64 *l1 = &s->strtab[sid >> L2_LOG2], table;

	if (!s->two_level || (*l1 & MASK(51, 6)) != s->aborting)
		return true;
	table = aborting_entries(L2_ENTRIES);
	if (!table)
		return false;
	spin_lock(&s->lock);
	dsb(ishst); /* who finds the table finds it filled */
	__atomic_store_n(l1, table | STE_L1_SPAN, __ATOMIC_RELAXED);
	smmu_command(s, SMMU_CMD_CFGI_ALL, SMMU_CMD_ALL_STREAMS);
	(void)!smmu_sync(s);
	spin_unlock(&s->lock);
	return true;
}

const char *smmu_stream_init(struct smmu_stream *stream)
{
	struct smmu *s = stream->smmu;

	if (stream->sid >> s->sid_bits)
		return "one whose stream the SMMU's table has no room for";
	for (const struct smmu_stream *t = s->streams; t; t = t->next)
		if (t != stream && t->sid == stream->sid)
			return "one whose stream another device has too";
	if (!own_table(s, stream->sid))
		return "no memory for its stream table";
	spin_lock(&s->lock);
	stream->next = s->streams;
	s->streams = stream;
	spin_unlock(&s->lock);
	return NULL;
}

void smmu_stream_done(struct smmu_stream *stream)
{
	struct smmu *s = stream->smmu;
	struct smmu_stream **at;

	if (!s)
		return;
	spin_lock(&s->lock);
	for (at = &s->streams; *at && *at != stream; at = &(*at)->next)
		;
	if (*at && !stream->attached)
		*at = stream->next;
	spin_unlock(&s->lock);
}

const char *smmu_stage2_check(const struct smmu *s, const struct stage2 *s2)
{
	if (s2->pt.ia_bits > s->oas_bits)
		return "more address bits than its SMMU has";
	if (!s->vmid16 && s2->vmid > 255)
		return "no VMID of 8 bits for its SMMU";
	return NULL;
}

/* The entry was changed: the SMMU reads it again. */
static bool refresh(struct smmu *s, u32 sid)
{
	smmu_command(s, SMMU_CMD_CFGI_STE | (u64)sid << SMMU_CMD_SID_SHIFT, 1);
	return smmu_sync(s);
}

/* Only word 0 decides whether the others count; it is one store. */
static void set_word0(u64 *entry, u64 v)
{
	dsb(ishst);
	__atomic_store_n(entry, v, __ATOMIC_RELAXED);
}

/* Of stage 2, with what stands before it as the stream has it. */
static void make_entry(const struct smmu *s, const struct smmu_stream *t, u64 ste[STE_WORDS])
{
	smmu_ste_stage2(ste, t->vtcr, t->vttbr, !t->quiet);
	if (t->before == SMMU_STAGE1) {
		ste[0] = STE_V | STE_NESTED | t->context;
		/* A fault that stalls would wait for nidus (IHI 0070, 5.2: S1STALLD). */
		ste[1] &= ~STE1_STAGE1;
		ste[1] |= t->attr | (s->stalls ? STE1_S1STALLD : 0);
	}
	if (t->before == SMMU_REFUSES)
		ste[0] = 0;
	if (t->before == SMMU_ABORTS || t->paused || t->shut)
		ste[0] = STE_V | STE_ABORT;
}

/* Whether words of the entry that count at the moment are to change. */
static bool counts(const u64 *entry, const u64 *ste)
{
	if (!(entry[0] & STE_TRANSLATES))
		return false;
	if ((entry[0] & STE_CONFIG) == STE_NESTED && entry[1] != ste[1])
		return true;
	return memcmp(entry + 2, ste + 2, STE_BYTES - 2 * sizeof(*ste));
}

/*
 * Word 0 is one store, by which the others begin to count; those that do already change while the
 * stream aborts. So a stream goes from stage 2 to both and back without a gap.
 */
bool smmu_put_entry(struct smmu *s, struct smmu_stream *t)
{
	u64 ste[STE_WORDS], *entry = entry_of(s, t->sid);
	bool ok = true;

	make_entry(s, t, ste);
	if (counts(entry, ste)) {
		set_word0(entry, STE_V | STE_ABORT);
		ok = refresh(s, t->sid);
	}
	if (ok && memcmp(entry + 1, ste + 1, STE_BYTES - sizeof(*ste)) != 0) {
		for (u32 i = 1; i < STE_WORDS; i++)
			entry[i] = ste[i];
		ok = refresh(s, t->sid);
	}
	if (!ok)
		return false;
	set_word0(entry, ste[0]);
	return refresh(s, t->sid);
}

static void invalidate_vmid(struct smmu *s, u16 vmid)
{
	smmu_command(s, SMMU_CMD_TLBI_S12_VMALL | (u64)vmid << SMMU_CMD_VMID_SHIFT, 0);
}

/* A stream that the tables of this VMID translate, one with stage 1 first; or NULL. */
static const struct smmu_stream *stream_of(const struct smmu *s, u16 vmid)
{
	const struct smmu_stream *found = NULL;

	for (const struct smmu_stream *t = s->streams; t; t = t->next)
		if (t->attached && t->vmid == vmid && (!found || t->events))
			found = t;
	return found;
}

/*
 * What the SMMU knows of an IPA. With stage 1 it may know it by other addresses only, for which
 * there is no command but one for all (IHI 0070, 4.4.2: TLBI_S2_IPA is about stage 2 alone).
 */
static void invalidate_range(struct smmu *s, const struct smmu_stream *t, u64 ia, u64 size)
{
	if (t->events || size > TLB_RANGE_PAGES_MAX * PAGE_SIZE) {
		invalidate_vmid(s, t->vmid);
		return;
	}
	for (u64 a = ia; a < ia + size; a += PAGE_SIZE)
		smmu_command(s, SMMU_CMD_TLBI_S2_IPA | (u64)t->vmid << SMMU_CMD_VMID_SHIFT,
			     a & MASK(51, 12));
}

/*
 * A VM's tables have lost [ia, ia + size). An SMMU that does not answer is given up: what was there
 * may still be written, until the VM ends, whose memory then stays unused.
 */
static void devices_invalidate(const struct stage2 *s2, u64 ia, u64 size)
{
	for (u32 i = 0; i < smmu_count; i++) {
		struct smmu *s = &smmus[i];
		const struct smmu_stream *t;

		spin_lock(&s->lock);
		t = stream_of(s, s2->vmid);
		if (t) {
			invalidate_range(s, t, ia, size);
			(void)!smmu_sync(s);
		}
		spin_unlock(&s->lock);
	}
}

bool smmu_attach(struct smmu_stream *t, struct stage2 *s2, const char *vm)
{
	struct smmu *s = t->smmu;
	bool ok;

	spin_lock(&s->lock);
	if (s->stuck) {
		spin_unlock(&s->lock);
		return false;
	}
	CHECK(!t->attached);
	t->faults = 0;
	t->quiet = t->shut = false;
	smmu_stage1_reset(t);
	t->vm = vm;
	t->vmid = s2->vmid;
	t->vtcr = s2->vtcr;
	t->vttbr = s2->vttbr;
	t->attached = true;
	s2->devices = devices_invalidate;
	invalidate_vmid(s, s2->vmid);
	ok = smmu_put_entry(s, t);
	spin_unlock(&s->lock);
	return ok;
}

bool smmu_detach(struct smmu_stream *t)
{
	struct smmu *s = t->smmu;
	bool ok;

	spin_lock(&s->lock);
	ok = !s->stuck;
	if (t->attached) {
		smmu_stage1_reset(t);
		set_word0(entry_of(s, t->sid), STE_V | STE_ABORT);
		/* No transaction goes on by the old entry, */
		ok = refresh(s, t->sid);
		/* and those that were translated before have reached memory. */
		invalidate_vmid(s, t->vmid);
		ok &= smmu_sync(s);
		t->attached = !ok;
	}
	spin_unlock(&s->lock);
	return ok;
}

void smmu_quiet(struct smmu *s, struct smmu_stream *t)
{
	u64 *word = entry_of(s, t->sid) + 2;

	if (!t->attached)
		return;
	/* S2R is about faults of stage 2 (IHI 0070, 5.5); an STE that aborts records nothing. */
	t->shut = t->quiet;
	if (t->shut)
		set_word0(entry_of(s, t->sid), STE_V | STE_ABORT);
	t->quiet = true;
	__atomic_store_n(word, *word & ~STE2_S2R, __ATOMIC_RELAXED);
	(void)!refresh(s, t->sid);
}
