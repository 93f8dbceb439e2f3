/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow stage 2: stage-2 aborts of vEL1, and the translations that resolve them. */
#include "arch/barrier.h"
#include "arch/esr.h"
#include "arch/insn.h"
#include "arch/par.h"
#include "arch/pgtable.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "nested/shadow.h"
#include "nested/shadow_tables.h"
#include "nested/walk_vm.h"
#include "state/trace.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vm.h"

/* ---- what is asked ---- */

bool shadow_fault_ipa(const struct exit *exit, u64 *nipa)
{
	u64 old, par;

	if ((exit->esr & ABT_S1PTW) || ESR_FSC_TYPE(exit->esr) != ESR_FSC_PERMISSION) {
		*nipa = HPFAR_IPA(exit->hpfar) |
			(exit->esr & ABT_S1PTW ? 0 : exit->far & (PAGE_SIZE - 1));
		return true;
	}
	/*
	 * HPFAR_EL2 is UNKNOWN for a permission fault that is not a walk's. vEL1's stage 1 is still
	 * in the registers, and AT as EL1 may read whatever it maps. PAR_EL1 is the guest's.
	 */
	old = sysreg_read(PAR_EL1);
	insn_at_s1e1r(exit->far);
	par = sysreg_read(PAR_EL1);
	sysreg_write(PAR_EL1, old);
	*nipa = (par & PAR_PA) | (exit->far & (PAGE_SIZE - 1));
	return !(par & PAR_F);
}

static struct walk_access access_of(const struct vcpu *vcpu, const struct exit *exit)
{
	bool permission = ESR_FSC_TYPE(exit->esr) == ESR_FSC_PERMISSION;
	bool el0 = PSTATE_IS_EL0(exit->spsr), write = exit->esr & DABT_WNR;

	/* Reading the table failed, or setting the access flag in it. */
	if (exit->esr & ABT_S1PTW)
		return (struct walk_access){
			.el0 = el0, .ttw = true, .read = true, .write = permission
		};
	if (ESR_EC(exit->esr) == EC_IABT_LOW)
		return (struct walk_access){ .el0 = el0, .exec = true };
	/*
	 * Only an invalidation, or EL0, needs permission at all; with CMOW it must be one to write.
	 */
	if (exit->esr & DABT_CM)
		return (struct walk_access){
			.el0 = el0,
			.write = permission && (!el0 || (vel2_hcrx(vcpu) & HCRX_CMOW)),
			.read = permission && el0,
		};
	return (struct walk_access){ .el0 = el0, .write = write, .read = !write };
}

/* ---- what is answered ---- */

static void reflect(const struct exit *exit, u64 nipa, const struct walk_fault *fault,
		    struct reflection *out)
{
	out->esr = (exit->esr & ~ABT_FSC_MASK) | fault->fsc;
	out->far = exit->far;
	out->hpfar = HPFAR_MAKE(nipa);
}

/* Combine MemAttr of both stages: the stricter type, the lesser cacheability. */
static u64 combine_memattr(u64 vel2, u64 own)
{
	if (vel2 == own || vel2 < MEMATTR_NORMAL || own < MEMATTR_NORMAL)
		return MIN(vel2, own);
	/* 1 Non-cacheable, 2 Write-Through, 3 Write-Back: in each half. */
	return MIN(vel2 & 12, own & 12) | MIN(vel2 & 3, own & 3);
}

/* The leaf's attributes, from vEL2's and nidus's. */
static u64 compose(const struct walk_s2_out *vel2, u64 own)
{
	u64 attr = DESC_AF | combine_memattr(vel2->memattr, S2_MEMATTR(own)) << S2_MEMATTR_SHIFT;

	attr |= vel2->sh == SH_OUTER || (own & DESC_SH_INNER) == DESC_SH_OUTER ? DESC_SH_OUTER
									       : DESC_SH_INNER;
	attr |= own & (S2_AP_READ | S2_AP_WRITE) & (u64)vel2->ap << S2_AP_SHIFT;
	attr |= own & S2_XN ? S2_XN : (u64)vel2->xn << S2_XN_SHIFT;
	return attr | shadow_tag(vel2->size);
}

/*
 * The size to map at once: within one leaf of vEL2's, one of the VM's, and a block size of the
 * tables.
 */
static u64 span_of(u64 vel2_size, u64 vm_size, u64 max_block)
{
	u64 size = MIN(vel2_size, vm_size);

	if (size >= GIB(1) && max_block >= GIB(1))
		return GIB(1);
	if (size >= MIB(2))
		return max_block >= MIB(2) ? MIB(2) : KIB(64);
	return size;
}

/*
 * Whether nidus's own mapping permits the access; else the address is a device's, or unused. Walks
 * must not touch devices (HCR_EL2.PTW).
 */
static bool own_allows(u64 own, struct walk_access a)
{
	return !(a.read && !(own & S2_AP_READ)) && !(a.write && !(own & S2_AP_WRITE)) &&
	       !(a.exec && (own & S2_XN)) && !(a.ttw && S2_MEMATTR(own) < MEMATTR_NORMAL);
}

/* Extend the bounds of what is mapped, which limit a later search. */
static void note_bounds(struct shadow *s, u64 nipa, u64 ipa, u64 size)
{
	if (!s->leaf_sizes) {
		s->map_lo = nipa;
		s->rmap_lo = ipa;
		s->map_hi = s->rmap_hi = 0;
	}
	s->map_lo = MIN(s->map_lo, nipa);
	s->map_hi = MAX(s->map_hi, nipa + size);
	s->rmap_lo = MIN(s->rmap_lo, ipa);
	s->rmap_hi = MAX(s->rmap_hi, ipa + size);
}

static int install(struct vm *vm, struct shadow *s, u64 nipa, u64 ipa,
		   const struct pgtable_leaf *leaf, const struct walk_s2_out *walk)
{
	u64 size = span_of(walk->size, leaf->size, s->s2.pt.max_block);
	u64 in = nipa & (size - 1), attr = compose(walk, leaf->attr);
	int err;

	note_bounds(s, nipa - in, ipa - in, size);
	/* No stage 2 of vEL2's: page by page. */
	s->leaf_sizes |= walk->size == ~0UL ? PAGE_SIZE : walk->size;
	/* First the reverse entry, so that every mapping can be found. */
	err = shadow_rmap_add(vm, s, ipa - in, nipa - in, size);
	if (err || (size == PAGE_SIZE && pgtable_fill(&s->s2.pt, nipa - in, leaf->oa - in, attr)))
		return err;
	return pgtable_map(&s->s2.pt, nipa - in, leaf->oa - in, size, attr);
}

static __attribute__((noinline, cold)) void trace_map(const struct vcpu *vcpu,
						      const struct shadow *s, u64 nipa,
						      const struct pgtable_leaf *leaf,
						      const struct walk_s2_out *walk)
{
	trace_add(vcpu, TRACE_SHADOW, 0, span_of(walk->size, leaf->size, s->s2.pt.max_block), nipa);
}

static enum shadow_verdict map(struct vcpu *vcpu, struct shadow *s, u64 seq, u64 nipa,
			       const struct pgtable_leaf *leaf, const struct walk_s2_out *walk)
{
	struct vm *vm = vcpu->vm;
	u64 pages;
	int err = 0;

	if (trace_on(vcpu))
		trace_map(vcpu, s, nipa, leaf, walk);
	spin_lock(&s->s2.lock);
	pages = s->s2.pt.table_pages + s->rmap.table_pages;
	/* The tables may have been changed and invalidated since the walk. */
	if (s->seq == seq && s->clearing == SHADOW_STAYS)
		err = install(vm, s, nipa, walk->oa, leaf, walk);
	pages = s->s2.pt.table_pages + s->rmap.table_pages - pages;
	spin_unlock(&s->s2.lock);
	if (unlikely(err))
		return shadow_make_room(vm, s) ? SHADOW_RETRY : SHADOW_DEAD;
	/* The VM has a share of memory for this; a shadow that has hardly any may exceed it. */
	if (unlikely(pages) && shadow_pages(vm) > shadow_pages_max(vm))
		shadow_make_room(vm, s);
	return SHADOW_RETRY;
}

/*
 * The cache for a walk at seq. vEL2 must do a TLBI when it replaces a table, which increments seq.
 * While seq is unchanged, what was cached is as valid as vEL2 may expect.
 */
static struct walk_cache *cache_at(struct shadow_walk *w, const struct shadow *s, u64 seq)
{
	if (w->of != s || w->seq != seq) {
		walk_cache_invalidate(&w->cache);
		w->of = s;
		w->seq = seq;
	}
	return &w->cache;
}

/* Whether the memory type permits walks of vEL1's to read at nipa: HCR_EL2.PTW is nidus's. */
static bool walks_may_read(struct shadow *s, u64 nipa)
{
	struct pgtable_leaf leaf;
	bool may;

	spin_lock(&s->s2.lock);
	may = pgtable_lookup(&s->s2.pt, nipa, &leaf) && S2_MEMATTR(leaf.attr) >= MEMATTR_NORMAL;
	spin_unlock(&s->s2.lock);
	return may;
}

/*
 * Get vEL2's translation. A walk of vEL1's in memory that vEL2 maps as Device, without PTW, is
 * permitted: the page becomes Non-cacheable, as such a walk is (S2Translate).
 */
static bool walk_vel2(struct vcpu *vcpu, struct shadow *s, u64 seq, u64 nipa, struct walk_access a,
		      struct walk_s2_out *out, struct walk_fault *fault)
{
	const struct walk_feat *f = &vcpu->vm->walk_feat;
	struct walk_mem mem = walk_mem_of(vcpu->vm);
	struct walk_s2_regs regs = walk_s2_sample_vel1(vcpu);

	/* From the shadow: VTTBR_EL2 may have been rewritten meanwhile. */
	regs.shape = &s->shape;
	regs.cache = cache_at(&vcpu->shadow_walk, s, seq);
	regs.vm = s->vm;
	/*
	 * A refused walk may be one that sets the access flag; but it must first have been
	 * permitted to read.
	 */
	if (a.ttw && a.write && !regs.ptw && !walks_may_read(s, nipa))
		a.write = false;
	if (!walk_s2(&regs, f, &mem, nipa, a, out, fault))
		return false;
	if (unlikely(out->memattr < MEMATTR_NORMAL) && a.ttw)
		out->memattr = MEMATTR_NC;
	return true;
}

/*
 * Whether vEL2's attributes, rather than its permissions, forbid the access: an unaligned one in
 * Device memory (AArch64.S2HasAlignmentFault), a fetch from it on a CPU that faults those
 * (S2CheckPermissions: the hardware says so).
 */
static bool type_refuses(const struct exit *exit, struct walk_access a,
			 const struct walk_s2_out *walk, struct walk_fault *fault)
{
	if (a.ttw)
		return false;
	if (a.exec) {
		fault->fsc = (u8)(ESR_FSC_PERMISSION | walk->level);
		return ESR_FSC_TYPE(exit->esr) == ESR_FSC_PERMISSION;
	}
	fault->fsc = ESR_FSC_ALIGNMENT;
	return (exit->esr & DABT_ISV) && (exit->far & (BIT(DABT_SAS(exit->esr)) - 1));
}

enum shadow_verdict shadow_fault(struct vcpu *vcpu, const struct exit *exit, struct reflection *out)
{
	struct shadow *s = vcpu->shadow.ref[0];
	struct walk_access a = access_of(vcpu, exit);
	struct walk_s2_out walk;
	struct walk_fault fault;
	struct pgtable_leaf leaf;
	u64 nipa, seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);

	if (unlikely(__atomic_load_n(&s->clearing, __ATOMIC_RELAXED) != SHADOW_STAYS)) {
		shadow_clear(s);
		return SHADOW_RETRY;
	}
	if (!shadow_fault_ipa(exit, &nipa))
		return SHADOW_RETRY;
	if (!walk_vel2(vcpu, s, seq, nipa, a, &walk, &fault)) {
		if (fault.retry)
			return SHADOW_RETRY;
		reflect(exit, nipa, &fault, out);
		return SHADOW_REFLECT;
	}
	if (unlikely(walk.memattr < MEMATTR_NORMAL) && type_refuses(exit, a, &walk, &fault)) {
		reflect(exit, nipa, &fault, out);
		return SHADOW_REFLECT;
	}
	if (!stage2_lookup(&vcpu->vm->stage2, ipa(walk.oa), &leaf) || !own_allows(leaf.attr, a)) {
		out->ipa = ipa(walk.oa);
		return SHADOW_DEVICE;
	}
	return map(vcpu, s, seq, nipa, &leaf, &walk);
}

/* ---- accesses that nidus makes for vEL1 ---- */

u64 shadow_seq(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->shadow.ref[0]->seq, __ATOMIC_ACQUIRE);
}

bool shadow_hold(struct vcpu *vcpu, u64 seq)
{
	struct shadow *s = vcpu->shadow.ref[0];

	spin_lock(&s->s2.lock);
	if (likely(s->seq == seq && s->clearing == SHADOW_STAYS))
		return true;
	spin_unlock(&s->s2.lock);
	return false;
}

void shadow_release(struct vcpu *vcpu)
{
	spin_unlock(&vcpu->shadow.ref[0]->s2.lock);
}
