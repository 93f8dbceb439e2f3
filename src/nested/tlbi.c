/* SPDX-License-Identifier: Apache-2.0 */
/* TLB maintenance instructions of vEL2: decoded, then done to hardware or to the shadows. */
#include "nested/tlbi.h"

#include "arch/barrier.h"
#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "arch/sysreg_table.h"
#include "arch/tlbi.h"
#include "mm/tlb.h"
#include "nested/shadow.h"
#include "nested/vncr.h"
#include "state/trace.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vm.h"

/* ---- decoding ---- */

enum { NSH, ISH, OSH };

struct row {
	u8 crm, op2, kind;
	bool el2, last, range;
	u8 share;
};

#define SHAREABILITIES(nsh, ish, osh, op2, ...)                                                    \
	{ nsh, op2, __VA_ARGS__, NSH }, { ish, op2, __VA_ARGS__, ISH },                            \
	{                                                                                          \
		osh, op2, __VA_ARGS__, OSH                                                         \
	}

/* op0=1 op1=0. Columns: CRm of each shareability, op2; kind, el2, last, range. */
static const struct row rows_el1[] = {
	SHAREABILITIES(7, 3, 1, 0, TLBI_VMALL, false, false, false), /* VMALLE1 */
	SHAREABILITIES(7, 3, 1, 1, TLBI_VA, false, false, false),    /* VAE1 */
	SHAREABILITIES(7, 3, 1, 2, TLBI_ASID, false, false, false),  /* ASIDE1 */
	SHAREABILITIES(7, 3, 1, 3, TLBI_VAA, false, false, false),   /* VAAE1 */
	SHAREABILITIES(7, 3, 1, 5, TLBI_VA, false, true, false),     /* VALE1 */
	SHAREABILITIES(7, 3, 1, 7, TLBI_VAA, false, true, false),    /* VAALE1 */
	SHAREABILITIES(6, 2, 5, 1, TLBI_VA, false, false, true),     /* RVAE1 */
	SHAREABILITIES(6, 2, 5, 3, TLBI_VAA, false, false, true),    /* RVAAE1 */
	SHAREABILITIES(6, 2, 5, 5, TLBI_VA, false, true, true),      /* RVALE1 */
	SHAREABILITIES(6, 2, 5, 7, TLBI_VAA, false, true, true),     /* RVAALE1 */
};

/* op0=1 op1=4. */
static const struct row rows_el2[] = {
	SHAREABILITIES(7, 3, 1, 0, TLBI_VMALL, true, false, false),     /* ALLE2 */
	SHAREABILITIES(7, 3, 1, 1, TLBI_VA, true, false, false),        /* VAE2 */
	SHAREABILITIES(7, 3, 1, 4, TLBI_ALL, false, false, false),      /* ALLE1 */
	SHAREABILITIES(7, 3, 1, 5, TLBI_VA, true, true, false),         /* VALE2 */
	SHAREABILITIES(7, 3, 1, 6, TLBI_VMALLS12, false, false, false), /* VMALLS12E1 */
	SHAREABILITIES(6, 2, 5, 1, TLBI_VA, true, false, true),         /* RVAE2 */
	SHAREABILITIES(6, 2, 5, 5, TLBI_VA, true, true, true),          /* RVALE2 */
	{ 4, 1, TLBI_IPA, false, false, false, NSH },                   /* IPAS2E1 */
	{ 0, 1, TLBI_IPA, false, false, false, ISH },
	{ 4, 0, TLBI_IPA, false, false, false, OSH },
	{ 4, 5, TLBI_IPA, false, true, false, NSH }, /* IPAS2LE1 */
	{ 0, 5, TLBI_IPA, false, true, false, ISH },
	{ 4, 4, TLBI_IPA, false, true, false, OSH },
	{ 4, 2, TLBI_IPA, false, false, true, NSH }, /* RIPAS2E1 */
	{ 0, 2, TLBI_IPA, false, false, true, ISH },
	{ 4, 3, TLBI_IPA, false, false, true, OSH },
	{ 4, 6, TLBI_IPA, false, true, true, NSH }, /* RIPAS2LE1 */
	{ 0, 6, TLBI_IPA, false, true, true, ISH },
	{ 4, 7, TLBI_IPA, false, true, true, OSH },
};

static const struct row *find_row(const struct row *rows, size_t n, u64 crm, u64 op2)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].crm == crm && rows[i].op2 == op2)
			return &rows[i];
	return NULL;
}

static u8 granule_of(u64 tg)
{
	static const u8 log2[] = { 0, 12, 14, 16 };

	return log2[tg & 3];
}

/* TTL, ASID and address of the forms without R. */
static void decode_address(u64 arg, struct tlbi_op *op)
{
	op->ttl_granule = granule_of(FIELD(arg, 47, 46));
	op->ttl_level = (u8)FIELD(arg, 45, 44);
	op->size = PAGE_SIZE;
	if (op->kind == TLBI_IPA)
		op->base = FIELD(arg, 39, 0) << 12;
	else
		op->base = sign_extend(FIELD(arg, 43, 0) << 12, 56);
}

/* pseudocode: TLBIRange. Without 52-bit addresses of the smaller granules. */
static void decode_range(u64 arg, struct tlbi_op *op)
{
	u32 grain = granule_of(FIELD(arg, 47, 46));
	u64 field = FIELD(arg, 36, 0), end;

	if (!grain)
		return;
	op->base = op->kind == TLBI_IPA ? field << grain : sign_extend(field, 37) << grain;
	op->size = (FIELD(arg, 43, 39) + 1) << (5 * FIELD(arg, 45, 44) + 1 + grain);
	op->ttl_granule = (u8)grain;
	op->ttl_level = (u8)FIELD(arg, 38, 37);
	/* A range ends with its half of the address space. */
	end = op->base + op->size;
	if ((end ^ op->base) & BIT(52))
		op->size = (op->base | (BIT(52) - 1)) + 1 - op->base;
}

bool tlbi_decode(u32 key, u64 arg, struct tlbi_op *op)
{
	u64 op1 = SYS64_OP1(key), crn = SYS64_CRN(key), crm = SYS64_CRM(key), op2 = SYS64_OP2(key);
	const struct row *row = NULL;

	if (SYS64_OP0(key) != 1 || (crn != 8 && crn != 9))
		return false;
	if (op1 == 0)
		row = find_row(rows_el1, ARRAY_SIZE(rows_el1), crm, op2);
	else if (op1 == 4)
		row = find_row(rows_el2, ARRAY_SIZE(rows_el2), crm, op2);
	if (!row)
		return false;
	*op = (struct tlbi_op){ .kind = (enum tlbi_kind)row->kind,
				.el2 = row->el2,
				.last = row->last,
				.range = row->range,
				.nxs = crn == 9,
				.os = row->share == OSH,
				.local = row->share == NSH };
	if (op->kind == TLBI_VA || op->kind == TLBI_ASID)
		op->asid = (u16)FIELD(arg, 63, 48);
	if (op->range)
		decode_range(arg, op);
	else if (op->kind == TLBI_VA || op->kind == TLBI_VAA || op->kind == TLBI_IPA)
		decode_address(arg, op);
	if (!op->ttl_level || !op->ttl_granule)
		op->ttl_granule = op->ttl_level = 0;
	return true;
}

u64 tlbi_leaf_size(const struct tlbi_op *op)
{
	u32 grain = op->ttl_granule;

	if (!grain || (op->ttl_level == 1 && grain != 12))
		return 0;
	return BIT(grain + (grain - 3U) * (3U - op->ttl_level));
}

/* ---- to the hardware ---- */

/* A TTL hint is only for CPUs that know it; for others the bits are RES0. */
static u64 by_address(const struct tlbi_op *op, u64 at)
{
	u64 arg = (u64)op->asid << 48 | FIELD(at, 55, 12);

	if (feat.ttl && op->ttl_granule && !op->range)
		arg |= ((op->ttl_granule - 10UL) / 2 << 2 | op->ttl_level) << 44;
	return arg;
}

static void hardware_va(const struct tlbi_op *op, u64 arg)
{
	if (op->kind == TLBI_VA && op->last)
		tlbi_addr(VALE1IS, arg);
	else if (op->kind == TLBI_VA)
		tlbi_addr(VAE1IS, arg);
	else if (op->last)
		tlbi_addr(VAALE1IS, arg);
	else
		tlbi_addr(VAAE1IS, arg);
}

/*
 * Execute a stage-1 TLBI for the VMID in VTTBR_EL2: all CPUs of the Inner Shareable domain, with
 * and without the XS attribute. nidus's machine has no PEs beyond that domain.
 */
static void hardware_stage1(const struct tlbi_op *op)
{
	u32 step = op->range ? op->ttl_granule : 12;
	u64 grain = op->range && step ? BIT(step) : PAGE_SIZE;

	if (op->kind == TLBI_ASID) {
		tlbi_addr(ASIDE1IS, (u64)op->asid << 48);
	} else if (op->kind == TLBI_VMALL || op->size > TLB_RANGE_PAGES_MAX * grain) {
		tlbi(VMALLE1IS);
	} else {
		for (u64 at = 0; at < op->size; at += grain)
			hardware_va(op, by_address(op, op->base + at));
	}
}

/* ---- to the shadows ---- */

/* Invalidate the stage-1 entries that hardware made from vEL1's tables through one shadow. */
static void shadow_stage1(const struct shadow *s, const struct tlbi_op *op)
{
	u64 old = tlb_vmid_enter(s->s2.vttbr);

	hardware_stage1(op);
	dsb(ish);
	isb();
	tlb_vmid_leave(s->s2.vttbr, old);
}

/* Do one piece for one shadow; true: more. */
static bool shadow_piece(struct shadow *s, const struct tlbi_op *op, struct shadow_cursor *c)
{
	switch (op->kind) {
	case TLBI_ALL:
	case TLBI_VMALLS12:
		return shadow_clear(s);
	case TLBI_IPA:
		return s->vm && op->size &&
		       shadow_invalidate(s, op->base, op->base + op->size, tlbi_leaf_size(op), c);
	default:
		/* Hardware walks vEL1's own tables; nothing was copied from them. */
		shadow_stage1(s, op);
		return false;
	}
}

/* Whether the operation affects a shadow; any of the VM's vcpus may have it loaded. */
static bool concerns(struct shadow *s, const struct tlbi_op *op, u16 vmid)
{
	if (op->kind == TLBI_ALL)
		return __atomic_load_n(&s->used, __ATOMIC_RELAXED);
	return shadow_has_vmid(s, vmid);
}

/*
 * A shadow with nothing to do costs a lock, or with a stage-1 TLBI a few TLBIs and a DSB, which
 * counts as a piece.
 */
bool tlbi_work(struct vcpu *vcpu)
{
	struct shadow_vcpu *v = &vcpu->shadow;
	struct shadow_cursor *c = &v->cursor;

	while (c->slot < shadow_count(vcpu->vm)) {
		struct shadow *s = shadow_at(vcpu->vm, c->slot);
		bool any = concerns(s, &v->op, v->vmid);

		if (!any || !shadow_piece(s, &v->op, c)) {
			c->slot++;
			c->at = 0;
		}
		if (any && c->slot < shadow_count(vcpu->vm) && shadow_irq_waits())
			return true;
	}
	return false;
}

static enum verdict shadows_trap(struct vcpu *vcpu, const struct tlbi_op *op)
{
	struct shadow_vcpu *v = &vcpu->shadow;
	u64 vttbr = vel2_vttbr(vcpu);

	v->vmid = walk_vmid(vttbr, vel2_vtcr(vcpu), &vcpu->vm->walk_feat);
	v->op = *op;
	v->cursor = (struct shadow_cursor){ 0 };
	if (tlbi_work(vcpu))
		shadow_ask(vcpu, SHADOW_TLBI);
	return SKIP;
}

void tlbi_all(struct vcpu *vcpu)
{
	vcpu->shadow.op = (struct tlbi_op){ .kind = TLBI_ALL };
	vcpu->shadow.cursor = (struct shadow_cursor){ 0 };
	shadow_ask(vcpu, SHADOW_TLBI);
}

/* ---- the trap ---- */

/* FEAT_TLBIOS, FEAT_TLBIRANGE and FEAT_XS, as this VM sees them. */
static bool exists(const struct idregs *id, const struct tlbi_op *op)
{
	u64 tlb = FIELD(id->v[IDX_ID_AA64ISAR0_EL1], 59, 56);
	u64 xs = FIELD(id->v[IDX_ID_AA64ISAR1_EL1], 59, 56);

	return tlb >= (op->range ? 2 : op->os ? 1 : 0) && !(op->nxs && !xs);
}

enum verdict tlbi_trap(struct vcpu *vcpu, const struct exit *exit)
{
	u32 key = (u32)exit->esr & SYSREG_KEY_MASK;
	u64 arg = vcpu_gpr(vcpu, (u32)SYS64_RT(exit->esr));
	struct tlbi_op op;
	bool own;

	if (!tlbi_decode(key, arg, &op) || !exists(&vcpu->vm->id_regs, &op))
		return UNDEF;
	if (!vcpu->in_vel2) {
		/* vEL1's own: the shadow that is loaded has its VMID. There is no EL2 in it. */
		if (SYS64_OP1(key) == 4)
			return UNDEF;
		hardware_stage1(&op);
		return SKIP;
	}
	/* With TGE=1 the EL1 forms mean EL2&0, which is hardware's EL1&0 with the VM's own VMID. */
	own = op.el2 || (SYS64_OP1(key) == 0 && vel2_is_host(vcpu));
	if (!own) {
		trace_event(vcpu, TRACE_TLBI, 0, key, arg);
		return shadows_trap(vcpu, &op);
	}
	/* EL2 without VHE has no ASIDs; the CPU may have tagged its entries with one. */
	if (unlikely(vel2_one_range(vcpu)) && op.kind == TLBI_VA)
		op.kind = TLBI_VAA;
	hardware_stage1(&op);
	vncr_tlbi(vcpu, &op);
	return SKIP;
}
