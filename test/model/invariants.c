/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in every state of the model world. */
#include <stdio.h>
#include <string.h>

#include "arch/hcr.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "events.h"
#include "simd/simd.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/vncr.h"
#include "traps/traps.h"
#include "traps/traps_nested.h"

#define CPTR_ALWAYS (CPTR_TTA | CPTR_TAM)

static const char *tag_text(tag t)
{
	switch (t) {
	case T_ZERO: return "zero";
	case T_JUNK: return "something not its own, or old";
	case T_SMSET: return "what a change of PSTATE.SM leaves";
	case T_HOST: return "nidus's own data";
	case T_ANY: return "its own or zero";
	default: return "its last write";
	}
}

static void check_tag(u32 v, const char *what, tag have, tag want)
{
	if (have == want || (want == T_ANY && (have == own(v) || have == T_ZERO)))
		return;
	if (have >= T_OWN && have != own(v))
		model_fail("vcpu %u reads %s: sees what vcpu %u wrote", vcpu_name[v], what,
			   vcpu_name[have - T_OWN]);
	model_fail("vcpu %u reads %s: sees %s instead of %s", vcpu_name[v], what, tag_text(have),
		   tag_text(want));
}

static void check_segs(u32 v, const char *what, const tag *have, const tag *want, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		char name[32];

		if (have[i] == want[i])
			continue;
		snprintf(name, sizeof(name), "%s, bits %u and up", what, i ? 64U << i : 0);
		check_tag(v, name, have[i], want[i]);
	}
}

static void check_value(u32 v, const char *what, u64 have, u64 want)
{
	if (have != want)
		model_fail("vcpu %u runs with %s %#lx instead of %#lx", vcpu_name[v], what, have,
			   want);
}

/*
 * L1 traps every instruction of L2 that depends on lengths: then L2 may run with L1's, as vEL2
 * does.
 */
static bool of_l1(u32 v)
{
	return in_l2(v) && !setup->simd_switch &&
	       !(vcpus[v].sr[SR_CPTR_EL2] & (CPTR_ZEN | CPTR_SMEN));
}

/* What L1 permits L2 of the VM's: the shorter length, and the features that both enable. */
static u64 zcr_limit(u32 v)
{
	u64 vm = vcpus[v].simd.zcr;

	return in_l2(v) && !of_l1(v) ? MIN(vm, (u64)other[v].zcr) : vm;
}

static u64 smcr_limit(u32 v)
{
	u64 vm = vcpus[v].simd.smcr, l1 = machine_smcr(other[v].smcr);

	if (!in_l2(v) || of_l1(v))
		return vm;
	return MIN(vm & SMCR_LEN, l1 & SMCR_LEN) | (vm & l1 & ~SMCR_LEN);
}

static void check_sme(const struct machine_cpu *m, u32 v)
{
	const struct data *x = &expect[v];

	check_value(v, "SMCR_EL2", m->smcr_el2, smcr_limit(v));
	check_value(v, "SMCR_EL1", m->d.smcr_el1,
		    of_l1(v) ? other[v].smcr : x->smcr_el1);
	if (!(x->svcr & SVCR_ZA))
		return;
	check_segs(v, "ZA", m->d.za, x->za, exp_svl(v));
	if (setup->sme2)
		check_tag(v, "ZT0", m->d.zt0, x->zt0);
}

static void check_sve(const struct machine_cpu *m, u32 v)
{
	const struct data *x = &expect[v];

	check_value(v, "ZCR_EL2", m->zcr_el2, zcr_limit(v));
	check_value(v, "ZCR_EL1", m->d.zcr_el1,
		    of_l1(v) ? other[v].zcr : x->zcr_el1);
	check_segs(v, "Z registers", m->d.vec, x->vec, exp_len(v));
	check_tag(v, "P registers", m->d.pred, x->pred);
	if (!(x->svcr & SVCR_SM) || setup->fa64)
		check_tag(v, "FFR", m->d.ffr, x->ffr);
}

/*
 * A field is open iff the state is live, the VM has the feature and, for a vcpu with EL2, L1 does
 * not trap it. CPACR_EL1 traps if the VM lacks some of its fields, if it serves as vEL2's CPTR_EL2,
 * and if L1 says so.
 */
static void check_traps(const struct machine_cpu *m, u32 v)
{
	const u64 fields[] = { CPTR_FPEN, CPTR_ZEN, CPTR_SMEN };
	u32 k = vm_of(v);
	u64 l1 = nested(v) ? vcpus[v].sr[SR_CPTR_EL2] : ~CPTR_TCPAC;
	const bool has[] = { true, setup->vl[k], setup->svl[k] };
	bool hidden = !setup->vl[k] || !setup->svl[k], vel2 = nested(v) && !in_l2(v);

	if ((m->cptr & CPTR_ALWAYS) != CPTR_ALWAYS)
		model_fail("vcpu %u runs with trace or activity monitors open", vcpu_name[v]);
	for (u32 i = 0; i < 3; i++) {
		bool want = live(v) && has[i] && (l1 & fields[i]);

		/* What vEL2 has opened since may still be closed. */
		if (!!(m->cptr & fields[i]) != want && !(vel2 && want))
			model_fail(
				"vcpu %u%s runs with CPTR_EL2 %#lx: its state is %s, its VM has SVE %u "
				"SME %u, L1 says %#lx",
				vcpu_name[v], in_l2(v) ? " (L2)" : "", m->cptr,
				live(v) ? "live" : "in memory", setup->vl[k], setup->svl[k], l1);
	}
	if ((hidden || (vel2 ? !vcpus[v].cpacr_native : l1 & CPTR_TCPAC)) &&
	    !(m->cptr & CPTR_TCPAC))
		model_fail("vcpu %u%s runs with CPACR_EL1 not trapped", vcpu_name[v],
			   in_l2(v) ? " (L2)" : "");
}

/*
 * All that the guest which runs on c can read at this moment, or another level of it once that
 * level permits it: no level may lose what it traps.
 */
static void check_guest(u32 c)
{
	static const char *const status[] = { "FPCR", "FPSR", "FPMR" };
	const struct machine_cpu *m = &mach[c];
	u32 v = loaded(c), k = vm_of(v);

	check_traps(m, v);
	if (!setup->svl[k])
		check_value(v, "SVCR", m->d.svcr, 0);
	if (!live(v) && (expect[v].svcr & SVCR_SM))
		model_fail("vcpu %u runs outside streaming mode, where it left it on",
			   vcpu_name[v]);
	if (!live(v))
		return;
	if (setup->svl[k])
		check_value(v, "SVCR", m->d.svcr, expect[v].svcr);
	check_tag(v, "V registers", m->d.vec[0], expect[v].vec[0]);
	for (u32 i = 0; i < 3; i++)
		check_tag(v, status[i], m->d.status[i], expect[v].status[i]);
	if (setup->vl[k])
		check_sve(m, v);
	if (setup->svl[k])
		check_sme(m, v);
}

/* ---- the cached trap controls of a vcpu ---- */

u64 controls_l0(u32 v, bool is_live)
{
	const struct vcpu *vcpu = &vcpus[v];

	return is_live ? vcpu->simd.cptr : CPTR_ALWAYS | (vcpu->simd.cptr & CPTR_TCPAC);
}

/* As nidus would compute them if everything were as the tags say. */
static struct traps compute(u32 v, u64 l0, u64 l1, bool in_vel2, bool trap)
{
	struct vcpu *vcpu = &vcpus[v];
	bool was_vel2 = vcpu->in_vel2, had_trap = l1_traps(v);
	u64 cptr = vcpu->sr[SR_CPTR_EL2];
	struct traps t;

	vcpu->in_vel2 = in_vel2;
	vncr_write(vcpu, VNCR_HCR_EL2, l1_hcr(trap));
	vcpu->sr[SR_CPTR_EL2] = l1;
	t = traps_compute(vcpu);
	t.cptr = traps_nested_cptr(l0, vcpu);
	vcpu->in_vel2 = was_vel2;
	vncr_write(vcpu, VNCR_HCR_EL2, l1_hcr(had_trap));
	vcpu->sr[SR_CPTR_EL2] = cptr;
	return t;
}

/* They are needed in each state, so each is computed once. */
static struct memo {
	struct traps t;
	bool there;
} memos[VCPUS][2][2][2][L1_CPTRS];

void controls_boot(void)
{
	memset(memos, 0, sizeof(memos));
}

const struct traps *controls_of(u32 v, const struct traps_level *l, bool in_vel2, bool trap)
{
	bool is_live = l->cptr_own == vcpus[v].simd.cptr;
	struct memo *m = &memos[v][in_vel2][trap][is_live][l1_cptr_index(l->cptr_vel2)];

	if (!m->there)
		m->t = compute(v, l->cptr_own, l->cptr_vel2, in_vel2, trap);
	m->there = true;
	return &m->t;
}

struct traps controls_now(u32 v)
{
	const struct vcpu *vcpu = &vcpus[v];
	struct traps_level now = { .cptr_vel2 = vcpu->sr[SR_CPTR_EL2] };

	if (!nested(v))
		return traps_compute(vcpu);
	now.cptr_own = controls_l0(v, live(v));
	return *controls_of(v, &now, vcpu->in_vel2, l1_traps(v) && !vcpu->in_vel2);
}

void controls_note(u32 v, u64 *from, bool trap)
{
	bool had_trap = l1_traps(v);

	vncr_write(&vcpus[v], VNCR_HCR_EL2, l1_hcr(trap));
	vel2_words_record(&vcpus[v], from);
	vncr_write(&vcpus[v], VNCR_HCR_EL2, l1_hcr(had_trap));
}

/* One of the words is HCR_EL2. */
bool controls_trap(const u64 *from)
{
	for (u32 i = 0; i < TRAPS_WORDS; i++)
		if (from[i] == l1_hcr(true))
			return true;
	return false;
}

static void check_remembered(u32 v, const struct traps_level *l, bool in_vel2, bool trap)
{
	if (!l->valid)
		return;
	if (l->cptr_own != controls_l0(v, true) && l->cptr_own != controls_l0(v, false))
		model_fail("vcpu %u remembers trap controls of a CPTR_EL2 %#lx", vcpu_name[v],
			   l->cptr_own);
	if (memcmp(controls_of(v, l, in_vel2, trap), &l->t, sizeof(l->t)))
		model_fail("vcpu %u remembers trap controls of %s that are not what they are of",
			   vcpu_name[v], in_vel2 ? "vEL2" : "L2");
}

/*
 * What is in force, or will be without an update: all controls but CPTR_EL2, which check_traps()
 * covers.
 */
static void check_controls(u32 c)
{
	u32 v = loaded(c);
	struct traps want = controls_now(v);

	want.cptr = cpus[c].traps.cptr;
	if (memcmp(&want, &cpus[c].traps, sizeof(want)))
		model_fail("vcpu %u%s runs with HCR_EL2 %#lx instead of %#lx, or another control",
			   vcpu_name[v], in_l2(v) ? " (L2)" : "", cpus[c].traps.hcr, want.hcr);
	if (nested(v) && !!(want.hcr & HCR_TVM) != (in_l2(v) && l1_traps(v)))
		model_fail("vcpu %u%s has L1's other trap, or not", vcpu_name[v],
			   in_l2(v) ? " (L2)" : "");
}

static void check_cpu(u32 c)
{
	const struct vcpu *owner = cpus[c].simd.owner;

	if (cpus[c].traps.cptr != mach[c].cptr)
		model_fail("cpu %u's record of CPTR_EL2 is %#lx, the register %#lx", cpu_name[c],
			   cpus[c].traps.cptr, mach[c].cptr);
	if (cpus[c].simd.host)
		model_fail("cpu %u is left in a host section", cpu_name[c]);
	if (mach[c].daif)
		model_fail("cpu %u is left with interrupts masked", cpu_name[c]);
	if (owner && owner->simd.cpu != &cpus[c])
		model_fail("cpu %u says vcpu %u is its owner, which says otherwise", cpu_name[c],
			   vcpu_name[owner - vcpus]);
	if (owner && owner->simd.vl &&
	    (owner->simd.zcr_now != mach[c].zcr_el2 ||
	     (owner->simd.svl && owner->simd.smcr_now != mach[c].smcr_el2)))
		model_fail(
			"cpu %u: limits in force are %#lx, %#lx, vcpu %u's record says %#lx, %#lx",
			cpu_name[c], mach[c].zcr_el2, mach[c].smcr_el2, vcpu_name[owner - vcpus],
			owner->simd.zcr_now, owner->simd.smcr_now);
	if (owner && owner != cpus[c].loaded)
		model_fail("cpu %u has vcpu %u live, which is not loaded", cpu_name[c],
			   vcpu_name[owner - vcpus]);
	if (cpus[c].loaded && mach[c].cpacr != cpacr_of(loaded(c)))
		model_fail("vcpu %u runs with CPACR_EL1 %#lx instead of %#lx",
			   vcpu_name[loaded(c)], mach[c].cpacr, cpacr_of(loaded(c)));
	if (mach[c].in_guest || (cpus[c].loaded && !cpus[c].loaded->traps_stale))
		check_controls(c);
	if (mach[c].in_guest)
		check_guest(c);
}

static void check_vcpu(u32 v)
{
	const struct traps_cache *t = &vcpus[v].traps;
	const struct traps_other *o = vcpus[v].traps_other;

	if (live(v) && vcpus[v].simd.cpu->simd.owner != &vcpus[v])
		model_fail("vcpu %u says it is live on a CPU that is not its", vcpu_name[v]);
	if (!nested(v))
		return;
	check_remembered(v, &t->vel2, true, false);
	check_remembered(v, &t->vel1, false, controls_trap(t->from));
	for (u32 i = 0; i < TRAPS_OTHERS; i++)
		check_remembered(v, &o[i].vel1, false, controls_trap(o[i].from));
}

void world_check(void)
{
	for (u32 c = 0; c < CPUS; c++)
		check_cpu(c);
	for (u32 v = 0; v < VCPUS; v++)
		check_vcpu(v);
}
