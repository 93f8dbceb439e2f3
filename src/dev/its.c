/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's ITSs: found, their tables, collections and devices. */
#include "dev/its.h"

#include <libfdt.h>

#include "arch/barrier.h"
#include "arch/gicv3.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "dev/dt.h"
#include "dev/gicv3.h"
#include "dev/its_queue.h"
#include "dev/lpi.h"
#include "dev/pcpu.h"
#include "lib/log.h"
#include "mm/page.h"
#include "mm/stage1.h"

#define ITS_MAX 4
#define L1_ENTRY 8U          /* bytes of a first-level entry */
#define FLAT_MAX MIB(1)      /* a larger device table has two levels, if it can */
#define TABLE_PAGES_MAX 256U /* what BASER<n>.Size can say */
#define POLLS 1000000U
#define RETRIES_A_SECOND 1000

static struct its itss[ITS_MAX];
static u32 its_count, collections;
static bool usable; /* the GIC has LPIs, and an ITS is up */
/* Whose the LPIs are; each is written once, before its LPI is enabled. */
static struct its_device *owner[GIC_LPIS];

struct its *its_at(int node)
{
	for (u32 i = 0; i < its_count; i++)
		if (itss[i].node == node)
			return itss[i].ready ? &itss[i] : NULL;
	return NULL;
}

u64 its_base(void)
{
	for (u32 i = 0; i < its_count; i++)
		if (itss[i].ready)
			return itss[i].regs;
	return 0;
}

u64 its_doorbell(const struct its *s)
{
	return s->regs + GITS_FRAME;
}

u32 its_events_max(const struct its *s)
{
	return (u32)MIN(BIT(s->event_bits), GIC_LPIS / 2);
}

struct its_device *its_lpi(u32 intid)
{
	u32 n = intid - GIC_LPI;

	return n < GIC_LPIS ? __atomic_load_n(&owner[n], __ATOMIC_ACQUIRE) : NULL;
}

/* ---- tables ---- */

/* Zeroed memory, visible to the ITS; 0: there is none. */
static u64 table_alloc(const struct its *s, u64 size)
{
	u64 at = page_alloc(page_order(size));

	if (!at)
		return 0;
	page_zero(at, PAGE_SIZE << page_order(size));
	its_publish(pa_ptr(pa(at)), size, s->clean_tables);
	return at;
}

/*
 * The page size and the attributes that a table can have: what is written reads back as it will be
 * (IHI0069, GITS_BASER<n>).
 */
static u64 probe_base(struct its *s, u32 reg)
{
	u64 fixed = its_read(s, reg) & (MASK(58, 56) | MASK(52, 48));
	u64 v = fixed | GIC_BASE_INNER_SHAREABLE | GIC_CACHE_RAWAWB << GITS_BASE_INNER |
		2UL << GITS_BASER_PAGE;

	its_write(s, reg, v);
	v = its_read(s, reg);
	if (!(v & GIC_BASE_SHARE)) {
		v = (v & ~GITS_BASE_CACHE_FIELD) | GIC_CACHE_NC << GITS_BASE_INNER;
		s->clean_tables = true;
	}
	return v & ~(MASK(47, 12) | GITS_BASER_INDIRECT | GITS_BASE_VALID | MASK(7, 0));
}

/* Give the ITS a table of so many bytes. Returns it, or 0. */
static u64 set_table(struct its *s, u32 reg, u64 base, u64 bytes)
{
	u64 page = GITS_BASER_PAGE_SIZE(base), at;

	bytes = ALIGN_UP(bytes, page);
	at = bytes / page > TABLE_PAGES_MAX ? 0 : table_alloc(s, bytes);
	/* Above 48 bits its place in the register is another with each page size. */
	if (!at || at >> 48)
		return 0;
	its_write(s, reg, base | at | GITS_BASE_VALID | (bytes / page - 1));
	return at;
}

/* Whether the device table can have two levels. */
static bool try_indirect(const struct its *s, u32 reg, u64 base)
{
	its_write(s, reg, base | GITS_BASER_INDIRECT);
	return its_read(s, reg) & GITS_BASER_INDIRECT;
}

/* As many DeviceIDs as there are bits, or as many as a table of the largest size has room for. */
static bool make_devices(struct its *s, u32 reg)
{
	u64 base = probe_base(s, reg), page = GITS_BASER_PAGE_SIZE(base), at;
	u32 entry = GITS_BASER_ENTRY(base);
	u64 in_page = page / entry;

	s->table_page = (u32)page;
	s->table_entry = entry;
	s->indirect = (u64)entry << s->device_bits > FLAT_MAX && try_indirect(s, reg, base);
	if (s->indirect) {
		base |= GITS_BASER_INDIRECT;
		in_page *= page / L1_ENTRY;
		entry = L1_ENTRY;
	}
	while (BIT(s->device_bits) > in_page * TABLE_PAGES_MAX)
		s->device_bits--;
	at = set_table(s, reg, base,
		       (s->indirect ? BIT(s->device_bits) / (page / s->table_entry)
				    : BIT(s->device_bits)) *
			       entry);
	s->devices = pa_ptr(pa(at));
	return at;
}

static bool make_tables(struct its *s)
{
	for (u32 i = 0; i < GITS_BASERS; i++) {
		u32 reg = GITS_BASER + 8 * i;
		u64 v = its_read(s, reg);

		switch (GITS_BASER_TYPE(v)) {
		case GITS_BASER_DEVICES:
			if (!make_devices(s, reg))
				return false;
			break;
		case GITS_BASER_COLLECTIONS:
			v = probe_base(s, reg);
			if (!set_table(s, reg, v, (u64)MACHINE_CPUS_MAX * GITS_BASER_ENTRY(v)))
				return false;
			break;
		default: /* virtual PEs, or nothing: not used */
			its_write(s, reg, v & ~GITS_BASE_VALID);
		}
	}
	return s->devices;
}

static bool make_queue(struct its *s)
{
	u64 at = page_alloc(ITS_QUEUE_ORDER), v;

	if (!at)
		return false;
	v = at | (ITS_QUEUE_BYTES / PAGE_SIZE - 1) | GITS_BASE_VALID;
	s->queue = pa_ptr(pa(at));
	its_write(s, GITS_CBASER,
		  v | GIC_BASE_INNER_SHAREABLE | GIC_CACHE_RAWAWB << GITS_BASE_INNER);
	if (!(its_read(s, GITS_CBASER) & GIC_BASE_SHARE)) {
		s->clean_queue = true;
		its_write(s, GITS_CBASER, v | GIC_CACHE_NC << GITS_BASE_INNER);
	}
	its_write(s, GITS_CWRITER, 0);
	s->at = 0;
	return true;
}

/* ---- brought up ---- */

static u8 *ctlr_of(const struct its *s)
{
	return (u8 *)pa_ptr(pa(s->regs)) + GITS_CTLR;
}

/* Off, with nothing under way: firmware may have used it. */
static bool turn_off(const struct its *s)
{
	u8 *ctlr = ctlr_of(s);

	mmio_write32(ctlr, mmio_read32(ctlr) & ~(u32)GITS_CTLR_ENABLED);
	for (u32 i = 0; i < POLLS; i++)
		if (mmio_read32(ctlr) & GITS_CTLR_QUIESCENT)
			return true;
	return false;
}

/* NULL, or why it can't be used. */
static const char *bring_up(struct its *s)
{
	u64 typer = its_read(s, GITS_TYPER);

	if (!(typer & GITS_TYPER_PHYSICAL))
		return "it has no physical LPIs";
	s->device_bits = GITS_TYPER_DEVICE_BITS(typer);
	s->event_bits = GITS_TYPER_EVENT_BITS(typer);
	s->itt_entry = GITS_TYPER_ITT_ENTRY(typer);
	s->pta = typer & GITS_TYPER_PTA;
	if (!turn_off(s))
		return "it does not become quiescent";
	if (!make_tables(s) || !make_queue(s))
		return "there is no memory for its tables";
	mmio_write32(ctlr_of(s), mmio_read32(ctlr_of(s)) | (u32)GITS_CTLR_ENABLED);
	return NULL;
}

static void find(const struct dt *dt, const struct dt_path *p)
{
	struct its *s = &itss[its_count];
	struct range r;
	const char *why;

	if (its_count == ITS_MAX) {
		log_line("there are more than %d ITSs: this one is left as it is", ITS_MAX);
		return;
	}
	if (!dt_reg(dt, p, 0, &r) || r.size < GITS_SIZE || !IS_ALIGNED(r.base, PAGE_SIZE) ||
	    stage1_map_device(r.base, GITS_FRAME)) {
		log_line("an ITS's registers can't be mapped: %s", dt->err);
		return;
	}
	for (u32 i = 0; i < its_count; i++)
		if (itss[i].regs == r.base) {
			log_line("its at 0x%lx: described twice; taken once", r.base);
			return;
		}
	*s = (struct its){ .regs = r.base, .node = p->node[p->depth] };
	its_count++;
	why = bring_up(s);
	s->ready = !why;
	usable |= s->ready;
	if (why)
		log_line("its at 0x%lx: %s; devices there have no messages", s->regs, why);
}

/* What SYNC and MAPC call a redistributor. */
static u64 target_of(const struct its *s, const struct pcpu *cpu)
{
	const u8 *rd = cpu->gicr;

	if (s->pta)
		return (u64)rd & MASK(51, 16);
	return FIELD(mmio_read64(rd + GICR_TYPER), 23, GICR_TYPER_NUMBER) << ITS_RDBASE_SHIFT;
}

static void map_collection(struct its *s, const struct pcpu *cpu)
{
	u64 target = target_of(s, cpu);

	spin_lock(&s->lock);
	if (its_command(s, ITS_MAPC, 0, ITS_VALID | target | cpu->collection) &&
	    its_command(s, ITS_INVALL, 0, cpu->collection))
		(void)!its_sync(s, target);
	spin_unlock(&s->lock);
}

void its_cpu_init(struct pcpu *cpu)
{
	const char *why = usable ? lpi_cpu_init(cpu) : NULL;

	if (why)
		log_line("cpu 0x%lx: no message comes to it: %s", cpu->mpidr, why);
	if (!usable || why)
		return;
	cpu->collection = (u16)__atomic_fetch_add(&collections, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < its_count; i++)
		if (itss[i].ready)
			map_collection(&itss[i], cpu);
}

/* Whether the LPI of an INT command arrives here; nothing else is enabled that could come first. */
static bool try_int(struct its *s)
{
	struct its_device d = { .its = s, .id = (u32)BIT(s->device_bits) - 1, .events = 2 };
	u32 intid = INTID_NONE;

	if (its_device_init(&d)) {
		its_device_done(&d);
		return false;
	}
	spin_lock(&s->lock);
	if (its_command(s, ITS_INT | (u64)d.id << ITS_DEVICE_SHIFT, 1, 0))
		(void)!its_sync(s, target_of(s, pcpu_this()));
	spin_unlock(&s->lock);
	for (u32 i = 0; i < POLLS && intid == INTID_NONE && !s->stuck; i++)
		intid = gicv3_ack();
	if (intid != INTID_NONE)
		gicv3_eoi(intid);
	its_device_done(&d);
	return intid == d.lpi + 1;
}

void its_init(const struct machine *m)
{
	char line[160] = "";
	struct dt dt = { .fdt = m->fdt, .err = line, .err_size = sizeof(line) };
	const char *why = NULL;
	struct dt_path p;

	its_count = collections = 0;
	usable = false;
	dt_walk(&p);
	while (!why && dt_next(dt.fdt, &p)) {
		if (!dt_compatible(dt.fdt, p.node[p.depth], "arm,gic-v3-its") ||
		    !dt_path_enabled(dt.fdt, &p))
			continue;
		if (!its_count)
			why = lpi_init(m);
		if (!why)
			find(&dt, &p);
	}
	if (why)
		log_line("its: %s; devices have no messages", why);
	its_cpu_init(pcpu_this());
	for (u32 i = 0; i < its_count; i++) {
		struct its *s = &itss[i];

		if (!s->ready)
			continue;
		s->ready = pcpu_this()->lpis && try_int(s);
		if (s->ready)
			log_line("its at 0x%lx: %u bits of devices, %u of events, %lu LPIs",
				 s->regs, s->device_bits, s->event_bits, GIC_LPIS);
		else if (pcpu_this()->lpis)
			log_line("its at 0x%lx: an LPI that it was told to send did not arrive; "
				 "devices there have no messages",
				 s->regs);
	}
}

/* ---- devices ---- */

/* A second level of the device table for this DeviceID, if there is none yet. Lock held. */
static bool make_level2(struct its *s, u32 id)
{
	u64 *l1 = &s->devices[id / (s->table_page / s->table_entry)], at;

	if (!s->indirect || *l1 & GITS_BASE_VALID)
		return true;
	at = table_alloc(s, s->table_page);
	if (!at)
		return false;
	__atomic_store_n(l1, at | GITS_BASE_VALID, __ATOMIC_RELAXED);
	its_publish(l1, sizeof(*l1), s->clean_tables);
	return true;
}

static u64 mapd(const struct its_device *d)
{
	return ITS_MAPD | (u64)d->id << ITS_DEVICE_SHIFT;
}

/* Map the device and its events, all of them in the boot CPU's collection. Lock held. */
static bool map_events(struct its *s, const struct its_device *d)
{
	u32 bits = (u32)__builtin_ctz(d->events);

	if (!its_command(s, mapd(d), bits - 1, ITS_VALID | d->itt))
		return false;
	for (u32 i = 0; i < d->events; i++)
		if (!its_command(s, ITS_MAPTI | (u64)d->id << ITS_DEVICE_SHIFT,
				 i | (u64)(d->lpi + i) << ITS_PINTID_SHIFT, 0))
			return false;
	/* Collection 0 is the boot CPU's, which is the caller. */
	return its_command(s, ITS_INVALL, 0, 0) && its_sync(s, target_of(s, pcpu_this()));
}

static void set_owner(const struct its_device *d, struct its_device *to)
{
	for (u32 i = 0; i < d->events; i++)
		__atomic_store_n(&owner[d->lpi - GIC_LPI + i], to, __ATOMIC_RELEASE);
}

/* Have redistributors read the LPIs' properties again. False: not now. */
static bool invalidate(struct its *s, u32 first, u32 end)
{
	bool ok = true;

	if (!spin_trylock(&s->lock))
		return false;
	for (u32 i = first; ok && i < end; i++)
		ok = its_command_maybe(s, ITS_INVALL, 0, i);
	spin_unlock(&s->lock);
	return ok;
}

/* The end of it: any CPU may have seen its LPIs disabled. */
static void go_on(struct timer *t)
{
	struct its_device *d = container_of(t, struct its_device, again);

	lpi_enable(d->lpi, d->events, true);
	if (invalidate(d->its, 0, __atomic_load_n(&collections, __ATOMIC_RELAXED)))
		__atomic_store_n(&d->held, false, __ATOMIC_RELEASE);
	else if (!d->its->stuck)
		timer_set(t, counter_now() + sysreg_read(CNTFRQ_EL0) / RETRIES_A_SECOND);
}

void its_hold(struct its_device *d, u64 until)
{
	u32 here = pcpu_this()->collection;

	if (__atomic_exchange_n(&d->held, true, __ATOMIC_ACQ_REL))
		return;
	lpi_enable(d->lpi, d->events, false);
	if (!invalidate(d->its, here, here + 1)) {
		lpi_enable(d->lpi, d->events, true);
		__atomic_store_n(&d->held, false, __ATOMIC_RELEASE);
		return;
	}
	timer_set(&d->again, until);
	if (!d->told)
		log_line("its: device 0x%x sends more messages than there is time for: they are "
			 "held back",
			 d->id);
	d->told = true;
}

const char *its_device_init(struct its_device *d)
{
	struct its *s = d->its;
	u64 bytes = MAX((u64)d->events * s->itt_entry, 256UL);
	bool ok;

	if ((u64)d->id >> s->device_bits) {
		d->events = 0;
		return "one whose messages the ITS's table has no room for";
	}
	d->itt_order = page_order(bytes);
	d->itt = table_alloc(s, bytes);
	d->lpi = d->itt ? lpi_alloc(d->events) : 0;
	if (!d->lpi) {
		if (d->itt)
			page_free(d->itt, d->itt_order);
		d->events = 0;
		return d->itt ? "more messages than there are LPIs" : "no memory for its messages";
	}
	timer_init(&d->again, go_on);
	set_owner(d, d);
	lpi_enable(d->lpi, d->events, true);
	spin_lock(&s->lock);
	ok = !s->stuck && make_level2(s, d->id) && map_events(s, d);
	spin_unlock(&s->lock);
	return ok ? NULL : "messages that its ITS does not take";
}

void its_device_done(struct its_device *d)
{
	struct its *s = d->its;
	bool ok = true;

	if (!s || !d->events)
		return;
	timer_cancel(&d->again);
	spin_lock(&s->lock);
	for (u32 i = 0; ok && i < d->events; i++)
		ok = its_command(s, ITS_DISCARD | (u64)d->id << ITS_DEVICE_SHIFT, i, 0);
	ok = ok && its_command(s, mapd(d), 0, 0) && its_sync(s, target_of(s, pcpu_this()));
	spin_unlock(&s->lock);
	set_owner(d, NULL);
	lpi_enable(d->lpi, d->events, false);
	/* Otherwise the ITS may still write there. */
	if (ok) {
		page_free(d->itt, d->itt_order);
		lpi_free(d->lpi, d->events);
	}
	d->events = 0;
}

void its_route(struct its_device *d, u32 event, const struct pcpu *cpu)
{
	struct its *s = d->its;

	if (event >= d->events || !cpu->lpis)
		return;
	/* Another VM's device may be on its way up, which takes a while; this is a hint. */
	if (!spin_trylock(&s->lock))
		return;
	(void)!its_command_maybe(s, ITS_MOVI | (u64)d->id << ITS_DEVICE_SHIFT, event,
				 cpu->collection);
	spin_unlock(&s->lock);
}
