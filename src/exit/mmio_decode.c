/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores to emulated devices whose syndrome does not describe them. */
#include "exit/mmio_decode.h"

#include "arch/esr.h"
#include "arch/insn.h"
#include "arch/par.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "exit/mmio.h"
#include "nested/shadow.h"
#include "nested/walk_vm.h"
#include "state/vcpu.h"
#include "state/vm.h"

/* Loads and Stores (C4.1.94): the two groups that drivers use on devices. */
#define INSN_PAIR_MASK 0x3e000000u /* x x1 0 1 0 0 ...: LDP/STP of general registers */
#define INSN_PAIR 0x28000000u
#define INSN_IMM9_MASK 0x3f200000u /* size 111 0 00 opc 0: unscaled, post- or pre-indexed */
#define INSN_IMM9 0x38000000u

struct access {
	u32 regs, rt[2], rn;
	u8 size;
	bool load, sign, to64, writeback, post;
	s64 offset;
};

/* Translate PC to an address in the VM by the hardware's stage 1 of the guest. */
static bool pc_in_vm(struct vcpu *vcpu, ipa_t *at)
{
	u64 saved = sysreg_read(PAR_EL1), par;

	insn_at_s1e1r(vcpu->pc);
	par = sysreg_read(PAR_EL1);
	sysreg_write(PAR_EL1, saved);
	*at = ipa((par & PAR_PA) | (vcpu->pc & (PAGE_SIZE - 1)));
	return !(par & PAR_F);
}

/* Read the instruction at PC: of vEL1 through two stages, else through one. */
static bool fetch(struct vcpu *vcpu, u32 *insn)
{
	ipa_t at;

	if (unlikely(vcpu_in_vel1(vcpu))) {
		if (walk_vel1_va(vcpu, vcpu->pc, &at))
			return false;
	} else if (!pc_in_vm(vcpu, &at)) {
		return false;
	}
	return !vm_read(vcpu->vm, at, insn, sizeof(*insn));
}

static bool decode_pair(u32 insn, struct access *a)
{
	u32 opc = insn >> 30, mode = (insn >> 23) & 3;

	/* Unallocated; STGP and what it would be with the other modes. */
	if (opc == 3 || (opc == 1 && (!(insn & BIT(22)) || !mode)))
		return false;
	a->regs = 2;
	a->size = opc == 2 ? 8 : 4;
	a->sign = opc == 1;
	a->to64 = opc != 0;
	a->load = insn & BIT(22);
	a->rt[0] = insn & 31;
	a->rt[1] = (insn >> 10) & 31;
	a->writeback = mode == 1 || mode == 3;
	a->post = mode == 1;
	a->offset = ((s64)((u64)insn << 42) >> 57) * a->size;
	return true;
}

static bool decode_imm9(u32 insn, struct access *a)
{
	u32 opc = (insn >> 22) & 3, mode = (insn >> 10) & 3;

	a->regs = 1;
	a->size = (u8)(1 << (insn >> 30));
	a->load = opc != 0;
	a->sign = opc >= 2;
	a->to64 = opc == 2 || a->size == 8;
	a->rt[0] = insn & 31;
	a->writeback = mode == 1 || mode == 3;
	a->post = mode == 1;
	a->offset = (s64)((u64)insn << 43) >> 55;
	return !(opc >= 2 && a->size == 8) && !(opc == 3 && a->size == 4);
}

static bool decode(u32 insn, struct access *a)
{
	*a = (struct access){ .rn = (insn >> 5) & 31 };
	if ((insn & INSN_PAIR_MASK) == INSN_PAIR)
		return decode_pair(insn, a);
	if ((insn & INSN_IMM9_MASK) == INSN_IMM9)
		return decode_imm9(insn, a);
	return false;
}

static u64 extend(const struct access *a, u64 v)
{
	u32 shift = 64 - 8 * a->size;

	v = a->sign ? (u64)((s64)(v << shift) >> shift) : v << shift >> shift;
	return a->to64 ? v : (u32)v;
}

static bool base_is_sp1(const struct vcpu *vcpu)
{
	return PSTATE_EL(vcpu->pstate) && (vcpu->pstate & PSTATE_SPX);
}

static u64 base_read(const struct vcpu *vcpu, const struct access *a)
{
	if (a->rn != 31)
		return vcpu->gpr[a->rn];
	return base_is_sp1(vcpu) ? sysreg_read(SP_EL1) : sysreg_read(SP_EL0);
}

static void base_write(struct vcpu *vcpu, const struct access *a, u64 v)
{
	if (a->rn != 31)
		vcpu->gpr[a->rn] = v;
	else if (base_is_sp1(vcpu))
		sysreg_write(SP_EL1, v);
	else
		sysreg_write(SP_EL0, v);
}

/*
 * The half of a pair that the hardware did not reach faults: inject what it would have taken
 * (AArch64.DataAbort).
 */
static enum verdict fault_at(struct vcpu *vcpu, const struct access *a, u64 va,
			     const struct walk_fault *fault)
{
	u64 iss = fault->fsc | (a->load ? 0 : DABT_WNR) | (fault->s1ptw ? ABT_S1PTW : 0);

	if (fault->retry)
		return RESUME;
	if (fault->stage2) {
		vcpu->reflection.esr = ESR(EC_DABT_LOW, iss);
		vcpu->reflection.far = va;
		vcpu->reflection.hpfar = HPFAR_MAKE(fault->ipa);
		return REFLECT_ABORT;
	}
	vcpu->inject_esr = ESR(PSTATE_EL(vcpu->pstate) ? EC_DABT_CUR : EC_DABT_LOW, iss);
	vcpu->inject_far = va;
	return INJECT_FAR;
}

/*
 * Find the address in the VM of each element. Elements on the page that the abort is about follow
 * from `at` (FAR_EL2 may have lost a tag). Another page has its own translation, and may be memory.
 * SKIP, or the verdict instead.
 */
static enum verdict locate(struct vcpu *vcpu, const struct exit *exit, const struct access *a,
			   ipa_t at, ipa_t where[2])
{
	u64 va = base_read(vcpu, a) + (a->post ? 0 : (u64)a->offset);
	struct walk_access want = { .read = a->load,
				    .write = !a->load,
				    .el0 = !PSTATE_EL(vcpu->pstate),
				    .pan = vcpu->pstate & PSTATE_PAN };
	struct walk_fault fault;
	bool met = false;

	for (u32 i = 0; i < a->regs; i++, va += a->size) {
		/*
		 * Its second part would have its own translation; where one is to a device, it is
		 * unaligned.
		 */
		if ((va & (PAGE_SIZE - 1)) + a->size > PAGE_SIZE)
			return ABORT;
		if (!((va ^ exit->far) & MASK(55, PAGE_SHIFT))) {
			where[i] = ipa(ALIGN_DOWN(at.a, PAGE_SIZE) | (va & (PAGE_SIZE - 1)));
			met = true;
		} else if (!walk_va(vcpu, va, want, &where[i], &fault)) {
			return fault_at(vcpu, a, va, &fault);
		}
	}
	/* Else another CPU has overwritten the instruction since it trapped. */
	return met ? SKIP : RESUME;
}

/*
 * Access memory next to a device. vEL1's is where vEL2's tables said when they were walked: while
 * seq is unchanged, a TLBI of vEL2, which would wait for a CPU's access, waits for this one as
 * well. Otherwise the tables must be walked again.
 */
static bool memory_access(struct vcpu *vcpu, ipa_t at, struct mmio *m, u64 seq)
{
	bool ok;

	if (!vcpu_in_vel1(vcpu))
		return mmio_ram_access(vcpu, at, m);
	if (!shadow_hold(vcpu, seq)) {
		m->waits = true;
		return true;
	}
	ok = mmio_ram_access(vcpu, at, m);
	shadow_release(vcpu);
	return ok;
}

/* SKIP, AGAIN if an element waits, or ABORT if nothing answers for one. */
static enum verdict transfer(struct vcpu *vcpu, const struct access *a, const ipa_t where[2],
			     u64 seq)
{
	u64 value[2] = { 0 };

	/* When handled again it continues where it stopped. */
	value[0] = vcpu->pair.value;
	for (u32 i = vcpu->pair.done; i < a->regs; i++) {
		struct mmio m = { .size = a->size, .write = !a->load };

		if (m.write)
			m.data = vcpu_gpr(vcpu, a->rt[i]) & (~0UL >> (64 - 8 * a->size));
		if (!mmio_access(vcpu, where[i], &m) && !memory_access(vcpu, where[i], &m, seq))
			return ABORT;
		if (unlikely(m.waits)) {
			vcpu->pair.done = (u8)i;
			vcpu->pair.value = value[0];
			return AGAIN;
		}
		value[i] = extend(a, m.data);
	}
	for (u32 i = 0; a->load && i < a->regs; i++)
		vcpu_gpr_set(vcpu, a->rt[i], value[i]);
	return SKIP;
}

enum verdict mmio_decode_access(struct vcpu *vcpu, const struct exit *exit, ipa_t at)
{
	enum verdict verdict;
	struct access a;
	ipa_t where[2];
	u64 base, seq;
	u32 insn;

	if ((vcpu->pstate & PSTATE_AARCH32) || !fetch(vcpu, &insn) || !decode(insn, &a))
		return ABORT;
	seq = vcpu_in_vel1(vcpu) ? shadow_seq(vcpu) : 0;
	verdict = locate(vcpu, exit, &a, at, where);
	if (verdict != SKIP)
		return verdict;
	base = base_read(vcpu, &a);
	verdict = transfer(vcpu, &a, where, seq);
	if (verdict == SKIP && a.writeback)
		base_write(vcpu, &a, base + (u64)a.offset);
	return verdict;
}
