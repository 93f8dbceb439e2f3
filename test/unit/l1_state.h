/* SPDX-License-Identifier: Apache-2.0 */
/* A vcpu that has EL2, for tests: L1's registers by number, their bits, random values. */
#pragma once

#include <string.h>

#include "arch/hcr.h"
#include "state/vel2_regs.h"
#include "trap_rules.h"
#include "state/vcpu.h"
#include "state/vm.h"

static struct vm_config config;
static struct vm vm;
static struct vcpu vcpu;
static u64 vncr_page[VNCR_WORDS];
static u64 seed = 0x1234567;

static u64 random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL;
}

/* Half of the bits, few, most, none or all of them. */
static u64 random_bits(void)
{
	switch (random64() % 6) {
	case 0:
		return random64() & random64() & random64();
	case 1:
		return random64() | random64() | random64();
	case 2:
		return 0;
	case 3:
		return ~0UL;
	}
	return random64();
}

static u64 *l1_place(enum l1_reg reg)
{
	static const u32 offset[L1_REGS] = {
		[HCR] = 0x78,     [ICH_HCR] = 0x4c0, [HFGRTR] = 0x1b8,  [HFGWTR] = 0x1c0,
		[HFGITR] = 0x1c8, [HDFGRTR] = 0x1d0, [HDFGWTR] = 0x1d8,
	};

	switch (reg) {
	case MDCR:
		return &vcpu.sr[SR_MDCR_EL2];
	case CPTR:
		return &vcpu.sr[SR_CPTR_EL2];
	case CNTHCTL:
		return &vcpu.sr[SR_CNTHCTL_EL2];
	default:
		return &vncr_page[offset[reg] / 8];
	}
}

static u64 *l1_have(enum l1_reg reg)
{
	u64 *const have[L1_REGS] = {
		[HCR] = &vm.nested.hcr,         [MDCR] = &vm.nested.mdcr,
		[CPTR] = &vm.nested.cptr,       [CNTHCTL] = &vm.nested.cnthctl,
		[ICH_HCR] = &vm.nested.ich_hcr, [HFGRTR] = &vm.nested.hfgrtr,
		[HFGWTR] = &vm.nested.hfgwtr,   [HFGITR] = &vm.nested.hfgitr,
		[HDFGRTR] = &vm.nested.hdfgrtr, [HDFGWTR] = &vm.nested.hdfgwtr,
	};

	return have[reg];
}

/* L1 traps nothing, and every register has every bit; HCRX_EL2 is 0. */
static void l1_reset(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(vncr_page, 0, sizeof(vncr_page));
	vm.config = &config;
	vcpu.vm = &vm;
	vcpu.has_vel2 = true;
	vcpu.vncr = vncr_page;
	for (enum l1_reg reg = HCR; reg < L1_REGS; reg++)
		*l1_have(reg) = ~0UL;
	vm.nested.hcrx = vm.nested.smcr = ~0UL;
	*l1_place(HCR) = HCR_API | HCR_APK;
	*l1_place(CPTR) = CPTR_FPEN | CPTR_ZEN | CPTR_SMEN;
	*l1_place(CNTHCTL) = CNTHCTL_EL1PCTEN | CNTHCTL_EL1PTEN;
	*l1_place(HFGRTR) = *l1_place(HFGWTR) = BIT(54) | BIT(55);
}

static void l1_random(void)
{
	for (enum l1_reg reg = HCR; reg < L1_REGS; reg++) {
		*l1_place(reg) = random_bits();
		*l1_have(reg) = random_bits();
	}
	vncr_page[0xa0 / 8] = random_bits();
	vm.nested.hcrx = random_bits();
	vcpu.sr[SR_SMCR_EL2] = random_bits();
	vm.nested.smcr = random_bits();
}

/* Whether a rule applies with these values of the control registers. */
static bool rule_fires(const struct rule *r, const u64 value[L1_REGS], const u64 have[L1_REGS],
		       bool fgtnxs)
{
	u64 v = r->zero ? ~value[r->reg] : value[r->reg];

	if (r->nxs && fgtnxs)
		return false;
	return v & have[r->reg] & BIT(r->bit);
}
