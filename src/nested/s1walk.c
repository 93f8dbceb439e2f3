/* SPDX-License-Identifier: Apache-2.0 */
/* Find the level at which a guest's stage-1 walk met an address with nothing behind it. */
#include "nested/s1walk.h"

#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "arch/tcr.h"
#include "nested/walk_vm.h"
#include "state/vcpu.h"
#include "state/vm.h"

/*
 * Hardware began the walk, so no check before the first table may fail, whatever the guest has
 * written to TCR_EL1 since; and the CPU may have features that the VM is not shown.
 */
static const struct walk_feat anything = {
	.pa_bits = 48,
	.tg4 = true,
	.tg16 = true,
	.tg64 = true,
	.ttst = true,
	.lva = true,
};

struct reader {
	struct walk_mem mem;
	u64 page; /* the page that did not answer */
};

static int read_but_page(void *ctx, u64 at, u64 *word)
{
	const struct reader *r = ctx;

	return ALIGN_DOWN(at, PAGE_SIZE) == r->page ? -EINVAL : r->mem.read(r->mem.ctx, at, word);
}

/* The faulting page as the table reader sees it: after vEL2's stage 2 if vEL1 runs. */
static u64 page_of(struct vcpu *vcpu, const struct walk_s2_regs *s2, u64 fault_ipa)
{
	struct walk_mem mem = walk_mem_of(vcpu->vm);
	struct walk_s2_out out;
	struct walk_fault fault;

	if (s2 && walk_s2(s2, &vcpu->vm->walk_feat, &mem, fault_ipa, (struct walk_access){ 0 },
			  &out, &fault))
		fault_ipa = out.oa;
	return ALIGN_DOWN(fault_ipa, PAGE_SIZE);
}

int s1walk_fault_level(struct vcpu *vcpu, va_t at, u64 fault_ipa)
{
	bool nested = vcpu_in_vel1(vcpu);
	struct walk_s2_regs s2 = nested ? walk_s2_sample(vcpu) : (struct walk_s2_regs){ 0 };
	struct walk_s1_regs s1 = {
		.sctlr = (sysreg_read(SCTLR_EL12) & ~SCTLR_C) | SCTLR_M,
		.tcr = (sysreg_read(TCR_EL12) & ~(TCR_EPD0 | TCR_EPD1)) | (TCR_TBI0 | TCR_TBI1) |
		       TCR_IPS_MASK,
		.ttbr0 = sysreg_read(TTBR0_EL12),
		.ttbr1 = sysreg_read(TTBR1_EL12),
		.el10 = true,
	};
	struct reader r = { walk_mem_of(vcpu->vm), page_of(vcpu, nested ? &s2 : NULL, fault_ipa) };
	struct walk_mem mem = { .read = read_but_page, .ctx = &r };
	struct walk_s1_out out;
	struct walk_fault fault;

	if (walk_s1(&s1, nested ? &s2 : NULL, &anything, &mem, at.a, (struct walk_access){ 0 },
		    &out, &fault))
		return out.level;
	return fault.level;
}
