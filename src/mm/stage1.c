/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nidus's own translation: an identity map with W^X, built with the MMU off from a pool of pages in
 * the image, and the registers that put it in force.
 */
#include "mm/stage1.h"

#include "arch/barrier.h"
#include "arch/cache.h"
#include "arch/cacheid.h"
#include "arch/feat.h"
#include "arch/pgtable.h"
#include "arch/sctlr.h"
#include "arch/spinlock.h"
#include "arch/sysreg.h"
#include "arch/tcr.h"
#include "arch/tlbi.h"
#include "lib/check.h"
#include "mm/page.h"
#include "mm/pgtable.h"
#include "mm/tlb.h"
#include "mm/window.h"

#define VA_BITS 48
/*
 * Root, level 1, then at most two tables (levels 2 and 3) for each end of each contiguous range:
 * image, tree, a few RAM ranges, UART, GIC. When they are used up, pages come from RAM set aside
 * for a machine of many ranges, and then from the allocator, if that is up.
 */
#define POOL_PAGES 64

#define MAIR_VALUE (MAIR_NORMAL_WB << 8 * STAGE1_NORMAL | MAIR_DEVICE_nGnRE << 8 * STAGE1_DEVICE)

#define ATTRS_NORMAL (DESC_AF | DESC_SH_INNER | S1_ATTR(STAGE1_NORMAL) | S1_UXN)
#define ATTRS_TEXT (ATTRS_NORMAL | S1_AP_RO)
#define ATTRS_RODATA (ATTRS_NORMAL | S1_AP_RO | S1_PXN)
#define ATTRS_DATA (ATTRS_NORMAL | S1_PXN)
#define ATTRS_DEVICE (DESC_AF | S1_ATTR(STAGE1_DEVICE) | S1_UXN | S1_PXN)

/* nidus.ld. All that follows .rodata is data. */
extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __image_end[];

static struct {
	struct spinlock lock; /* guards it once other CPUs run */
	struct pgtable pt;
	u32 pool_used;
	u64 pool_free; /* pages that came back, chained by their first words */
	u64 donated, more, more_end;         /* and pages of the machine's RAM: donate_tables() */
	u64 fdt, fdt_end, early_uart; /* what stage1_early() mapped only for now */
} stage1;

static u64 pool[POOL_PAGES][PGTABLE_ENTRIES] __attribute__((aligned(4096)));

/* ---- table pages ---- */

static u64 pool_alloc(struct pgtable *pt, u32 order)
{
	u64 page = stage1.pool_free;

	(void)pt;
	if (order)
		return 0;
	if (page) {
		volatile u64 *p = pa_ptr(pa(page));

		stage1.pool_free = p[0];
		/* Not page_zero(): DC ZVA needs the MMU. Not memset(), for the same reason. */
		for (u32 i = 0; i < PGTABLE_ENTRIES; i++)
			p[i] = 0;
		return page;
	}
	if (stage1.pool_used < POOL_PAGES)
		return ptr_pa(pool[stage1.pool_used++]).a;
	if (stage1.more < stage1.more_end) {
		page = stage1.more;
		stage1.more += PAGE_SIZE;
		page_zero(page, PAGE_SIZE);
		return page;
	}
	/* The allocator's lock needs cacheable memory; it has pages only since the MMU is on. */
	return page_total() ? page_alloc_zero() : 0;
}

static void pool_put(struct pgtable *pt, u64 page, u32 order)
{
	u64 base = ptr_pa(pool).a;

	(void)pt;
	if (page - base >= sizeof(pool) &&
	    page - stage1.donated >= stage1.more_end - stage1.donated) {
		page_free(page, order);
		return;
	}
	*(u64 *)pa_ptr(pa(page)) = stage1.pool_free;
	stage1.pool_free = page;
}

static void stage1_invalidate(struct pgtable *pt, u64 ia, u64 size)
{
	(void)pt;
	tlb_invalidate_el2(ia, size);
}

static const struct pgtable_ops stage1_ops = {
	.invalidate = stage1_invalidate,
	.table_alloc = pool_alloc,
	.table_free = pool_put,
};

/* ---- what is mapped ---- */

static u64 symbol_pa(const char *symbol)
{
	return ptr_pa(symbol).a;
}

/* Map [base, end), if there is any, to itself. */
static int map_piece(u64 base, u64 end, u64 attr)
{
	return base < end ? pgtable_map(&stage1.pt, base, base, end - base, attr) : 0;
}

/* The same for what stage1_early() maps, for which the pool is large enough by itself. */
static void map_self(u64 base, u64 end, u64 attr)
{
	CHECK(!map_piece(base, end, attr));
}

/* Map whole pages of [base, end) as RAM, but not the image, which has its own permissions. */
static int map_ram(u64 base, u64 end)
{
	u64 image = symbol_pa(__text_start), image_end = symbol_pa(__image_end);
	int err;

	base = ALIGN_UP(base, PAGE_SIZE);
	end = MIN(ALIGN_DOWN(end, PAGE_SIZE), 1UL << VA_BITS);
	err = map_piece(base, MIN(end, image), ATTRS_DATA);
	return err ? err : map_piece(MAX(base, image_end), end, ATTRS_DATA);
}

/* Tables, .data and .bss were written past the caches: invalidate what those may hold of them. */
static void drop_cached_data(void)
{
	u64 line = CTR_DLINE(sysreg_read(CTR_EL0));

	dsb(sy);
	for (u64 p = symbol_pa(__rodata_end); p < symbol_pa(__image_end); p += line)
		cache_drop_line((u64)pa_ptr(pa(p)));
	dsb(sy);
}

void stage1_early(u64 fdt, u64 early_uart)
{
	u64 uart = ALIGN_DOWN(early_uart, PAGE_SIZE);

	CHECK(!pgtable_init(&stage1.pt, PGTABLE_STAGE1, VA_BITS, GIB(1), &stage1_ops));
	/* Single pages: stage1_guard() takes one out without touching its neighbours. */
	stage1.pt.max_block = PAGE_SIZE;
	map_self(symbol_pa(__text_start), symbol_pa(__text_end), ATTRS_TEXT);
	map_self(symbol_pa(__rodata_start), symbol_pa(__rodata_end), ATTRS_RODATA);
	map_self(symbol_pa(__rodata_end), symbol_pa(__image_end), ATTRS_DATA);
	stage1.pt.max_block = GIB(1);
	/*
	 * By the boot protocol the 2 MiB regions that contain the tree can be mapped as normal
	 * memory.
	 */
	stage1.fdt = ALIGN_DOWN(fdt, MIB(2));
	stage1.fdt_end = stage1.fdt + MIB(2);
	if (fdt < 1UL << VA_BITS)
		CHECK(!map_ram(stage1.fdt, stage1.fdt_end));
	stage1.early_uart = uart;
	if (uart)
		map_self(uart, uart + PAGE_SIZE, ATTRS_DEVICE);
	drop_cached_data();
}

int stage1_map_tree(u64 end)
{
	u64 was = stage1.fdt_end;

	if (end <= was)
		return 0;
	if (end > 1UL << VA_BITS)
		return -EINVAL;
	stage1.fdt_end = ALIGN_UP(end, MIB(2));
	return map_ram(was, stage1.fdt_end);
}

/* Unmap what was mapped to read the tree, before the memory map was known. Nothing uses it now. */
static void unmap_early(void)
{
	u64 image = symbol_pa(__text_start), image_end = symbol_pa(__image_end);
	u64 base = stage1.fdt, end = MIN(stage1.fdt_end, 1UL << VA_BITS);

	/* Whole blocks, or pages beside the image: nothing is split, so no page is needed. */
	if (base < MIN(end, image))
		CHECK(!pgtable_unmap(&stage1.pt, base, MIN(end, image) - base));
	if (MAX(base, image_end) < end)
		CHECK(!pgtable_unmap(&stage1.pt, MAX(base, image_end), end - MAX(base, image_end)));
	if (stage1.early_uart)
		CHECK(!pgtable_unmap(&stage1.pt, stage1.early_uart, PAGE_SIZE));
}

/* Tables that the ends of a range may need: of level 1, 2 and 3, as they are aligned. */
static u64 tables_of(struct range r)
{
	u64 end = r.base + r.size, n = 2;

	n += !IS_ALIGNED(r.base, GIB(1)) + !IS_ALIGNED(r.base, MIB(2));
	n += !IS_ALIGNED(end, GIB(1)) + !IS_ALIGNED(end, MIB(2));
	return n + (r.size >> 39); /* one of level 1 for each 512 GiB */
}

/* The table pages that mapping m takes at most: a range that is left out makes two ends more. */
static u64 tables_bound(const struct machine *m)
{
	u64 n = tables_of(m->gicd) + tables_of(m->uart) +
		tables_of((struct range){ (u64)m->fdt, m->fdt_size });

	for (u32 i = 0; i < m->mem_count; i++)
		n += tables_of(m->mem[i]);
	for (u32 i = 0; i < m->rsv_count; i++)
		n += m->rsv_nomap[i] ? tables_of(m->rsv[i]) : 0;
	for (u32 i = 0; i < m->gicr_count; i++)
		n += tables_of(m->gicr[i]);
	return n;
}

/*
 * If a machine may need more tables than the pool has, take them from its RAM, once, so that what
 * is left of the image's pool serves the few that map these.
 */
static int donate_tables(struct machine *m)
{
	u64 size = tables_bound(m) * PAGE_SIZE;
	struct range r = { 0, 0 };
	int err;

	if (stage1.pool_used + tables_bound(m) <= POOL_PAGES)
		return 0;
	while (machine_next(m, true, &r)) {
		/* Address 0 means "no page" to callers. */
		if (!r.base && r.size) {
			r.base += PAGE_SIZE;
			r.size -= PAGE_SIZE;
		}
		if (r.size < size)
			continue;
		if (!machine_reserve(m, r.base, size))
			break;
		err = map_ram(r.base, r.base + size);
		if (err)
			return err;
		stage1.donated = stage1.more = r.base;
		stage1.more_end = r.base + size;
		return 0;
	}
	return -ENOMEM;
}

struct range stage1_donated(void)
{
	return (struct range){ stage1.donated, stage1.more_end - stage1.donated };
}

const char *stage1_map_machine(struct machine *m)
{
	struct range r = { 0, 0 },
		     tree = machine_pages_of((struct range){ (u64)m->fdt, m->fdt_size });
	int err;

	spin_lock(&stage1.lock);
	unmap_early();
	err = donate_tables(m);
	while (!err && machine_next(m, false, &r))
		err = map_ram(r.base, r.base + r.size);
	/* The tree is still read afterwards, wherever it is. */
	if (!err)
		err = map_ram(tree.base, tree.base + tree.size);
	spin_unlock(&stage1.lock);
	/* First, so that errors below can be reported. */
	if (m->uart.size && stage1_map_device(m->uart.base, m->uart.size))
		m->uart.size = 0;
	if (err)
		return "memory: no pages for the tables that map it: expected one range with as "
		       "many";
	if (stage1_map_device(m->gicd.base, m->gicd.size))
		return "GIC: reg: the distributor can't be mapped";
	for (u32 i = 0; i < m->gicr_count; i++)
		if (stage1_map_device(m->gicr[i].base, m->gicr[i].size))
			return "GIC: reg: a redistributor region can't be mapped";
	return NULL;
}

bool stage1_map_ram(u64 base, u64 size)
{
	struct range pages = machine_pages_of((struct range){ base, size });
	int err;

	spin_lock(&stage1.lock);
	err = map_ram(pages.base, pages.base + pages.size);
	spin_unlock(&stage1.lock);
	return !err;
}

/* Whether all of [pa, end) is unmapped, or mapped as device registers. */
static bool free_for_device(u64 pa, u64 end)
{
	struct pgtable_leaf leaf;

	for (; pa < end; pa = ALIGN_DOWN(pa, leaf.size) + leaf.size)
		if (pgtable_lookup(&stage1.pt, pa, &leaf) && leaf.attr != ATTRS_DEVICE)
			return false;
	return true;
}

int stage1_map_device(u64 pa, u64 size)
{
	u64 base = ALIGN_DOWN(pa, PAGE_SIZE), end = ALIGN_UP(pa + size, PAGE_SIZE);
	int err = -EEXIST;

	if (pa >> VA_BITS || size > (1UL << VA_BITS) - pa)
		return -EINVAL;
	spin_lock(&stage1.lock);
	if (free_for_device(base, end))
		err = pgtable_map(&stage1.pt, base, base, end - base, ATTRS_DEVICE);
	spin_unlock(&stage1.lock);
	return err;
}

int stage1_guard(u64 va, u64 size)
{
	int err;

	if (va < symbol_pa(__rodata_end) || va > symbol_pa(__image_end) ||
	    size > symbol_pa(__image_end) - va)
		return -EINVAL;
	spin_lock(&stage1.lock);
	err = pgtable_unmap(&stage1.pt, va, size);
	spin_unlock(&stage1.lock);
	return err;
}

/* ---- registers ---- */

static u64 tcr_value(void)
{
	return TCR_MAKE_T0SZ(VA_BITS) | TCR_IRGN0_WB | TCR_ORGN0_WB | TCR_SH0_INNER |
	       TCR_MAKE_T1SZ(WINDOW_BITS) | TCR_IRGN1_WB | TCR_ORGN1_WB | TCR_SH1_INNER |
	       TCR_MAKE_TG1_4K | parange_encode(feat.pa_bits) << TCR_IPS_SHIFT;
}

void stage1_enable(void)
{
	u64 mmfr3 = sysreg_read(ID_AA64MMFR3_EL1);

	/*
	 * Turn off features that firmware may have turned on and that would change the meaning of
	 * the tables (permission indirection, for instance).
	 */
	if (FIELD(mmfr3, 3, 0))
		sysreg_write(TCR2_EL2, 0);
	if (FIELD(mmfr3, 7, 4))
		sysreg_write(SCTLR2_EL2, 0);
	sysreg_write(MAIR_EL2, MAIR_VALUE);
	sysreg_write(TCR_EL2, tcr_value());
	sysreg_write(TTBR0_EL2, stage1.pt.root);
	sysreg_write(TTBR1_EL2, window_table());
	/*
	 * Registers with UNKNOWN reset values: TLBIs by VMID need the width of VMIDs, and no VM's
	 * is in force.
	 */
	sysreg_write(VTCR_EL2, VTCR_RES1 | (feat.vmid16 ? VTCR_VS : 0));
	sysreg_write(VTTBR_EL2, 0);
	isb();
	tlbi(ALLE2);
	tlbi(ALLE1);
	icache_drop_local();
	dsb(nsh);
	isb();
	sysreg_write(SCTLR_EL2,
		     SCTLR_EL2_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_I | SCTLR_WXN);
	isb();
}
