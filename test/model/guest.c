/* SPDX-License-Identifier: Apache-2.0 */
/* Guests of the model world and their levels, and nidus around its SIMD code in miniature. */
#include "guest.h"

#include "arch/esr.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/sysreg.h"
#include "nested/level.h"
#include "traps/reflect.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "exit/exit.h"
#include "traps/traps.h"


#define ALL_OPEN (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN)
const u64 l1_cptrs[L1_CPTRS] = {
	0,
	ALL_OPEN,
	ALL_OPEN & ~CPTR_ZEN,
	ALL_OPEN & ~CPTR_SMEN,
	(ALL_OPEN & ~CPTR_FPEN) | CPTR_TCPAC,
};

tag own(u32 v)
{
	return (tag)(T_OWN + v);
}

u32 loaded(u32 c)
{
	return (u32)(cpus[c].loaded - vcpus);
}

bool live(u32 v)
{
	return vcpus[v].simd.cpu;
}

bool nested(u32 v)
{
	return setup->nested && !vm_of(v);
}

bool in_l2(u32 v)
{
	return nested(v) && !vcpus[v].in_vel2;
}

/* ---- nidus in miniature ---------------------------------------------------------------------- */

void load(u32 c, u32 v)
{
	cpus[c].loaded = &vcpus[v];
	vcpus[v].traps_stale = true;
}

void put(u32 c)
{
	simd_flush(cpus[c].loaded);
	cpus[c].loaded = NULL;
}

/* vEL2's CPTR_EL2, which is in CPACR_EL1 while it runs. */
u64 vel2_cptr[VCPUS];

/* CPACR_EL1 as the guest runs with it: vEL2's is its CPTR_EL2, the others keep theirs open. */
static u64 cpacr(u32 v)
{
	return nested(v) && !in_l2(v) ? vel2_cptr[v] : ALL_OPEN;
}

/*
 * The end of the run loop, with interrupts wherever nidus could allow any: between the decision
 * and the writes, between these and the last check. Each step for itself and from simd_check() on
 * they are masked.
 */
void enter(u32 c)
{
	struct vcpu *vcpu = cpus[c].loaded;
	struct machine_cpu *m = &mach[c];
	struct traps traps = { 0 };
	u64 daif;

	for (;;) {
		model_irq_point();
		if (vcpu->traps_stale) {
			if (vcpu->has_vel2) {
				simd_level(vcpu);
				model_irq_point();
			}
			traps = traps_compute(vcpu);
			model_irq_point();
			vcpu->traps_stale = false;
			model_irq_point();
			daif = irq_save();
			traps_load(&traps);
			irq_restore(daif);
		}
		irq_save();
		simd_check(vcpu);
		/* Else a claim by the check: L1's traps and limits come on top, still masked. */
		if (!(vcpu->traps_stale && vcpu->has_vel2))
			break;
	}
	m->in_guest = true;
	m->synced = true;
	m->daif = 0;
	machine_narrow(m, cpacr(loaded(c)));
}

/* nidus learns of what vEL2 did: emul_cptr(), vel2_cptr_exit(). */
static void cptr_seen(u32 v)
{
	u64 daif = irq_save();

	vcpus[v].sr[SR_CPTR_EL2] = vel2_cptr[v];
	traps_cptr_close(&vcpus[v]);
	irq_restore(daif);
}

void leave(u32 c)
{
	u32 v = loaded(c);

	mach[c].in_guest = false;
	mach[c].synced = true;
	if (nested(v) && !in_l2(v) && vel2_cptr[v] != vcpus[v].sr[SR_CPTR_EL2])
		cptr_seen(v);
}

/*
 * fast_eret(), fast_hvc(): from one level's guest to the other's with interrupts masked all along,
 * and without simd_check() if the levels differ in nothing.
 */
void level_short(u32 c)
{
	struct vcpu *vcpu = cpus[c].loaded;
	struct machine_cpu *m = &mach[c];
	struct traps traps;
	bool checked;

	irq_save();
	leave(c);
	change_level(loaded(c));
	checked = !vcpu->simd.level_free && !simd_level_same(vcpu);
	do {
		if (checked)
			simd_level(vcpu);
		traps = traps_compute(vcpu);
		vcpu->traps_stale = false;
		traps_load(&traps);
		if (checked)
			simd_check(vcpu);
	} while (vcpu->traps_stale);
	m->in_guest = true;
	m->synced = true;
	m->daif = 0;
	machine_narrow(m, cpacr(loaded(c)));
}

/* Whether L2's instruction was L1's to have; then it is delivered. */
static bool reflected(struct vcpu *vcpu, u32 v, u64 field)
{
	u64 l1 = vcpu->sr[SR_CPTR_EL2];
	bool asked = !(l1 & field) || !(l1 & CPTR_FPEN), does;

	if (!in_l2(v))
		return false;
	does = reflect_wanted(vcpu, &vcpu->exit);
	if (does != asked)
		model_fail("vcpu %u: L2's trapped instruction is %s L1, whose CPTR_EL2 is %#lx",
			   vcpu_name[v], does ? "given to" : "kept from", l1);
	if (does)
		change_level(v);
	return does;
}

/* A guest's instruction trapped. Whether its VM has the feature decides what must come of it. */
static void trap(u32 c, u64 ec)
{
	struct vcpu *vcpu = cpus[c].loaded;
	u32 v = loaded(c), k = vm_of(v);
	bool has = ec == EC_SVE ? setup->vl[k] : ec == EC_SME ? setup->svl[k] : true;
	u64 field = ec == EC_SVE ? CPTR_ZEN : ec == EC_SME ? CPTR_SMEN : CPTR_FPEN;
	const struct machine_cpu *m = &mach[c];
	enum verdict verdict;

	leave(c);
	vcpu->exit = (struct exit){ .esr = ESR(ec, 0UL), .spsr = 5 };
	if (has && reflected(vcpu, v, field))
		return;
	verdict = simd_trap(vcpu, &vcpu->exit);
	if (verdict != (has ? RESUME : UNDEF))
		model_fail("vcpu %u, whose VM has %s, gets verdict %d for a trapped instruction",
			   vcpu_name[v], has ? "the feature" : "no such feature", verdict);
	if (has && inject_at < 0 &&
	    !(live(v) && ((nested(v) ? traps_compute(vcpu).cptr : m->cptr) & field)))
		model_fail("vcpu %u is resumed after a trap, but would trap again", vcpu_name[v]);
}

/* ---- guests ---------------------------------------------------------------------------------- */

/* The length that one level asks for, below L1's if it is L2. */
static u32 asked(u32 v, u8 own_len, u8 other_len)
{
	return segs_of(in_l2(v) ? MIN(own_len, other_len) : own_len);
}

/* Whether L1 lets L2 have FA64 and ZT0: they go with the length. */
static bool extras(u32 v)
{
	return !in_l2(v) || other[v].smcr == LEN_LONG;
}

u32 exp_len(u32 v)
{
	const struct data *x = &expect[v];
	u32 k = vm_of(v);
	bool sm = x->svcr & SVCR_SM;
	u32 full = sm ? setup->svl[k] : setup->vl[k];

	if (!full)
		return 1;
	return MIN(full,
		   sm ? asked(v, x->smcr_el1, other[v].smcr) : asked(v, x->zcr_el1, other[v].zcr));
}

u32 exp_svl(u32 v)
{
	return MIN((u32)setup->svl[vm_of(v)], asked(v, expect[v].smcr_el1, other[v].smcr));
}

/*
 * Above the length: zero, or if the machine keeps it either. Either too for a vcpu with EL2, whose
 * lengths may change twice between two entries that would zero anything.
 */
void exp_cut(u32 v, tag *segs, u32 len)
{
	for (u32 i = len; i < SEGS; i++)
		segs[i] = setup->narrow && !nested(v) ? T_ZERO : T_ANY;
}

/* Whichever lengths v has now, from here on. */
static void exp_cut_all(u32 v)
{
	exp_cut(v, expect[v].vec, exp_len(v));
	if (expect[v].svcr & SVCR_ZA)
		exp_cut(v, expect[v].za, exp_svl(v));
}

/*
 * The guest writes one place: its value there is now the only right one, wherever older ones
 * linger.
 */
static void write_tag(u32 v, tag *reg, tag *exp)
{
	size_t at = (size_t)(exp - (tag *)&expect[v]);

	for (u32 c = 0; c < CPUS; c++) {
		tag *t = (tag *)&mach[c].d + at;

		if (*t == own(v))
			*t = T_JUNK;
	}
	*reg = *exp = own(v);
}

static void write_status(struct machine_cpu *m, u32 v)
{
	for (u32 i = 0; i < 3; i++)
		write_tag(v, &m->d.status[i], &expect[v].status[i]);
}

/*
 * A guest of a VM with SVE always writes all that it can reach (guest_sve): nidus moves it all
 * together, and that keeps the world small. For it this is only a cause of a trap.
 */
/*
 * Whether the guest may use FP, or also what field controls. vEL2 that may not has an exception of
 * its own, without nidus; else CPTR_EL2 may make it exit.
 */
static bool allowed(u32 c, u64 field, u64 ec)
{
	u64 el1 = cpacr(loaded(c)), el2 = mach[c].cptr;

	if ((el1 & field) != field || !(el1 & CPTR_FPEN))
		return false;
	if ((el2 & field) != field)
		trap(c, ec);
	else if (!(el2 & CPTR_FPEN))
		trap(c, EC_FP_ASIMD);
	else
		return true;
	return false;
}

void guest_fp(u32 c)
{
	struct machine_cpu *m = &mach[c];
	u32 v = loaded(c);

	if (allowed(c, CPTR_FPEN, EC_FP_ASIMD) && !setup->vl[vm_of(v)]) {
		write_tag(v, &m->d.vec[0], &expect[v].vec[0]);
		write_status(m, v);
	}
}

static void write_za(struct machine_cpu *m, u32 v)
{
	for (u32 i = 0; i < exp_svl(v); i++)
		write_tag(v, &m->d.za[i], &expect[v].za[i]);
	exp_cut(v, expect[v].za, exp_svl(v));
	if (setup->sme2 && extras(v))
		write_tag(v, &m->d.zt0, &expect[v].zt0);
}

void guest_sve(u32 c)
{
	struct machine_cpu *m = &mach[c];
	u32 v = loaded(c);
	bool sm = m->d.svcr & SVCR_SM;

	if (!allowed(c, sm ? CPTR_SMEN : CPTR_ZEN, sm ? EC_SME : EC_SVE))
		return;
	for (u32 i = 0; i < exp_len(v); i++)
		write_tag(v, &m->d.vec[i], &expect[v].vec[i]);
	exp_cut(v, expect[v].vec, exp_len(v));
	write_tag(v, &m->d.pred, &expect[v].pred);
	if (!sm || (setup->fa64 && extras(v)))
		write_tag(v, &m->d.ffr, &expect[v].ffr);
	if ((expect[v].svcr & SVCR_ZA) && (m->cptr & cpacr(v) & CPTR_SMEN))
		write_za(m, v);
	write_status(m, v);
}

/* SMSTART, SMSTOP: of streaming mode, of ZA. */
void guest_svcr(u32 c, u64 bit)
{
	struct machine_cpu *m = &mach[c];
	u32 v = loaded(c);

	if (!allowed(c, CPTR_SMEN, EC_SME))
		return;
	machine_set_svcr(&m->d, m->d.svcr ^ bit);
	machine_set_svcr(&expect[v], expect[v].svcr ^ bit);
	if (bit == SVCR_SM)
		write_tag(v, &m->d.status[MODEL_FPCR], &expect[v].status[MODEL_FPCR]);
}

/* The guest switches between its shortest and its longest vectors. */
void guest_len_change(u32 c)
{
	struct machine_cpu *m = &mach[c];
	u32 v = loaded(c);
	struct data *x = &expect[v];

	if (!allowed(c, CPTR_ZEN, EC_SVE))
		return;
	x->zcr_el1 ^= LEN_LONG;
	m->d.zcr_el1 = x->zcr_el1;
	if (m->cptr & cpacr(v) & CPTR_SMEN) {
		x->smcr_el1 ^= LEN_LONG;
		m->d.smcr_el1 = x->smcr_el1;
	}
	/* Who may use them is asked at a change of Exception level alone. */
	machine_narrow(m, ALL_OPEN);
	exp_cut_all(v);
}

/* ---- levels ---------------------------------------------------------------------------------- */

/* level.c, as far as SIMD goes. */
void change_level(u32 v)
{
	struct data *x = &expect[v];
	struct lengths left = { x->zcr_el1, x->smcr_el1 };

	vcpus[v].in_vel2 = !vcpus[v].in_vel2;
	vcpus[v].traps_stale = true;
	x->zcr_el1 = other[v].zcr;
	x->smcr_el1 = other[v].smcr;
	other[v] = left;
	exp_cut_all(v);
}

void leave_if_running(u32 c)
{
	if (mach[c].in_guest)
		leave(c);
	model_irq_point();
}

/* CPTR_EL2 by that name, or as CPACR_EL1, which exits or not. */
void l1_changes_cptr(u32 c)
{
	u32 v = loaded(c), i = 0;

	/* Twice without an exit in between is for nidus the same as once. */
	if (!vcpus[v].cpacr_native || vel2_cptr[v] != vcpus[v].sr[SR_CPTR_EL2])
		leave_if_running(c);
	while (l1_cptrs[i] != vel2_cptr[v])
		i++;
	vel2_cptr[v] = l1_cptrs[(i + 1) % L1_CPTRS];
	if (!mach[c].in_guest)
		cptr_seen(v);
}

/* ZCR_EL2 or SMCR_EL2 by these names, which exit: read it, then write another length. */
void l1_changes_length(u32 c, sysreg_fn *emul, u64 field, u8 *now, bool smcr)
{
	struct vcpu *vcpu = cpus[c].loaded;
	bool stopped = !(vel2_cptr[loaded(c)] & field);
	enum sysreg_id id = smcr ? SR_SMCR_EL2 : SR_ZCR_EL2;
	u32 v = loaded(c);
	u64 value = ~0UL, want = smcr ? machine_smcr(*now) : *now;
	enum verdict verdict;

	leave_if_running(c);
	verdict = emul(vcpu, id, false, &value);
	if (verdict != (stopped ? INJECT : SKIP) ||
	    (stopped && ESR_EC(vcpu->inject_esr) != (smcr ? EC_SME : EC_SVE)))
		model_fail("vcpu %u: vEL2's access to %s ends with verdict %d, exception %#lx",
			   vcpu_name[v], smcr ? "SMCR_EL2" : "ZCR_EL2", verdict, vcpu->inject_esr);
	if (stopped)
		return;
	if (value != want)
		model_fail("vcpu %u: vEL2 reads %s: %#lx instead of %#lx", vcpu_name[v],
			   smcr ? "SMCR_EL2" : "ZCR_EL2", value, want);
	model_irq_point();
	*now ^= LEN_LONG;
	value = smcr ? machine_smcr(*now) : *now;
	emul(vcpu, id, true, &value);
	exp_cut_all(v);
}
