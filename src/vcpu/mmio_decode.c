/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores to emulated devices whose syndrome does not describe them. */
#include "vcpu/mmio_decode.h"

#include "arch/insn.h"
#include "arch/sysreg.h"
#include "nested/walk_vm.h"
#include "vcpu/mmio.h"
#include "vcpu/vcpu.h"
#include "vcpu/vm.h"

/* Loads and Stores (C4.1.94): the two groups that devices are driven with. */
#define INSN_PAIR_MASK 0x3e000000u /* x x1 0 1 0 0 ...: LDP/STP of general registers */
#define INSN_PAIR 0x28000000u
#define INSN_IMM9_MASK 0x3f200000u /* size 111 0 00 opc 0: unscaled, post- or pre-indexed */
#define INSN_IMM9 0x38000000u

#define PSTATE_M_SPX 1UL
#define PSTATE_EL(p) FIELD(p, 3, 2)

struct access {
	u32 regs, rt[2], rn;
	u8 size;
	bool load, sign, to64, writeback;
	s64 offset;
};

/* Where PC is in the VM, by the hardware's stage 1 of the guest. */
static bool pc_in_vm(struct vcpu *vcpu, ipa_t *at)
{
	u64 saved = sysreg_read(PAR_EL1), par;

	insn_at_s1e1r(vcpu->pc);
	par = sysreg_read(PAR_EL1);
	sysreg_write(PAR_EL1, saved);
	*at = ipa((par & MASK(47, 12)) | (vcpu->pc & (PAGE_SIZE - 1)));
	return !(par & 1);
}

/* The instruction at PC: of L2 two stages away, of anybody else one. */
static bool fetch(struct vcpu *vcpu, u32 *insn)
{
	ipa_t at;

	if (unlikely(vcpu->has_el2) && !vcpu->hyp) {
		if (walk_l2_va(vcpu, vcpu->pc, &at))
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

static void write_base(struct vcpu *vcpu, const struct access *a)
{
	if (a->rn != 31)
		vcpu->gpr[a->rn] += (u64)a->offset;
	else if (PSTATE_EL(vcpu->pstate) && (vcpu->pstate & PSTATE_M_SPX))
		sysreg_write(SP_EL1, sysreg_read(SP_EL1) + (u64)a->offset);
	else
		sysreg_write(SP_EL0, sysreg_read(SP_EL0) + (u64)a->offset);
}

bool mmio_decode_access(struct vcpu *vcpu, const struct exit *exit, ipa_t at)
{
	u64 value[2] = { 0 };
	struct access a;
	u32 insn;

	(void)exit;
	if ((vcpu->pstate & BIT(4)) || !fetch(vcpu, &insn) || !decode(insn, &a))
		return false;
	for (u32 i = 0; i < a.regs; i++) {
		struct mmio m = { .size = a.size, .write = !a.load };

		if (m.write)
			m.data = vcpu_gpr(vcpu, a.rt[i]) & (~0UL >> (64 - 8 * a.size));
		if (!mmio_access(vcpu, ipa(at.a + i * a.size), &m))
			return false;
		value[i] = extend(&a, m.data);
	}
	for (u32 i = 0; a.load && i < a.regs; i++)
		vcpu_gpr_set(vcpu, a.rt[i], value[i]);
	if (a.writeback)
		write_base(vcpu, &a);
	return true;
}
