/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's LPIs: property table, pending tables, EnableLPIs. */
#include "dev/lpi.h"

#include "arch/barrier.h"
#include "arch/gicv3.h"
#include "arch/its.h"
#include "arch/mmio_access.h"
#include "arch/spinlock.h"
#include "dev/its_queue.h"
#include "dev/pcpu.h"
#include "lib/string.h"
#include "mm/addr.h"
#include "mm/page.h"

#define PROPERTY_ORDER 1 /* a byte for each LPI */
#define PENDING_ORDER 4  /* 64 KiB, because GICR_PENDBASER has no lower bits */
#define PRIORITY 0xa0u   /* as that of other interrupts */

static struct spinlock lock; /* guards next_lpi */
static u32 next_lpi;         /* those below are given out */
static u8 *property;
static bool clean; /* a redistributor does not see the CPUs' caches */

const char *lpi_init(const struct machine *m)
{
	const u8 *gicd = pa_ptr(pa(m->gicd.base)), *gicr = pcpu_this()->gicr;
	u32 typer = mmio_read32(gicd + GICD_TYPER);
	u64 page;

	_Static_assert(PAGE_SIZE << PROPERTY_ORDER >= GIC_LPIS, "a byte for each");
	if (!(typer & GICD_TYPER_LPIS) || !(mmio_read64(gicr + GICR_TYPER) & GICR_TYPER_PLPIS))
		return "the GIC has no LPIs";
	if (GICD_TYPER_IDS(typer) < GIC_LPI_BITS)
		return "the GIC has INTIDs of less than 14 bits";
	page = page_alloc(PROPERTY_ORDER);
	if (!page)
		return "there is no memory for the property table";
	property = pa_ptr(pa(page));
	memset(property, PRIORITY | LPI_RES1, GIC_LPIS);
	next_lpi = GIC_LPI;
	clean = false;
	return NULL;
}

/*
 * Write a base register with the attributes that nidus's own map has; if the redistributor does not
 * take the shareability, it does not snoop: then without caches. Returns false in that case.
 */
static bool set_base(u8 *reg, u64 v)
{
	mmio_write64(reg, v | GIC_BASE_INNER_SHAREABLE | GIC_CACHE_RAWAWB << GICR_BASER_INNER);
	if (mmio_read64(reg) & GIC_BASE_SHARE)
		return true;
	mmio_write64(reg, v | GIC_CACHE_NC << GICR_BASER_INNER);
	return false;
}

/* Whether EnableLPIs is 0 now. */
static bool turn_off(u8 *rd)
{
	u32 ctlr = mmio_read32(rd + GICR_CTLR);

	if (!(ctlr & GICR_CTLR_LPIS))
		return true;
	mmio_write32(rd + GICR_CTLR, ctlr & ~(u32)GICR_CTLR_LPIS);
	for (u32 i = 0; i < 1000000 && (mmio_read32(rd + GICR_CTLR) & GICR_CTLR_RWP); i++)
		cpu_relax();
	return !(mmio_read32(rd + GICR_CTLR) & GICR_CTLR_LPIS);
}

const char *lpi_cpu_init(struct pcpu *cpu)
{
	u8 *rd = cpu->gicr;
	u64 pending;
	bool snoops;

	if (!turn_off(rd))
		return "firmware has enabled LPIs with tables of its own, which can't be undone";
	pending = page_alloc(PENDING_ORDER);
	if (!pending)
		return "there is no memory for its pending table";
	page_zero(pending, PAGE_SIZE << PENDING_ORDER);
	snoops = set_base(rd + GICR_PROPBASER, ptr_pa(property).a | (GIC_LPI_BITS - 1));
	snoops &= set_base(rd + GICR_PENDBASER, pending | GICR_PENDBASER_PTZ);
	if (!snoops)
		clean = true;
	its_publish(property, GIC_LPIS, clean);
	its_publish(pa_ptr(pa(pending)), PAGE_SIZE << PENDING_ORDER, clean);
	mmio_write32(rd + GICR_CTLR, mmio_read32(rd + GICR_CTLR) | (u32)GICR_CTLR_LPIS);
	/* Effective before an ITS is told of this redistributor. */
	dsb(sy);
	cpu->lpis = true;
	return NULL;
}

u32 lpi_alloc(u32 n)
{
	u32 first;

	spin_lock(&lock);
	first = ALIGN_UP(next_lpi, n);
	if (n > GIC_LPIS || first + n > GIC_LPI + GIC_LPIS)
		first = 0;
	else
		next_lpi = first + n;
	spin_unlock(&lock);
	return first;
}

void lpi_free(u32 first, u32 n)
{
	spin_lock(&lock);
	if (first + n == next_lpi)
		next_lpi = first;
	spin_unlock(&lock);
}

void lpi_enable(u32 first, u32 n, bool on)
{
	u8 *byte = property + (first - GIC_LPI);

	memset(byte, (int)(PRIORITY | LPI_RES1 | (on ? LPI_ENABLE : 0)), n);
	its_publish(byte, n, clean);
}
