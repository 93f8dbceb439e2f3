/* SPDX-License-Identifier: Apache-2.0 */
/* Exception returns of the hypervisor: every mode, legal or not, and authenticated ones. */
#include "hyp.h"

#include "mmu.h"

#define SPSR_IL BIT(20)
#define SPSR_FLAGS (0xaUL << 28)
#define SCTLR_ENIA BIT(31)
#define SCTLR_ENIB BIT(30)

/* payload.S */
extern const char hvc_7[], l2_telling_vectors[];
void el0_svc(void);
u64 l2_nop(u64 a, u64 b, u64 c);

static void prepare(struct l2 *l, u64 elr, u64 spsr, u64 hcr)
{
	l2_call(l, l2_nop, 0, 0, 0);
	l->elr = elr;
	l->spsr = spsr;
	l->hcr = hcr;
}

static void illegal(struct l2 *l, const char *why, u64 mode, u64 hcr)
{
	u64 kind;

	check_begin("eret", "SPSR.M 0x%02lx is illegal%s", mode, why);
	prepare(l, (u64)hvc_7, SPSR_FLAGS | 0x2c0 | mode, hcr);
	kind = l2_run(l);
	expect_eq(kind, EXIT_HOST_SYNC, "vector");
	expect_eq(l->esr, ESR_OF(EC_ILL, 0), "esr");
	expect_eq(l->elr, (u64)hvc_7, "elr");
	expect_eq(l->spsr & (0xf0000000 | SPSR_IL | 0x3df), SPSR_FLAGS | SPSR_IL | 0x2c9, "spsr");
	l->hcr = HCR_L2;
}

static void legal(struct l2 *l, const char *name, u64 mode, u64 elr, u64 want_kind)
{
	u64 kind;

	check_begin("eret", "SPSR.M 0x%02lx is %s", mode, name);
	prepare(l, elr, SPSR_FLAGS | 0x3c0 | mode, HCR_L2);
	kind = l2_run(l);
	expect_eq(kind, want_kind, "vector");
	expect_eq(l->esr, ESR_OF(EC_HVC, 7), "esr");
	expect_eq(l->elr, elr + 4, "elr");
	expect_eq(l->spsr & 0xf01003df, SPSR_FLAGS | 0x3c0 | mode, "spsr");
}

static void modes(struct l2 *l)
{
	u64 m;

	legal(l, "EL1t", 4, l2_address(hvc_7), EXIT_SYNC);
	legal(l, "EL1h", 5, l2_address(hvc_7), EXIT_SYNC);
	legal(l, "EL2t", 8, (u64)hvc_7, 0);
	legal(l, "EL2h", 9, (u64)hvc_7, EXIT_HOST_SYNC);
	for (m = 1; m < 32; m++) {
		if (m == 4 || m == 5 || m == 8 || m == 9 || m == 16)
			continue; /* 16: EL0 in AArch32 state, which a machine may have */
		illegal(l, "", m, HCR_L2);
	}
	illegal(l, " with HCR_EL2.TGE", 4, HCR_HOST | HCR_TGE);
	illegal(l, " with HCR_EL2.TGE", 5, HCR_HOST | HCR_TGE);
	check_begin("eret", "SPSR.M 0x00 with HCR_EL2.TGE is host EL0");
	if (!needs_vhe())
		return;
	prepare(l, MMU_EL0 + (u64)el0_svc, SPSR_EL0T, HCR_HOST);
	expect_eq(l2_run(l), EXIT_SYNC, "vector");
	expect_eq(l->esr, ESR_OF(EC_SVC, 0x123), "esr");
	l->hcr = HCR_L2;
}

/* PSTATE.IL is set by the return: L2 takes the exception itself. */
static void il_for_l2(struct l2 *l)
{
	check_begin("eret", "SPSR.IL for L2 is L2's exception");
	prepare(l, l2_address(hvc_7), SPSR_EL1H | SPSR_IL, HCR_L2);
	l2_put();
	l->sys[L2_VBAR] = l2_address(l2_telling_vectors);
	expect(l2_is_hvc(l, l2_run(l), 0x104), "esr 0x%lx", l->esr);
	expect_eq(el1_read(ESR), ESR_OF(EC_ILL, 0), "ESR_EL1");
	expect_eq(el1_read(ELR), l2_address(hvc_7), "ELR_EL1");
	expect_eq(el1_read(SPSR) & SPSR_IL, SPSR_IL, "SPSR_EL1.IL");
	check_begin("eret", "SPSR.IL for L2's EL0 is L2's exception");
	prepare(l, MMU_EL0 + l2_address(hvc_7), SPSR_EL0T | SPSR_IL, HCR_L2);
	expect(l2_is_hvc(l, l2_run(l), 0x108), "esr 0x%lx", l->esr);
	expect_eq(el1_read(ESR), ESR_OF(EC_ILL, 0), "ESR_EL1");
}

static void keys(void)
{
	sysreg_write(APIAKeyLo_EL1, 0x1122334455667788UL);
	sysreg_write(APIAKeyHi_EL1, 0x99aabbccddeeff00UL);
	sysreg_write(APIBKeyLo_EL1, 0x8877665544332211UL);
	sysreg_write(APIBKeyHi_EL1, 0x00ffeeddccbbaa99UL);
}

static void authenticated(struct l2 *l)
{
	u64 sctlr = own_read(SCTLR), isar1 = sysreg_read(ID_AA64ISAR1_EL1);
	u64 api = MAX(FIELD(isar1, 11, 8), FIELD(isar1, 7, 4)), kind, key;
	static const char name[] = "AB";

	api = MAX(api, FIELD(sysreg_read(ID_AA64ISAR2_EL1), 15, 12));
	for (key = 1; key <= 2; key++) {
		check_begin("eret", "ERETA%c with a good code", name[key - 1]);
		if (!has_pauth) {
			test_skip("no PAuth");
			continue;
		}
		keys();
		own_write(SCTLR, sctlr | SCTLR_ENIA | SCTLR_ENIB);
		isb();
		prepare(l, l2_address(hvc_7), SPSR_EL1H, HCR_L2);
		l->eret = key;
		expect(l2_is_hvc(l, l2_run(l), 7), "esr 0x%lx elr 0x%lx", l->esr, l->elr);
		check_begin("eret", "ERETA%c with a bad code", name[key - 1]);
		if (api < 5) {
			test_skip("no FEAT_FPACCOMBINE");
			continue;
		}
		prepare(l, l2_address(hvc_7), SPSR_EL1H, HCR_L2);
		l->eret = key | 8;
		kind = l2_run(l);
		expect_eq(kind, EXIT_HOST_SYNC, "vector");
		expect_eq(l->esr, ESR_OF(EC_PAC_BAD, key - 1), "esr");
	}
	check_begin("eret", "ERETAA with SCTLR_EL2.EnIA clear is ERET");
	own_write(SCTLR, sctlr);
	isb();
	if (!has_pauth) {
		test_skip("no PAuth");
		return;
	}
	prepare(l, l2_address(hvc_7), SPSR_EL1H, HCR_L2);
	l->eret = 1;
	expect(l2_is_hvc(l, l2_run(l), 7), "esr 0x%lx elr 0x%lx", l->esr, l->elr);
	l->eret = 0;
}

/* If the address is one that L2 cannot fetch from, L2 takes the exception, not the hypervisor. */
static void bad_address(struct l2 *l)
{
	check_begin("eret", "an odd address for L2 is L2's exception");
	prepare(l, l2_address(hvc_7) + 2, SPSR_EL1H, HCR_L2);
	expect(l2_is_hvc(l, l2_run(l), 0x104), "esr 0x%lx", l->esr);
	expect_eq(el1_read(ESR), ESR_OF(EC_PC_ALIGN, 0), "ESR_EL1");
	check_begin("eret", "an unmapped address for L2 is L2's exception");
	prepare(l, 0x123456789000, SPSR_EL1H, HCR_L2);
	expect(l2_is_hvc(l, l2_run(l), 0x104), "esr 0x%lx", l->esr);
	expect_eq(el1_read(ESR), ESR_OF(EC_IABT, 4), "ESR_EL1");
	expect_eq(el1_read(FAR), 0x123456789000, "FAR_EL1");
}

void group_eret(void)
{
	struct l2 *l = &l2s[0];

	check_begin("eret", "L2 boots");
	l2_reset(l, 1);
	modes(l);
	il_for_l2(l);
	bad_address(l);
	authenticated(l);
}
