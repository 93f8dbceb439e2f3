/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation instructions of vEL2: by hardware where its registers are in the CPU, else by
 * a software walk.
 */
#include "nested/at.h"

#include "arch/esr.h"
#include "arch/insn.h"
#include "arch/par.h"
#include "arch/pgtable.h"
#include "arch/pstate.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "arch/sysreg_table.h"
#include "nested/walk_vm.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vm.h"

/* ---- decoding ---- */

#define AT_KEY(op1, crm, op2) SYSREG_KEY(1u, op1##u, 7u, crm##u, op2##u)

bool at_decode(u32 key, struct at_op *op)
{
	*op = (struct at_op){ 0 };
	switch (key & SYSREG_KEY_MASK) {
	case AT_KEY(0, 8, 0): /* S1E1R */
		return true;
	case AT_KEY(0, 8, 1): /* S1E1W */
		op->write = true;
		return true;
	case AT_KEY(0, 8, 2): /* S1E0R */
		op->el0 = true;
		return true;
	case AT_KEY(0, 8, 3): /* S1E0W */
		op->el0 = op->write = true;
		return true;
	case AT_KEY(0, 9, 0): /* S1E1RP */
		op->pan = true;
		return true;
	case AT_KEY(0, 9, 1): /* S1E1WP */
		op->pan = op->write = true;
		return true;
	case AT_KEY(4, 8, 0): /* S1E2R */
		op->el2 = true;
		return true;
	case AT_KEY(4, 8, 1): /* S1E2W */
		op->el2 = op->write = true;
		return true;
	case AT_KEY(4, 8, 4): /* S12E1R */
		op->stage12 = true;
		return true;
	case AT_KEY(4, 8, 5): /* S12E1W */
		op->stage12 = op->write = true;
		return true;
	case AT_KEY(4, 8, 6): /* S12E0R */
		op->stage12 = op->el0 = true;
		return true;
	case AT_KEY(4, 8, 7): /* S12E0W */
		op->stage12 = op->el0 = op->write = true;
		return true;
	}
	return false;
}

/* ---- the result ---- */

static u64 par_ok(u64 oa, u8 attr, u8 sh)
{
	/* PAREncodeShareability */
	if (attr < 0x10 || attr == ATTR_NORMAL_NC)
		sh = SH_OUTER;
	return (u64)attr << PAR_ATTR_SHIFT | (oa & PAR_PA) | PAR_RES1 | PAR_NS |
	       (u64)sh << PAR_SH_SHIFT;
}

static u64 par_fault(const struct walk_fault *fault)
{
	return PAR_F | (u64)fault->fsc << PAR_FST_SHIFT | (fault->s1ptw ? PAR_PTW : 0) |
	       (fault->stage2 ? PAR_S : 0) | PAR_RES1;
}

static bool is_external(u64 fsc)
{
	return (fsc & 0x3c) == ESR_FSC_SEA_TTW || fsc == ESR_FSC_SEA;
}

/* ---- by hardware ---- */

/*
 * Do the AT in hardware, whose EL1&0 registers hold vEL2's EL2&0 regime now. False: it faulted in
 * nidus's stage 2, or at memory that answers with an abort: vEL2 must not see either like that.
 */
static bool hardware(const struct at_op *op, u64 va)
{
	u64 par;

	if (op->el0)
		op->write ? insn_at_s1e0w(va) : insn_at_s1e0r(va);
	else
		op->write ? insn_at_s1e1w(va) : insn_at_s1e1r(va);
	par = sysreg_read(PAR_EL1);
	return !(par & PAR_F) || (!(par & PAR_S) && !is_external(PAR_FST(par)));
}

/* ---- by software ---- */

struct at_walk {
	const struct walk_feat *f;
	struct walk_mem mem;
	struct walk_s1_regs s1;
	struct walk_s2_regs s2;
	struct walk_access access;
};

static struct at_walk prepare(struct vcpu *vcpu, const struct at_op *op, bool own, bool tge)
{
	struct at_walk w = {
		.f = &vcpu->vm->walk_feat,
		.mem = walk_mem_of(vcpu->vm),
		.s1 = own ? walk_s1_sample_vel2(vcpu) : walk_s1_sample_vel1(vcpu),
		.s2 = walk_s2_sample(vcpu),
		.access = { .read = !op->write,
			    .write = op->write,
			    .el0 = op->el0,
			    .at = true,
			    .pan = op->pan && (vcpu->pstate & PSTATE_PAN) },
	};

	/* HCR_EL2.{E2H,TGE} = {1,1}: EL1's MMU, HCR_EL2.DC and VM count as off. */
	if (!own && tge) {
		w.s1.sctlr &= ~SCTLR_M;
		w.s1.dc = w.s2.vm = false;
	}
	return w;
}

/*
 * Do the AT by a software walk. True: *par is the result; false: *fault is, unless it says retry.
 */
static bool translate(const struct at_walk *w, const struct at_op *op, bool own, u64 va, u64 *par,
		      struct walk_fault *fault)
{
	struct walk_s1_out s1;
	struct walk_s2_out s2;
	struct walk_access a = {
		.read = w->access.read, .write = w->access.write, .el0 = w->access.el0, .at = true
	};

	if (!walk_s1(&w->s1, own ? NULL : &w->s2, w->f, &w->mem, va, w->access, &s1, fault))
		return false;
	if (op->stage12) {
		if (!walk_s2(&w->s2, w->f, &w->mem, s1.oa, a, &s2, fault))
			return false;
		s1.oa = s2.oa;
		if (w->s2.vm)
			walk_combine(s1.attr, s1.sh, s2.memattr, s2.sh, w->s2.cd, &s1.attr, &s1.sh);
	}
	*par = par_ok(s1.oa, s1.attr, s1.sh);
	return true;
}

static enum verdict software(struct vcpu *vcpu, const struct at_op *op, bool own, bool tge, u64 va)
{
	struct at_walk w = prepare(vcpu, op, own, tge);
	struct walk_fault fault;
	u64 par;

	if (!translate(&w, op, own, va, &par, &fault)) {
		if (fault.retry)
			return RESUME;
		if (is_external(fault.fsc)) {
			vcpu->inject_esr = ESR(EC_DABT_CUR, DABT_CM | DABT_WNR | fault.fsc |
								(fault.s1ptw ? ABT_S1PTW : 0));
			vcpu->inject_far = va;
			return INJECT_FAR;
		}
		par = par_fault(&fault);
	}
	sysreg_write(PAR_EL1, par);
	return SKIP;
}

/* ---- the trap ---- */

static bool has_pan2(const struct vcpu *vcpu)
{
	return FIELD(vcpu->vm->id_regs.v[IDX_ID_AA64MMFR1_EL1], 23, 20) >= 2;
}

enum verdict at_trap(struct vcpu *vcpu, const struct exit *exit)
{
	u64 va = vcpu_gpr(vcpu, (u32)SYS64_RT(exit->esr));
	bool tge, own;
	struct at_op op;

	if (!vcpu->in_vel2 || !at_decode((u32)exit->esr, &op) || (op.pan && !has_pan2(vcpu)))
		return UNDEF;
	tge = vel2_is_host(vcpu);
	own = op.el2 || (!op.stage12 && tge);
	if (op.pan && !(vcpu->pstate & PSTATE_PAN))
		op.pan = false;
	/* With PAN set the walk is in software: hardware would use nidus's own PSTATE. */
	if (own && !op.pan && hardware(&op, va))
		return SKIP;
	return software(vcpu, &op, own, tge, va);
}
