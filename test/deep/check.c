/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in every state of the deep model. */
#include "check.h"

#include <stdio.h>

#include "arch/hcr.h"
#include "guests.h"
#include "arch/simd.h"

#define FIELDS (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN)

static const char *const name[] = { "", "l1", "L2", "L3", "W", "B" };

static const char *tag_text(tag t)
{
	switch (t) {
	case T_ZERO:
		return "zero";
	case T_JUNK:
		return "something not its own, or old";
	case T_SMSET:
		return "what a change of PSTATE.SM leaves";
	case T_HOST:
		return "a nidus's own data";
	case T_ANY:
		return "its own or zero";
	default:
		return "a last write";
	}
}

static void check_tag(const char *what, tag have, tag want)
{
	tag own_tag = own(guest_of(now));

	if (have == want || (want == T_ANY && (have == own_tag || have == T_ZERO)))
		return;
	if (have >= T_OWN && have != own_tag)
		model_fail("%s reads %s: sees what another guest wrote", name[now], what);
	model_fail("%s reads %s: sees %s instead of %s", name[now], what, tag_text(have),
		   tag_text(want));
}

static void check_segs(const char *what, const tag *have, const tag *want, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		char text[32];

		if (have[i] == want[i])
			continue;
		snprintf(text, sizeof(text), "%s, bits %u and up", what, i ? 64U << i : 0);
		check_tag(text, have[i], want[i]);
	}
}

static void check_value(const char *what, u64 have, u64 want)
{
	if (have != want)
		model_fail("%s runs with %s %#lx instead of %#lx", name[now], what, have, want);
}

/* ---- what a level gets from each level above ------------------------------------------------- */

/* Limits of the VMs that it is in, and of L2. */
static u64 zcr_limit(void)
{
	u32 g = guest_of(now), vl = g == G_B ? setup->vl[g] : MIN(setup->vl1, setup->vl[g]);
	u64 limit = (8U << vl) / 16 - 1;

	return now == WHO_L3 ? MIN(limit, truth[G_V].zcr[0]) : limit;
}

static u64 smcr_limit(void)
{
	u32 g = guest_of(now), vl = g == G_B ? setup->svl[g] : MIN(setup->svl1, setup->svl[g]);
	u64 limit = (8U << vl) / 16 - 1, all = machine_smcr(LEN_LONG) & ~SMCR_LEN;

	if (now == WHO_L3) {
		limit = MIN(limit, truth[G_V].smcr[0]);
		all &= machine_smcr(truth[G_V].smcr[0]);
	}
	return limit | all;
}

static bool has(u64 field)
{
	u32 g = guest_of(now);

	if (field == CPTR_FPEN)
		return true;
	if (field == CPTR_ZEN)
		return setup->vl[g] && (g == G_B || setup->vl1);
	return setup->svl[g] && (g == G_B || setup->svl1);
}

/* Live at each level whose registers have an owner. */
static bool is_live(void)
{
	if (now == WHO_B)
		return live(L0, 1);
	return live(L0, 0) && live(L1, guest_of(now));
}

/* ---- data ------------------------------------------------------------------------------------ */

/*
 * With SVE and SME both closed in the CPU's CPTR_EL2 no guest can observe a length, and each nidus
 * may leave those of the level above in place (simd_level.c).
 */
static bool sees_lengths(void)
{
	return m.reg[R_CPTR_EL2] & (CPTR_ZEN | CPTR_SMEN);
}

static void check_sve(const struct data *x)
{
	const struct truth *t = &truth[guest_of(now)];

	if (sees_lengths()) {
		check_value("ZCR_EL2", m.reg[R_ZCR_EL2], zcr_limit());
		check_value("ZCR_EL1", m.reg[R_ZCR_EL1], t->zcr[now == WHO_L3]);
	}
	check_segs("Z registers", m.d.vec, x->vec, exp_len(now));
	check_tag("P registers", m.d.pred, x->pred);
	if (!(x->svcr & SVCR_SM) || setup->fa64)
		check_tag("FFR", m.d.ffr, x->ffr);
}

static void check_sme(const struct data *x)
{
	const struct truth *t = &truth[guest_of(now)];

	if (sees_lengths()) {
		check_value("SMCR_EL2", m.reg[R_SMCR_EL2], smcr_limit());
		check_value("SMCR_EL1", m.reg[R_SMCR_EL1], machine_smcr(t->smcr[now == WHO_L3]));
	}
	if (!(x->svcr & SVCR_ZA))
		return;
	check_segs("ZA", m.d.za, x->za, exp_svl(now));
	if (setup->sme2)
		check_tag("ZT0", m.d.zt0, x->zt0);
}

/* Each field of CPTR_EL2; what L2 has opened for itself since may still be closed. */
static void check_fields(void)
{
	static const u64 fields[] = { CPTR_FPEN, CPTR_ZEN, CPTR_SMEN };
	u64 cptr = m.reg[R_CPTR_EL2], l2 = guest_of(now) == G_V ? truth[G_V].cptr : FIELDS;

	if (now == WHO_L2) /* what l1 may know of it: CPACR_EL1 hides the rest */
		l2 = belows[L1]->vcpu[0].sr[SR_CPTR_EL2];

	for (u32 i = 0; i < 3; i++) {
		bool want = is_live() && has(fields[i]) && (l2 & fields[i]);

		if (!!(cptr & fields[i]) != want && !(now == WHO_L2 && want))
			model_fail("%s runs with CPTR_EL2 %#lx: live at l0 %u, at l1 %u, L2 says "
				   "%#lx",
				   name[now], cptr, live(L0, now == WHO_B),
				   now != WHO_B && live(L1, guest_of(now)), l2);
	}
	if ((cptr & (CPTR_TTA | CPTR_TAM)) != (CPTR_TTA | CPTR_TAM))
		model_fail("%s runs with trace or activity monitors open", name[now]);
}

/* Fields that a VM on the way lacks although the one above it has them. */
static u64 hidden(void)
{
	u64 zen = has(CPTR_ZEN) ? 0 : CPTR_ZEN, smen = has(CPTR_SMEN) ? 0 : CPTR_SMEN;

	return zen | smen;
}

static void check_cpacr(void)
{
	u64 cpacr = m.reg[R_CPACR_EL1], l2 = truth[G_V].cptr;
	bool native = setup->tcpac && !hidden();
	bool trapped = now == WHO_L2 ? !native : hidden() || (now == WHO_L3 && (l2 & CPTR_TCPAC));

	if (trapped && !(m.reg[R_CPTR_EL2] & CPTR_TCPAC))
		model_fail("%s runs with CPACR_EL1 not trapped", name[now]);
	if (!trapped && now != WHO_B && is_live() && (m.reg[R_CPTR_EL2] & CPTR_TCPAC))
		model_fail("%s runs with CPACR_EL1 trapped", name[now]);
	if (now != WHO_L2)
		check_value("CPACR_EL1", cpacr & FIELDS, FIELDS);
	else if (native)
		check_value("CPACR_EL1", cpacr, l2);
	else
		check_value("CPACR_EL1", cpacr & FIELDS & ~hidden(), l2 & FIELDS & ~hidden());
}

void check_guest(void)
{
	static const char *const status[] = { "FPCR", "FPSR", "FPMR" };
	const struct data *x = &truth[guest_of(now)].d;

	check_fields();
	check_cpacr();
	check_value("SVCR", m.d.svcr, is_live() ? x->svcr : 0);
	if (!is_live() && (x->svcr & SVCR_SM))
		model_fail("%s runs outside streaming mode, where it left it on", name[now]);
	if (!is_live())
		return;
	check_tag("V registers", m.d.vec[0], x->vec[0]);
	for (u32 i = 0; i < 3; i++)
		check_tag(status[i], m.d.status[i], x->status[i]);
	if (has(CPTR_ZEN))
		check_sve(x);
	if (has(CPTR_SMEN))
		check_sme(x);
}

/* ---- the other controls ---------------------------------------------------------------------- */

#define HCR_L0                                                                                     \
	(HCR_E2H | HCR_RW | HCR_VM | HCR_AMO | HCR_IMO | HCR_FMO | HCR_TSC | HCR_TWI | HCR_TIDCP | \
	 HCR_TACR | HCR_TID3)
#define HCR_NVS (HCR_NV | HCR_NV1 | HCR_NV2)

/* What any level above requested is in force, and nothing else is. */
static void check_controls(void)
{
	u64 hcr = m.reg[R_HCR_EL2], vel2 = now == WHO_L2;
	u64 want = vel2 ? HCR_NV | HCR_NV2 | HCR_AT | HCR_TTLB : 0;

	if (now == WHO_L3 && truth[G_V].tvm)
		want |= HCR_TVM;
	check_value("HCR_EL2's NV, AT, TTLB, TVM", hcr & (HCR_NVS | HCR_AT | HCR_TTLB | HCR_TVM),
		    want);
	check_value("HCR_EL2's bits of l0", hcr & HCR_L0, HCR_L0);
	check_value("MDCR_EL2's traps", m.reg[R_MDCR_EL2] & (MDCR_TPM | MDCR_TDRA | MDCR_TDOSA),
		    MDCR_TPM | MDCR_TDRA | MDCR_TDOSA);
	if (!vel2)
		return;
	check_value("VNCR_EL2", m.reg[R_VNCR_EL2], (u64)pages[L1]);
	check_value("CNTHCTL_EL2.EL1NVxCT",
		    m.reg[R_CNTHCTL_EL2] & (CNTHCTL_EL1NVPCT | CNTHCTL_EL1NVVCT), 0);
}

/*
 * ---- what the two nidus record of themselves --------------------------------------------------
 */

static void check_owner(u32 n, u64 cptr, u64 zcr, u64 smcr)
{
	const struct cpu *cpu = belows[n]->cpu;
	const struct vcpu *owner = cpu->simd.owner;

	if (cpu->traps.cptr != cptr)
		model_fail("l%u's record of CPTR_EL2 is %#lx, the register %#lx", n,
			   cpu->traps.cptr, cptr);
	if (cpu->simd.host)
		model_fail("l%u is left in a host section", n);
	for (u32 v = 0; v < 2; v++)
		if (live(n, v) != (owner == &belows[n]->vcpu[v]))
			model_fail("l%u's vcpu %u and its CPU differ on who is live", n, v);
	if (!owner)
		return;
	if (owner != cpu->loaded)
		model_fail("l%u has a vcpu live that is not loaded", n);
	if (owner->simd.vl &&
	    (owner->simd.zcr_now != zcr || (owner->simd.svl && owner->simd.smcr_now != smcr)))
		model_fail("l%u: limits in force are %#lx, %#lx, its record says %#lx, %#lx", n,
			   zcr, smcr, owner->simd.zcr_now, owner->simd.smcr_now);
}

/* l1 closes what it knows L2 has closed: with l1 at EL2 nobody else would. */
static void check_l1_closes(void)
{
	u64 l2 = belows[L1]->vcpu[0].sr[SR_CPTR_EL2], asks = belows[L1]->cpu->traps.cptr & FIELDS;

	if (guest_of((enum who)now) == G_V && (asks & ~l2))
		model_fail("l1 lets V use %#lx, L2 says %#lx", asks, l2);
}

/* The values of CPTR_EL2, ZCR_EL2 and SMCR_EL2 that l1 has are those that l0 keeps for it. */
static void check_l1(void)
{
	const struct vcpu *l1 = &belows[L0]->vcpu[0];
	u64 have = l1->vm->nested.cptr, record = belows[L1]->cpu->traps.cptr;

	check_owner(L1, (record & ~have) | l1->sr[SR_CPTR_EL2], l1->sr[SR_ZCR_EL2],
		    l1->sr[SR_SMCR_EL2]);
}

void world_check(void)
{
	const struct below *l0 = belows[L0], *l1 = belows[L1];

	if (m.at_el2 || m.pc != CODE(now))
		model_fail("an event ends at %s, %#lx", m.at_el2 ? "EL2" : "EL1", m.pc);
	if (l0->cpu->loaded != &l0->vcpu[0] || l0->vcpu[0].in_vel2)
		model_fail("l0 says that another vcpu, or l1, runs");
	if (l1->cpu->loaded != &l1->vcpu[guest_of(now)] ||
	    (guest_of(now) == G_V && l1->vcpu[0].in_vel2 != (now == WHO_L2)))
		model_fail("l1 says that another vcpu or level runs");
	check_owner(L0, m.reg[R_CPTR_EL2], m.reg[R_ZCR_EL2], m.reg[R_SMCR_EL2]);
	check_l1();
	check_l1_closes();
	check_controls();
	check_guest();
}
