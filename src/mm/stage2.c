/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's stage-2 translation: tables, VMID, VTCR_EL2 and VTTBR_EL2. */
#include "mm/stage2.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/pgtable.h"
#include "arch/sysreg.h"
#include "arch/tcr.h"
#include "mm/tlb.h"
#include "mm/vmid.h"

/* Room for the addresses at which machines have devices, whatever the size of the VM's RAM. */
#define IPA_BITS_USUAL 40

/* Tables in one piece of work: some 10 microseconds. */
#define DESTROY_TABLES 256

static void stage2_invalidate(struct pgtable *pt, u64 ia, u64 size)
{
	const struct stage2 *s2 = container_of(pt, struct stage2, pt);

	tlb_invalidate_ipa(s2->vttbr, ia, size);
	if (s2->devices)
		s2->devices(s2, ia, size);
}

static const struct pgtable_ops stage2_ops = { .invalidate = stage2_invalidate };

u64 stage2_default_block(void)
{
	return feat.qemu ? PAGE_SIZE : GIB(1);
}

u32 stage2_ipa_bits(u64 end)
{
	static const u8 parange[] = { 32, 36, 40, 42, 44, 48 };

	for (u32 i = 0; i < ARRAY_SIZE(parange); i++) {
		u32 bits = parange[i];

		if (bits >= feat.pa_bits)
			break;
		if (bits >= IPA_BITS_USUAL && end <= BIT(bits))
			return bits;
	}
	return feat.pa_bits;
}

/* The access flag is set in every leaf: hardware has none to set (HA = 0). */
static u64 vtcr_value(const struct pgtable *pt)
{
	return VTCR_RES1 | VTCR_MAKE_T0SZ(pt->ia_bits) | VTCR_MAKE_SL0(pt->start_level) |
	       VTCR_IRGN0_WB | VTCR_ORGN0_WB | VTCR_SH0_INNER |
	       parange_encode(feat.pa_bits) << VTCR_PS_SHIFT | (feat.vmid16 ? VTCR_VS : 0);
}

static int make_tables(struct pgtable *pt, u32 ipa_bits, u64 max_block, struct page_pool *pool)
{
	int err;

	if (ipa_bits > feat.pa_bits)
		return -EINVAL;
	err = pgtable_init_pool(pt, PGTABLE_STAGE2, ipa_bits, max_block, &stage2_ops, pool);
	/*
	 * QEMU would treat a run as one large page, which mapping 4 KiB pages is meant to avoid
	 * there.
	 */
	if (!err)
		pt->contiguous = !feat.qemu;
	return err;
}

static void set_registers(struct stage2 *s2)
{
	s2->vtcr = vtcr_value(&s2->pt);
	s2->vttbr = (u64)s2->vmid << VTTBR_VMID_SHIFT | s2->pt.root;
}

int stage2_init(struct stage2 *s2, u32 ipa_bits, u64 max_block)
{
	return stage2_init_pool(s2, ipa_bits, max_block, NULL);
}

int stage2_init_pool(struct stage2 *s2, u32 ipa_bits, u64 max_block, struct page_pool *pool)
{
	int err;

	*s2 = (struct stage2){ 0 };
	err = make_tables(&s2->pt, ipa_bits, max_block ? max_block : stage2_default_block(), pool);
	if (err)
		return err;
	err = vmid_alloc(&s2->vmid);
	if (err) {
		pgtable_destroy(&s2->pt);
		return err;
	}
	set_registers(s2);
	return 0;
}

int stage2_resize(struct stage2 *s2, u32 ipa_bits)
{
	struct pgtable pt;
	int err = make_tables(&pt, ipa_bits, s2->pt.max_block, s2->pt.pool);

	if (err)
		return err;
	tlb_invalidate_vmid(s2->vttbr);
	pgtable_destroy(&s2->pt);
	s2->pt = pt;
	set_registers(s2);
	return 0;
}

bool stage2_destroy_piece(struct stage2 *s2)
{
	if (s2->vmid) {
		tlb_invalidate_vmid(s2->vttbr);
		vmid_free(s2->vmid);
		s2->vmid = 0;
	}
	return pgtable_destroy_piece(&s2->pt, DESTROY_TABLES);
}

void stage2_destroy(struct stage2 *s2)
{
	while (stage2_destroy_piece(s2))
		;
}

static u64 mem_attr(enum stage2_mem mem)
{
	switch (mem) {
	case STAGE2_RAM:
		return DESC_AF | DESC_SH_INNER | S2_MEMATTR_NORMAL_WB | S2_AP_READ | S2_AP_WRITE;
	case STAGE2_ROM:
		return DESC_AF | DESC_SH_INNER | S2_MEMATTR_NORMAL_WB | S2_AP_READ;
	case STAGE2_DOORBELL:
		return DESC_AF | S2_MEMATTR_DEVICE_nGnRE | S2_AP_WRITE | S2_XN;
	case STAGE2_DEVICE:
		break;
	}
	return DESC_AF | S2_MEMATTR_DEVICE_nGnRE | S2_AP_READ | S2_AP_WRITE | S2_XN;
}

int stage2_map(struct stage2 *s2, ipa_t ipa, pa_t pa, u64 size, enum stage2_mem mem)
{
	int err;

	spin_lock(&s2->lock);
	err = pgtable_map(&s2->pt, ipa.a, pa.a, size, mem_attr(mem));
	spin_unlock(&s2->lock);
	return err;
}

int stage2_unmap(struct stage2 *s2, ipa_t ipa, u64 size)
{
	int err;

	spin_lock(&s2->lock);
	err = pgtable_unmap(&s2->pt, ipa.a, size);
	spin_unlock(&s2->lock);
	return err;
}

bool stage2_lookup(struct stage2 *s2, ipa_t ipa, struct pgtable_leaf *leaf)
{
	bool found;

	spin_lock(&s2->lock);
	found = pgtable_lookup(&s2->pt, ipa.a, leaf);
	spin_unlock(&s2->lock);
	return found;
}

void stage2_load(const struct stage2 *s2)
{
	if (sysreg_read(VTCR_EL2) != s2->vtcr)
		sysreg_write(VTCR_EL2, s2->vtcr);
	if (sysreg_read(VTTBR_EL2) != s2->vttbr)
		sysreg_write(VTTBR_EL2, s2->vttbr);
}
