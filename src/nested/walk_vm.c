/* SPDX-License-Identifier: Apache-2.0 */
/* Software walks of a vcpu's guests: their registers and memory. */
#include "nested/walk_vm.h"

#include "arch/pgtable.h"
#include "arch/pstate.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vm.h"

/* ---- what the VM's CPUs have ---- */

static u32 id_field(const struct idregs *id, enum idspace_index reg, u32 lsb)
{
	return (u32)FIELD(id->v[reg], lsb + 3, lsb);
}

/* TGran<n>_2: 0 means that stage 2 has what stage 1 has. */
static bool has_stage2_granule(u32 field, bool stage1)
{
	return field == 0 ? stage1 : field != 1;
}

struct walk_feat walk_feat_of(const struct idregs *id)
{
	u32 hafdbs = id_field(id, IDX_ID_AA64MMFR1_EL1, 0);
	u32 pan = id_field(id, IDX_ID_AA64MMFR1_EL1, 20);
	struct walk_feat f = {
		.pa_bits = parange_bits(id_field(id, IDX_ID_AA64MMFR0_EL1, 0)),
		.tg4 = id_field(id, IDX_ID_AA64MMFR0_EL1, 28) != 15,
		.tg16 = id_field(id, IDX_ID_AA64MMFR0_EL1, 20) != 0,
		.tg64 = id_field(id, IDX_ID_AA64MMFR0_EL1, 24) != 15,
		.ttst = id_field(id, IDX_ID_AA64MMFR2_EL1, 28) >= 1,
		.lva = id_field(id, IDX_ID_AA64MMFR2_EL1, 16) >= 1,
		.haf = hafdbs >= 1,
		.hdbs = hafdbs >= 2,
		.hpds = id_field(id, IDX_ID_AA64MMFR1_EL1, 12) >= 1,
		.pan = pan >= 1,
		.epan = pan >= 3,
		.e0pd = id_field(id, IDX_ID_AA64MMFR2_EL1, 60) >= 1,
		.xnx = id_field(id, IDX_ID_AA64MMFR1_EL1, 28) >= 1,
		.vmid16 = id_field(id, IDX_ID_AA64MMFR1_EL1, 4) >= 2,
	};

	f.tg4_2 = has_stage2_granule(id_field(id, IDX_ID_AA64MMFR0_EL1, 40), f.tg4);
	f.tg16_2 = has_stage2_granule(id_field(id, IDX_ID_AA64MMFR0_EL1, 32), f.tg16);
	f.tg64_2 = has_stage2_granule(id_field(id, IDX_ID_AA64MMFR0_EL1, 36), f.tg64);
	return f;
}

/* ---- memory ---- */

static u64 *ram_word(void *ctx, u64 at)
{
	const struct vm *vm = ctx;

	for (u32 i = 0; i < vm->ram_chunks; i++)
		if (at - vm->ram[i].ipa < vm->ram[i].size)
			return pa_ptr(pa(vm->ram[i].pa + (at - vm->ram[i].ipa)));
	return NULL;
}

static int ram_read(void *ctx, u64 at, u64 *word)
{
	const u64 *p = ram_word(ctx, at);

	if (!p)
		return -EINVAL;
	/* What it points to must be read after it, as a table walk does. */
	*word = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return 0;
}

static int ram_swap(void *ctx, u64 at, u64 old, u64 new)
{
	u64 *p = ram_word(ctx, at);

	if (!p)
		return -EINVAL;
	return __atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
		       ? 0
		       : -EBUSY;
}

struct walk_mem walk_mem_of(struct vm *vm)
{
	return (struct walk_mem){ ram_read, ram_swap, vm };
}

/* ---- registers ---- */

/* A register of the vEL1 context: in vEL2's page while vEL2 runs. */
#define VEL1_VALUE(vcpu, name)                                                                     \
	((vcpu)->in_vel2 ? vncr_read(vcpu, VNCR_##name##_EL1) : sysreg_read(name##_EL12))

struct walk_s2_regs walk_s2_sample(const struct vcpu *vcpu)
{
	u64 hcr = vel2_hcr(vcpu);

	return (struct walk_s2_regs){
		.vttbr = vel2_vttbr(vcpu),
		.vtcr = vel2_vtcr(vcpu),
		.vm = hcr & (HCR_VM | HCR_DC),
		.ptw = hcr & HCR_PTW,
		.cd = hcr & HCR_CD,
		.ee = vel2_sctlr(vcpu) & SCTLR_EE,
	};
}

struct walk_s2_regs walk_s2_sample_vel1(const struct vcpu *vcpu)
{
	u64 hcr = vel2_hcr(vcpu);

	return (struct walk_s2_regs){
		.ptw = hcr & HCR_PTW,
		.ee = vcpu->sr[SR_SCTLR_EL1] & SCTLR_EE,
	};
}

struct walk_s1_regs walk_s1_sample_vel1(const struct vcpu *vcpu)
{
	return (struct walk_s1_regs){
		.sctlr = VEL1_VALUE(vcpu, SCTLR),
		.tcr = VEL1_VALUE(vcpu, TCR),
		.ttbr0 = VEL1_VALUE(vcpu, TTBR0),
		.ttbr1 = VEL1_VALUE(vcpu, TTBR1),
		.mair = VEL1_VALUE(vcpu, MAIR),
		.el10 = true,
		.dc = vcpu->has_vel2 && (vel2_hcr(vcpu) & HCR_DC),
	};
}

struct walk_s1_regs walk_s1_sample_vel2(const struct vcpu *vcpu)
{
	return (struct walk_s1_regs){
		.sctlr = vel2_sctlr(vcpu),
		.tcr = vel2_tcr(vcpu),
		.ttbr0 = vel2_ttbr0(vcpu),
		.ttbr1 = vel2_ttbr1(vcpu),
		.mair = vel2_mair(vcpu),
		.nv1 = vel2_one_range(vcpu),
	};
}

/* ---- vEL1's memory ---- */

int walk_vel1_ipa(struct vcpu *vcpu, u64 nipa, ipa_t *to)
{
	struct walk_s2_regs s2 = walk_s2_sample(vcpu);
	struct walk_mem mem = walk_mem_of(vcpu->vm);
	struct walk_s2_out out;
	struct walk_fault fault;

	mem.swap = NULL;
	if (!walk_s2(&s2, &vcpu->vm->walk_feat, &mem, nipa, (struct walk_access){ .read = true },
		     &out, &fault))
		return -EINVAL;
	*to = ipa(out.oa);
	return 0;
}

int walk_vel1_va(struct vcpu *vcpu, u64 va, ipa_t *to)
{
	struct walk_s1_regs s1 = walk_s1_sample_vel1(vcpu);
	struct walk_s2_regs s2 = walk_s2_sample(vcpu);
	struct walk_access fetch = { .exec = true, .el0 = PSTATE_IS_EL0(vcpu->pstate) };
	struct walk_mem mem = walk_mem_of(vcpu->vm);
	struct walk_s1_out out;
	struct walk_fault fault;

	mem.swap = NULL;
	if (!walk_s1(&s1, &s2, &vcpu->vm->walk_feat, &mem, va, fetch, &out, &fault))
		return -EINVAL;
	return walk_vel1_ipa(vcpu, out.oa, to);
}

bool walk_va(struct vcpu *vcpu, u64 va, struct walk_access a, ipa_t *at, struct walk_fault *fault)
{
	bool nested = vcpu_in_vel1(vcpu);
	struct walk_s1_regs s1 =
		vcpu->in_vel2 ? walk_s1_sample_vel2(vcpu) : walk_s1_sample_vel1(vcpu);
	struct walk_s2_regs s2 = nested ? walk_s2_sample(vcpu) : (struct walk_s2_regs){ 0 };
	const struct walk_feat *f = &vcpu->vm->walk_feat;
	struct walk_mem mem = walk_mem_of(vcpu->vm);
	struct walk_s1_out out;
	struct walk_s2_out out2;

	*fault = (struct walk_fault){ 0 };
	if (!walk_s1(&s1, nested ? &s2 : NULL, f, &mem, va, a, &out, fault))
		return false;
	if (nested && !walk_s2(&s2, f, &mem, out.oa, a, &out2, fault))
		return false;
	*at = ipa(nested ? out2.oa : out.oa);
	return true;
}
