/* SPDX-License-Identifier: Apache-2.0 */
/* The model world: nidus around its SIMD code in miniature, guests, and what must hold. */
#include "events.h"

#include <stdio.h>
#include <string.h>

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/sysreg.h"
#include "boot/config.h"
#include "mm/page.h"
#include "nested/level.h"
#include "nested/reflect.h"
#include "nested/vncr.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "simd/simd_state.h"
#include "vcpu/cpu.h"
#include "vcpu/exit.h"
#include "vcpu/traps.h"
#include "vcpu/vm.h"
#include "vtimer/vtimer.h"

struct cpu cpus[MAX_CPUS];
struct vcpu vcpus[VCPUS];
struct data expect[VCPUS];
struct lengths other[VCPUS];
struct feat feat;
u8 cpu_name[CPUS], vcpu_name[VCPUS];
struct event events[EVENTS_MAX];
u32 event_count;

static struct vm vm[2];
static struct vm_config config[2];
static u32 page_owner; /* whose home page_alloc() is to give */
static u32 made; /* the vcpu that the event made anew, its counters with it */
static u64 vncr_page[VCPUS][VNCR_WORDS];
static u64 taken; /* ESR of the exception that vEL2 was given */

#define ALL_OPEN (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN)
const u64 l1_cptrs[L1_CPTRS] = {
	0, ALL_OPEN, ALL_OPEN & ~CPTR_ZEN, ALL_OPEN & ~CPTR_SMEN, (ALL_OPEN & ~CPTR_FPEN) | CPTR_TCPAC,
};

#define LEN_LONG 15

struct cpu *cpu_this(void)
{
	return &cpus[cur];
}

u64 page_alloc(u32 order)
{
	(void)order;
	memset(home[page_owner], T_JUNK, sizeof(struct simd_state) + 64);
	return (u64)home[page_owner];
}

void page_free(u64 pa, u32 order)
{
	(void)pa;
	(void)order;
}

void page_zero(u64 pa, u64 size)
{
	memset((void *)pa, 0, size);
}

void *pa_ptr(pa_t p)
{
	return (void *)p.a;
}

pa_t ptr_pa(const void *p)
{
	return pa((u64)p);
}

bool vtimer_has_cntpoff(void)
{
	return true;
}

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
	return nested(v) && !vcpus[v].hyp;
}

/* An exception from vEL2 to itself. */
void level_take(struct vcpu *vcpu, enum level_vector kind, u64 esr)
{
	if (!vcpu->hyp || kind != LEVEL_SYNC)
		model_fail("vEL2 is given an exception of kind %#x", kind);
	taken = esr;
}

/* ---- nidus in miniature ---------------------------------------------------------------------- */

static void load(u32 c, u32 v)
{
	cpus[c].loaded = &vcpus[v];
	vcpus[v].traps_stale = true;
}

static void put(u32 c)
{
	simd_flush(cpus[c].loaded);
	cpus[c].loaded = NULL;
}

/* CPACR_EL1 as the guest runs with it: vEL2's is its CPTR_EL2, the others keep theirs open. */
static u64 cpacr(u32 v)
{
	return nested(v) && !in_l2(v) ? vcpus[v].sr[SR_CPTR_EL2] : ALL_OPEN;
}

/*
 * The end of the run loop, with interrupts wherever nidus could allow any: between the decision
 * and the writes, between these and the last check. Each step for itself and from simd_check() on
 * they are masked.
 */
static void enter(u32 c)
{
	struct vcpu *vcpu = cpus[c].loaded;
	struct machine_cpu *m = &mach[c];
	struct traps traps = { 0 };
	u64 daif;

	for (;;) {
		model_irq_point();
		if (vcpu->has_el2) {
			simd_level(vcpu);
			model_irq_point();
		}
		if (vcpu->traps_stale) {
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
		if (!(vcpu->traps_stale && vcpu->has_el2))
			break;
	}
	m->in_guest = true;
	m->synced = true;
	m->daif = 0;
	machine_narrow(m, cpacr(loaded(c)));
}

static void leave(u32 c)
{
	mach[c].in_guest = false;
	mach[c].synced = true;
}

static void change_level(u32 v);

/* Whether L2's instruction was L1's to have; then it is delivered. */
static bool reflected(struct vcpu *vcpu, u32 v, u64 field)
{
	u64 l1 = vcpu->sr[SR_CPTR_EL2];
	bool asked = !(l1 & field) || !(l1 & CPTR_FPEN), does;

	if (!in_l2(v))
		return false;
	does = reflect_wanted(vcpu, &vcpu->exit);
	if (does != asked)
		model_fail("vcpu %u: L2's trapped instruction is %s L1, whose CPTR_EL2 is %#lx", vcpu_name[v],
			   does ? "given to" : "kept from", l1);
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
	return MIN(full, sm ? asked(v, x->smcr_el1, other[v].smcr) : asked(v, x->zcr_el1, other[v].zcr));
}

u32 exp_svl(u32 v)
{
	return MIN((u32)setup->svl[vm_of(v)], asked(v, expect[v].smcr_el1, other[v].smcr));
}

/*
 * Above the length: zero, or if the machine keeps it either. Either too for a vcpu with EL2, whose lengths may change twice between
 * two entries that would zero anything.
 */
static void exp_cut(u32 v, tag *segs, u32 len)
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
 * Whether the guest may use FP, or also what field controls. vEL2 that may not has an exception of its own, without nidus; else
 * CPTR_EL2 may make it exit.
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

static void guest_fp(u32 c)
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

static void guest_sve(u32 c)
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
static void guest_svcr(u32 c, u64 bit)
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
static void guest_len_change(u32 c)
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
	machine_narrow(m, cpacr(v));
	exp_cut_all(v);
}

/* ---- levels ---------------------------------------------------------------------------------- */

/* level.c, as far as SIMD goes. */
static void change_level(u32 v)
{
	struct data *x = &expect[v];
	struct lengths left = { x->zcr_el1, x->smcr_el1 };

	vcpus[v].hyp = !vcpus[v].hyp;
	vcpus[v].traps_stale = true;
	x->zcr_el1 = other[v].zcr;
	x->smcr_el1 = other[v].smcr;
	other[v] = left;
	exp_cut_all(v);
}

static void leave_if_running(u32 c)
{
	if (mach[c].in_guest)
		leave(c);
	model_irq_point();
}

/* CPTR_EL2, by that name or as CPACR_EL1: emul_cptr(). */
static void l1_changes_cptr(u32 c)
{
	struct vcpu *vcpu = cpus[c].loaded;
	u32 i = 0;

	leave_if_running(c);
	while (l1_cptrs[i] != vcpu->sr[SR_CPTR_EL2])
		i++;
	vcpu->sr[SR_CPTR_EL2] = l1_cptrs[(i + 1) % L1_CPTRS];
	vcpu->traps_stale = true;
}

/* ZCR_EL2 or SMCR_EL2 by these names, which exit: read it, then write another length. */
static void l1_changes_length(u32 c, sysreg_fn *emul, u64 field, u8 *now, bool smcr)
{
	struct vcpu *vcpu = cpus[c].loaded;
	bool stopped = !(vcpu->sr[SR_CPTR_EL2] & field);
	enum sysreg_id id = smcr ? SR_SMCR_EL2 : SR_ZCR_EL2;
	u32 v = loaded(c);
	u64 value = ~0UL, want = smcr ? machine_smcr(*now) : *now;
	enum verdict verdict;

	leave_if_running(c);
	taken = 0;
	verdict = emul(vcpu, id, false, &value);
	if (verdict != (stopped ? RESUME : SKIP) || stopped != !!taken)
		model_fail("vcpu %u: vEL2's access to %s ends with verdict %d, exception %#lx", vcpu_name[v],
			   smcr ? "SMCR_EL2" : "ZCR_EL2", verdict, taken);
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

/* ---- VMs ------------------------------------------------------------------------------------- */

static void expect_reset(u32 v)
{
	memset(&expect[v], 0, sizeof(expect[v]));
	other[v] = (struct lengths){ 0, 0 };
	if (!setup->narrow || nested(v))
		exp_cut(v, expect[v].vec, 1);
}

/* What vcpu_reset() does. */
static void reset_el2(u32 v)
{
	struct vcpu *vcpu = &vcpus[v];

	vcpu->has_el2 = vcpu->hyp = nested(v);
	vcpu->vncr = vncr_page[v];
	memset(vncr_page[v], 0, sizeof(vncr_page[v]));
	vcpu->sr[SR_CPTR_EL2] = vcpu->sr[SR_ZCR_EL2] = vcpu->sr[SR_SMCR_EL2] = 0;
}

static void make_vcpu(u32 v)
{
	page_owner = made = v;
	vcpus[v].vm = &vm[vm_of(v)];
	vcpus[v].index = (u8)v;
	reset_el2(v);
	if (simd_vcpu_init(&vcpus[v]))
		model_fail("simd_vcpu_init failed");
	expect_reset(v);
}

/* The VM dies while this vcpu of it is loaded, then is made anew. */
static void death(u32 c)
{
	u32 v = loaded(c);

	simd_vcpu_destroy(cpus[c].loaded);
	cpus[c].loaded = NULL;
	make_vcpu(v);
}

static void set_features(const struct setup *s)
{
	memset(&feat, 0, sizeof(feat));
	feat.sve = feat.sme = feat.fpmr = feat.amu = true;
	feat.sme_fa64 = s->fa64;
	feat.sme2 = s->sme2;
}

static void power_on(u32 c)
{
	cpus[c].index = c;
	cur = (int)c;
	memset(&mach[c].d, T_JUNK, sizeof(mach[c].d));
	mach[c].d.svcr = SVCR_SM | SVCR_ZA;
	mach[c].cptr = mach[c].zcr_el2 = mach[c].smcr_el2 = 0;
	mach[c].daif = DAIF_I | DAIF_F;
	mach[c].in_guest = mach[c].synced = false;
	simd_boot();
	mach[c].daif = 0;
}

static void add_events(void);

void world_boot(const struct setup *s)
{
	setup = s;
	set_features(s);
	memset(cpus, 0, sizeof(cpus));
	memset(vcpus, 0, sizeof(vcpus));
	for (u32 c = 0; c < CPUS; c++)
		power_on(c);
	if (feat.sve_vl_mask != 0xb || feat.sme_vl_mask != 0xb)
		model_fail("simd_boot found lengths %#x, %#x instead of 0xb", feat.sve_vl_mask,
			   feat.sme_vl_mask);
	for (u32 i = 0; i < 2; i++) {
		config[i].sve = s->vl[i] ? 64U << s->vl[i] : 0;
		config[i].sme = s->svl[i] ? 64U << s->svl[i] : 0;
		config[i].simd_switch = s->simd_switch && !i;
		vm[i].config = &config[i];
		vm[i].nested.cptr = CPTR_FPEN | (s->vl[i] ? CPTR_ZEN : 0) | (s->svl[i] ? CPTR_SMEN : 0) | CPTR_TCPAC;
	}
	for (u32 v = 0; v < VCPUS && v < s->vcpus[0] + s->vcpus[1]; v++)
		make_vcpu(v);
	event_count = 0;
	add_events();
}

/* ---- the events ------------------------------------------------------------------------------ */

/* Moves that an event may make: of the loaded vcpu; everybody else's are always wrong. */
enum moves { MOVES_NONE, MOVES_FLUSH, MOVES_CLAIM, MOVES_CLAIM_STREAMING };

static bool in_host(const struct event *e)
{
	return !mach[e->cpu].in_guest;
}

static bool host_loaded(const struct event *e)
{
	return in_host(e) && cpus[e->cpu].loaded;
}

static bool guest_running(const struct event *e)
{
	return mach[e->cpu].in_guest;
}

static bool unloaded(u32 v)
{
	return cpus[0].loaded != &vcpus[v] && cpus[1].loaded != &vcpus[v];
}

static bool can_schedule(const struct event *e)
{
	return in_host(e) && unloaded(e->vcpu);
}

static bool can_reset(const struct event *e)
{
	return in_host(e) && (unloaded(e->vcpu) || loaded(e->cpu) == e->vcpu);
}

static bool vel2_running(const struct event *e)
{
	return guest_running(e) && nested(loaded(e->cpu)) && !in_l2(loaded(e->cpu));
}

static bool l2_loaded(const struct event *e)
{
	return cpus[e->cpu].loaded && in_l2(loaded(e->cpu));
}

static void ev_enter(const struct event *e) { enter(e->cpu); }
static void ev_exit(const struct event *e) { leave(e->cpu); }
static void ev_irq(const struct event *e) { (void)e; simd_chaos_section(); }
static void ev_put(const struct event *e) { put(e->cpu); }
static void ev_death(const struct event *e) { death(e->cpu); }
static void ev_fp(const struct event *e) { guest_fp(e->cpu); }
static void ev_sve(const struct event *e) { guest_sve(e->cpu); }
static void ev_sm(const struct event *e) { guest_svcr(e->cpu, SVCR_SM); }
static void ev_za_switch(const struct event *e) { guest_svcr(e->cpu, SVCR_ZA); }
static void ev_len(const struct event *e) { guest_len_change(e->cpu); }

static void ev_level(const struct event *e) { leave_if_running(e->cpu); change_level(loaded(e->cpu)); }
static void ev_cptr(const struct event *e) { l1_changes_cptr(e->cpu); }

static void ev_zcr(const struct event *e)
{
	l1_changes_length(e->cpu, emul_zcr_el2, CPTR_ZEN, &expect[loaded(e->cpu)].zcr_el1, false);
}

static void ev_smcr(const struct event *e)
{
	l1_changes_length(e->cpu, emul_smcr_el2, CPTR_SMEN, &expect[loaded(e->cpu)].smcr_el1, true);
}

static void ev_schedule(const struct event *e)
{
	if (cpus[e->cpu].loaded)
		put(e->cpu);
	load(e->cpu, e->vcpu);
}

static void ev_reset(const struct event *e)
{
	simd_vcpu_reset(&vcpus[e->vcpu]);
	reset_el2(e->vcpu);
	vcpus[e->vcpu].traps_stale = true;
	expect_reset(e->vcpu);
}

/* One row per kind. */
static const struct {
	const char *text;
	bool per_vcpu;
	enum moves moves;
	bool (*possible)(const struct event *e);
	void (*apply)(const struct event *e);
} kinds[] = {
	{ "enter the guest", false, MOVES_CLAIM_STREAMING, host_loaded, ev_enter },
	{ "exit", false, MOVES_NONE, guest_running, ev_exit },
	{ "interrupt with a host section", false, MOVES_FLUSH, in_host, ev_irq },
	{ "schedule", true, MOVES_FLUSH, can_schedule, ev_schedule },
	{ "put away what is loaded", false, MOVES_FLUSH, host_loaded, ev_put },
	{ "the loaded vcpu's VM dies and is made anew", false, MOVES_NONE, host_loaded, ev_death },
	{ "reset", true, MOVES_NONE, can_reset, ev_reset },
	{ "guest writes V registers", false, MOVES_CLAIM, guest_running, ev_fp },
	{ "guest writes Z, P, FFR, ZA, ZT0", false, MOVES_CLAIM, guest_running, ev_sve },
	{ "guest switches streaming mode", false, MOVES_CLAIM, guest_running, ev_sm },
	{ "guest switches ZA on or off", false, MOVES_CLAIM, guest_running, ev_za_switch },
	{ "guest changes ZCR_EL1 and SMCR_EL1", false, MOVES_CLAIM, guest_running, ev_len },
	{ "vEL2 returns to L2", false, MOVES_NONE, vel2_running, ev_level },
	{ "L2 has an exception to vEL2", false, MOVES_NONE, l2_loaded, ev_level },
	{ "L1 changes CPTR_EL2", false, MOVES_NONE, vel2_running, ev_cptr },
	{ "L1 reads and changes ZCR_EL2", false, MOVES_NONE, vel2_running, ev_zcr },
	{ "L1 reads and changes SMCR_EL2", false, MOVES_NONE, vel2_running, ev_smcr },
};

static void add_events(void)
{
	u32 n = setup->vcpus[0] + setup->vcpus[1];

	for (u8 k = 0; k < ARRAY_SIZE(kinds); k++)
		for (u8 c = 0; c < (setup->one_cpu ? 1 : CPUS); c++)
			for (u8 v = 0; v < (kinds[k].per_vcpu ? n : 1); v++)
				events[event_count++] = (struct event){ k, c, v };
}

bool event_possible(const struct event *e)
{
	return kinds[e->kind].possible(e);
}

/* A use of SIMD claims; an entry only for a guest in streaming mode, whose PSTATE.SM has to be right. */
static bool may_claim(const struct event *e)
{
	enum moves may = kinds[e->kind].moves;

	return cpus[e->cpu].loaded &&
	       (may == MOVES_CLAIM ||
		(may == MOVES_CLAIM_STREAMING && expect[loaded(e->cpu)].svcr & SVCR_SM));
}

/*
 * Needless or missing moves. was: the vcpu whose state was live on the event's CPU before, or
 * VCPUS. A host section that came in between may have flushed as well, but never loads.
 */
static void check_moves(const struct event *e, u32 was, bool switched, bool injected)
{
	enum moves may = switched ? MOVES_FLUSH : kinds[e->kind].moves;
	u32 load_of = VCPUS, save_of = VCPUS;

	if (may_claim(e) && (was == VCPUS || switched) && live(loaded(e->cpu)))
		load_of = loaded(e->cpu);
	if (may == MOVES_FLUSH)
		save_of = was;
	for (u32 v = 0; v < VCPUS; v++) {
		const struct simd_vcpu *s = &vcpus[v].simd;

		if (loads[v] != (v == load_of) && !injected)
			model_fail("vcpu %u's state loaded %u times, %u expected", vcpu_name[v],
				   loads[v], v == load_of);
		if (saves[v] != (v == save_of) && !injected)
			model_fail("vcpu %u's state saved %u times, %u expected", vcpu_name[v],
				   saves[v], v == save_of);
		if (loads[v] > 1U + injected || saves[v] > 1U + injected)
			model_fail("vcpu %u's state moved more than once", vcpu_name[v]);
		if (v == made)
			continue;
		if (s->claims != loads[v] || s->flushes != saves[v])
			model_fail("vcpu %u's counters say %lu claims, %lu flushes; %u, %u were",
				   vcpu_name[v], s->claims, s->flushes, loads[v], saves[v]);
		if (!s->bytes != (!loads[v] && !saves[v]))
			model_fail("vcpu %u's counter of bytes moved is %lu", vcpu_name[v],
				   s->bytes);
	}
}

/* simd=switch: the entry to come is to another level than the last. */
static bool switches(u32 c)
{
	const struct vcpu *vcpu = cpus[c].loaded;

	return setup->simd_switch && vcpu->has_el2 && vcpu->simd.l2 == vcpu->hyp;
}

void event_apply(const struct event *e)
{
	struct vcpu *owner = cpus[e->cpu].simd.owner;
	bool switched;

	cur = e->cpu;
	move_reset();
	for (u32 v = 0; v < VCPUS; v++)
		vcpus[v].simd.claims = vcpus[v].simd.flushes = vcpus[v].simd.bytes = 0;
	inject_seen = 0;
	switched = kinds[e->kind].apply == ev_enter && switches(e->cpu);
	made = VCPUS;
	kinds[e->kind].apply(e);
	check_moves(e, owner ? (u32)(owner - vcpus) : VCPUS, switched, inject_at >= 0);
}

const char *event_text(const struct event *e)
{
	static char text[128];
	const struct vcpu *on = cpus[e->cpu].loaded;
	char who[32];

	if (kinds[e->kind].per_vcpu)
		snprintf(who, sizeof(who), " vcpu %u", vcpu_name[e->vcpu]);
	else if (on)
		snprintf(who, sizeof(who), " (vcpu %u)", vcpu_name[on - vcpus]);
	else
		who[0] = 0;
	snprintf(text, sizeof(text), "cpu %u: %s%s", cpu_name[e->cpu], kinds[e->kind].text, who);
	return text;
}
