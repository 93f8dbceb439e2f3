/* SPDX-License-Identifier: Apache-2.0 */
/* Guests of the model world and their levels, and how nidus's run loop is entered and left. */
#include "guest.h"

#include "arch/esr.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "exit/exit.h"
#include "exit/run.h"
#include "nested/level.h"
#include "simd/simd.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/vncr.h"
#include "traps/traps.h"
#include "traps/vel2.h"

#define ALL_OPEN (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN)
u64 l1_cptrs[L1_CPTRS];
u32 l1_cptr_count;

void l1_cptrs_of(u64 have)
{
	static const u64 all[L1_CPTRS] = {
		0,
		ALL_OPEN,
		ALL_OPEN & ~CPTR_ZEN,
		ALL_OPEN & ~CPTR_SMEN,
		(ALL_OPEN & ~CPTR_FPEN) | CPTR_TCPAC,
	};

	l1_cptr_count = 0;
	for (u32 i = 0; i < L1_CPTRS; i++) {
		u32 same = 0;

		while (same < l1_cptr_count && l1_cptrs[same] != (all[i] & have))
			same++;
		l1_cptrs[same] = all[i] & have;
		l1_cptr_count = MAX(l1_cptr_count, same + 1);
	}
}

u32 l1_cptr_index(u64 value)
{
	for (u32 i = 0; i < l1_cptr_count; i++)
		if (l1_cptrs[i] == value)
			return i;
	model_fail("nidus has L1's CPTR_EL2 as %#lx", value);
}

static void exp_cut_all(u32 v);

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

/* ---- around the run loop ---------------------------------------------------------------------- */

/* L1's CPTR_EL2, which is in CPACR_EL1 while vEL2 runs. */
u64 l1_cptr[VCPUS];

/*
 * All but vEL2 keep theirs open. vEL2's is its CPTR_EL2: the whole register if it is written
 * without a trap, else with the fields that its VM lacks held open.
 */
u64 cpacr_of(u32 v)
{
	const struct vcpu *vcpu = &vcpus[v];

	if (!nested(v) || in_l2(v))
		return ALL_OPEN;
	return vcpu->cpacr_native ? l1_cptr[v] : (l1_cptr[v] & ALL_OPEN) | vcpu->cpacr_hidden;
}

void load(u32 c, u32 v)
{
	cpus[c].loaded = &vcpus[v];
	vcpus[v].traps_stale = true;
	mach[c].cpacr = cpacr_of(v);
}

void put(u32 c)
{
	simd_flush(cpus[c].loaded);
	cpus[c].loaded = NULL;
}

/* ---- the run loop, which is exit/run.c ---------------------------------------------------------- */

/* How vcpu_run() is called back: by the exit function that it gave vcpu_enter(). */
static u64 (*run_exit)(struct vcpu *vcpu, u64 kind);

/* vectors.S; from here on the guest runs, and the caller of vcpu_run() continues without it. */
u64 vcpu_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind))
{
	(void)vcpu;
	run_exit = handle;
	machine_eret(&mach[cur]);
	return RUN_PREEMPT;
}

/*
 * The run loop may have interrupts unmasked here, though nidus's does not, until simd_check(): an
 * interrupt at any point must do no harm.
 */
void __wrap_simd_check(struct vcpu *vcpu);
void __real_simd_check(struct vcpu *vcpu);
void __wrap_simd_check(struct vcpu *vcpu)
{
	irq_save();
	__real_simd_check(vcpu);
}

bool loop_ran, loop_runs;

/* Between the decision that the state is live and the action on it. */
u64 __wrap_simd_cptr(const struct vcpu *vcpu);
u64 __real_simd_cptr(const struct vcpu *vcpu);
u64 __wrap_simd_cptr(const struct vcpu *vcpu)
{
	u64 cptr = __real_simd_cptr(vcpu);

	if (loop_runs)
		model_irq_point();
	return cptr;
}

/* Each chaos point of nidus itself is one where a host section may come, masked or not. */
void __wrap_simd_chaos_maybe(void);
void __wrap_simd_chaos_maybe(void)
{
	model_chaos_point();
}

/* With the chaos points, if a host section is to come; otherwise without them, as usual. */
static void chaos(bool on)
{
	loop_ran = on;
	loop_runs = true;
	simd_chaos = on && inject_at >= 0;
}

/*
 * The effect of a level switch on what v must see, if there was one since it was in vEL2, or not.
 */
static void level_seen(u32 v, bool in_vel2)
{
	struct data *x = &expect[v];
	struct lengths left = { x->zcr_el1, x->smcr_el1 };

	if (vcpus[v].in_vel2 == in_vel2)
		return;
	x->zcr_el1 = other[v].zcr;
	x->smcr_el1 = other[v].smcr;
	other[v] = left;
	exp_cut_all(v);
}

void enter(u32 c)
{
	chaos(true);
	cpus[c].need_resched = false;
	if (vcpu_run(cpus[c].loaded) != RUN_PREEMPT || !mach[c].in_guest)
		model_fail("vcpu %u is not entered", vcpu_name[loaded(c)]);
	loop_runs = false;
}

/* Exit for this reason; then enter the guest again, or leave the run loop. */
static void run_exit_of(u32 c, enum exit_kind kind, u64 ec, bool back)
{
	struct machine_cpu *m = &mach[c];
	u32 v = loaded(c);
	bool in_vel2 = vcpus[v].in_vel2;

	chaos(true);
	m->in_guest = false;
	m->synced = true;
	m->esr = ESR(ec, 0UL);
	cpus[c].need_resched = !back;
	if (!run_exit(&vcpus[v], kind) != back)
		model_fail("vcpu %u is%s entered again", vcpu_name[v], back ? " not" : "");
	loop_runs = false;
	level_seen(v, in_vel2);
	if (back)
		machine_eret(m);
}

void leave(u32 c)
{
	run_exit_of(c, EXIT_IRQ, 0, false);
}

void interrupted(u32 c)
{
	run_exit_of(c, EXIT_IRQ, 0, true);
}

void level_switch(u32 c)
{
	u32 v = loaded(c);
	bool in_vel2 = vcpus[v].in_vel2;

	if (mach[c].in_guest) {
		run_exit_of(c, EXIT_SYNC, in_vel2 ? EC_ERET : EC_HVC64, false);
	} else {
		chaos(true);
		level_take(&vcpus[v], VECTOR_IRQ, 0);
		loop_runs = false;
		level_seen(v, in_vel2);
	}
	if (vcpus[v].in_vel2 == in_vel2)
		model_fail("vcpu %u stays at its level", vcpu_name[v]);
	model_irq_point();
}

/* From one level's guest to the other's, with interrupts masked all the time. */
static void fast_of(u32 c, u64 ec)
{
	struct machine_cpu *m = &mach[c];
	u32 v = loaded(c);
	bool in_vel2 = vcpus[v].in_vel2;

	chaos(false);
	irq_save();
	m->in_guest = false;
	m->synced = true;
	if (exit_table[ec].fast[in_vel2](&vcpus[v], ESR(ec, 0UL)) != DONE ||
	    vcpus[v].in_vel2 == in_vel2)
		model_fail("vcpu %u: the fast path does not switch its level", vcpu_name[v]);
	loop_runs = false;
	level_seen(v, in_vel2);
	machine_eret(m);
}

void level_fast(u32 c)
{
	fast_of(c, vcpus[loaded(c)].in_vel2 ? EC_ERET : EC_HVC64);
}

/* Whether L2's instruction is taken to L1. */
static bool is_l1s(const struct vcpu *vcpu, u32 v, u64 field)
{
	u64 l1 = vcpu->sr[SR_CPTR_EL2];

	return in_l2(v) && (!(l1 & field) || !(l1 & CPTR_FPEN));
}

u64 trap_of_l1(u32 c)
{
	u32 v = loaded(c), k = vm_of(v);

	if (setup->svl[k] && is_l1s(&vcpus[v], v, CPTR_SMEN))
		return EC_SME;
	if (setup->vl[k] && is_l1s(&vcpus[v], v, CPTR_ZEN))
		return EC_SVE;
	return is_l1s(&vcpus[v], v, CPTR_FPEN) ? EC_FP_ASIMD : 0;
}

void trap_fast(u32 c)
{
	fast_of(c, trap_of_l1(c));
}

/* A guest's instruction trapped. Whether its VM has the feature decides what must follow. */
static void trap(u32 c, u64 ec)
{
	struct vcpu *vcpu = cpus[c].loaded;
	u32 v = loaded(c), k = vm_of(v);
	bool has = ec == EC_SVE ? setup->vl[k] : ec == EC_SME ? setup->svl[k] : true;
	u64 field = ec == EC_SVE ? CPTR_ZEN : ec == EC_SME ? CPTR_SMEN : CPTR_FPEN;
	bool l1s = has && is_l1s(vcpu, v, field), was_l2 = in_l2(v);
	const struct machine_cpu *m = &mach[c];

	undefined = 0;
	run_exit_of(c, EXIT_SYNC, ec, false);
	if ((was_l2 && !in_l2(v)) != l1s)
		model_fail("vcpu %u: L2's trapped instruction is %s L1, whose CPTR_EL2 is %#lx",
			   vcpu_name[v], l1s ? "kept from" : "given to", vcpu->sr[SR_CPTR_EL2]);
	if (undefined != !has)
		model_fail("vcpu %u, whose VM has %s, gets %u exceptions for a trapped instruction",
			   vcpu_name[v], has ? "the feature" : "no such feature", undefined);
	if (has && !l1s && inject_at < 0 &&
	    !(live(v) && ((nested(v) ? traps_compute(vcpu).cptr : m->cptr) & field)))
		model_fail("vcpu %u is resumed after a trap, but would trap again", vcpu_name[v]);
}

/* ---- guests ---------------------------------------------------------------------------------- */

/* The length that one level requests, below L1's if it is L2. */
static u32 asked(u32 v, u8 own_len, u8 other_len)
{
	return segs_of(in_l2(v) ? MIN(own_len, other_len) : own_len);
}

/* Whether L1 permits L2 FA64 and ZT0, which it does along with the length. */
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
 * Above the length: zero or, if the machine keeps the value, either. Also either for a vcpu with
 * EL2, whose lengths may change twice between two entries that would zero anything.
 */
void exp_cut(u32 v, tag *segs, u32 len)
{
	for (u32 i = len; i < SEGS; i++)
		segs[i] = setup->narrow && !nested(v) ? T_ZERO : T_ANY;
}

/* Use the lengths that v has now, from here on. */
static void exp_cut_all(u32 v)
{
	exp_cut(v, expect[v].vec, exp_len(v));
	if (expect[v].svcr & SVCR_ZA)
		exp_cut(v, expect[v].za, exp_svl(v));
}

/*
 * The guest writes one place: its value there is now the only right one, wherever older ones
 * remain.
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
 * together, and that keeps the world small. Here it is only a cause of a trap.
 */
/*
 * Whether the guest may use FP, or also what the field controls. A vEL2 that may not takes an
 * exception of its own, without nidus; otherwise CPTR_EL2 may make it exit.
 */
static bool allowed(u32 c, u64 field, u64 ec)
{
	u64 el1 = mach[c].cpacr, el2 = mach[c].cptr;

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
	if ((expect[v].svcr & SVCR_ZA) && (m->cptr & m->cpacr & CPTR_SMEN))
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
	if (m->cptr & m->cpacr & CPTR_SMEN) {
		x->smcr_el1 ^= LEN_LONG;
		m->d.smcr_el1 = x->smcr_el1;
	}
	/* Whether they are usable is checked at a change of Exception level only. */
	machine_narrow(m, ALL_OPEN);
	exp_cut_all(v);
}

/* ---- levels ---------------------------------------------------------------------------------- */

void leave_if_running(u32 c)
{
	if (mach[c].in_guest)
		leave(c);
	model_irq_point();
}

u64 next_cptr(u64 now)
{
	return l1_cptrs[(l1_cptr_index(now) + 1) % l1_cptr_count];
}

/*
 * By the name CPACR_EL1, without a trap, or by its own, which traps. To nidus, two writes without
 * an exit in between are the same as one.
 */
void l1_changes_cptr(u32 c)
{
	u32 v = loaded(c);
	struct vcpu *vcpu = &vcpus[v];
	bool seen = l1_cptr[v] == vcpu->sr[SR_CPTR_EL2];
	u64 value = next_cptr(l1_cptr[v]);

	if (vcpu->cpacr_native && seen) {
		l1_cptr[v] = value;
		mach[c].cpacr = cpacr_of(v);
		return;
	}
	leave_if_running(c);
	l1_cptr[v] = value;
	emul_cptr(vcpu, SR_CPTR_EL2, true, &value);
}

u64 l1_hcr(bool trap)
{
	return HCR_E2H | HCR_RW | HCR_IMO | HCR_FMO | (trap ? HCR_TVM : 0);
}

bool l1_traps(u32 v)
{
	return vncr_read(&vcpus[v], VNCR_HCR_EL2) & HCR_TVM;
}

/* In its VNCR page, where it does not trap. */
void l1_changes_trap(u32 c)
{
	u32 v = loaded(c);

	vncr_write(&vcpus[v], VNCR_HCR_EL2, l1_hcr(!l1_traps(v)));
}

/* ZCR_EL2 or SMCR_EL2 by these names, which exit: read it, then write another length. */
void l1_changes_length(u32 c, sysreg_fn *emul, u64 field, u8 *now, bool smcr)
{
	struct vcpu *vcpu = cpus[c].loaded;
	bool stopped = !(l1_cptr[loaded(c)] & field);
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
