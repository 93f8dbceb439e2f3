/* SPDX-License-Identifier: Apache-2.0 */
/* The model world: its initial state, and what can happen in it. */
#include "guest.h"

#include <stdio.h>
#include <string.h>

#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "boot/config.h"
#include "mm/page.h"
#include "nested/shadow.h"
#include "state/vncr.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/vm.h"
#include "traps/traps.h"
#include "traps/vel2.h"
#include "vtimer/vtimer.h"

struct cpu cpus[MAX_CPUS];
struct vcpu vcpus[VCPUS];
struct data expect[VCPUS];
struct lengths other[VCPUS];
struct feat feat;
u8 cpu_name[CPUS], vcpu_name[VCPUS];
struct event events[EVENTS_MAX];
u32 event_count;

static struct shadow shadow;
static struct vm vm[2];
static struct vm_config config[2];
static u32 page_owner; /* the vcpu whose home page_alloc() is to return */
static u32 made;       /* the vcpu that the event created anew, and its counters with it */
static u64 vncr_page[VCPUS][VNCR_WORDS];

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

/* ---- VMs ------------------------------------------------------------------------------------- */

static void expect_reset(u32 v)
{
	memset(&expect[v], 0, sizeof(expect[v]));
	other[v] = (struct lengths){ 0, 0 };
	if (!setup->narrow || nested(v))
		exp_cut(v, expect[v].vec, 1);
}

/* What vcpu_reset() does. L2's CPACR_EL1 is open when L1 enters it first. */
static void reset_el2(u32 v)
{
	struct vcpu *vcpu = &vcpus[v];

	vcpu->has_vel2 = vcpu->in_vel2 = nested(v);
	vcpu->vncr = vncr_page[v];
	memset(vncr_page[v], 0, sizeof(vncr_page[v]));
	vcpu->sr[SR_CPTR_EL2] = vcpu->sr[SR_ZCR_EL2] = vcpu->sr[SR_SMCR_EL2] = l1_cptr[v] = 0;
	if (!nested(v))
		return;
	vncr_write(vcpu, VNCR_HCR_EL2, l1_hcr(false));
	vncr_write(vcpu, VNCR_CPACR_EL1, CPTR_FPEN | CPTR_ZEN | CPTR_SMEN);
	vcpu->cpacr_hidden = simd_cpacr_hidden(&vcpu->simd);
	vcpu->cpacr_native = setup->tcpac && !vcpu->cpacr_hidden;
	vcpu->timers_trap = true;
	vcpu->shadow.ref[0] = vcpu->shadow.mine = &shadow;
	vel2_cpacr_load(vcpu);
}

static void make_vcpu(u32 v)
{
	page_owner = made = v;
	vcpus[v].vm = &vm[vm_of(v)];
	vcpus[v].index = (u8)v;
	if (simd_vcpu_init(&vcpus[v]))
		model_fail("simd_vcpu_init failed");
	reset_el2(v);
	traps_invalidate(&vcpus[v]); /* as if its memory were zeroes */
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
	feat.ecv = true; /* vtimer/: L2's timers trap, because its hypervisor shows it no NV */
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
	if (!simd_boot())
		model_fail("a CPU like the boot CPU is refused");
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
		config[i].deep = s->words && !i;
		vm[i].config = &config[i];
		vm[i].nested.cptr = CPTR_FPEN | (s->vl[i] ? CPTR_ZEN : 0) |
				    (s->svl[i] ? CPTR_SMEN : 0) | CPTR_TCPAC;
		vm[i].nested.hcr = HCR_E2H | HCR_RW | HCR_IMO | HCR_FMO | HCR_TVM;
	}
	l1_cptrs_of(vm[0].nested.cptr);
	for (u32 v = 0; v < VCPUS && v < s->vcpus[0] + s->vcpus[1]; v++)
		make_vcpu(v);
	controls_boot();
	event_count = 0;
	add_events();
}

/* ---- the events ------------------------------------------------------------------------------ */

/* Moves that an event may make: of the loaded vcpu; moves of any other are always wrong. */
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

static bool vel2_with_sve(const struct event *e)
{
	return vel2_running(e) && setup->vl[vm_of(loaded(e->cpu))];
}
static bool vel2_with_sme(const struct event *e)
{
	return vel2_running(e) && setup->svl[vm_of(loaded(e->cpu))];
}
static bool vel2_with_words(const struct event *e)
{
	return setup->words && vel2_running(e);
}
static bool nested_running(const struct event *e)
{
	return guest_running(e) && nested(loaded(e->cpu));
}
static bool l2_loaded(const struct event *e)
{
	return cpus[e->cpu].loaded && in_l2(loaded(e->cpu));
}

static bool l2_trapped(const struct event *e)
{
	return nested_running(e) && trap_of_l1(e->cpu);
}

static void ev_enter(const struct event *e)
{
	enter(e->cpu);
}
static void ev_exit(const struct event *e)
{
	leave(e->cpu);
}
static void ev_irq(const struct event *e)
{
	(void)e;
	simd_chaos_section();
}
static void ev_put(const struct event *e)
{
	put(e->cpu);
}
static void ev_death(const struct event *e)
{
	death(e->cpu);
}
static void ev_fp(const struct event *e)
{
	guest_fp(e->cpu);
}
static void ev_sve(const struct event *e)
{
	guest_sve(e->cpu);
}
static void ev_sm(const struct event *e)
{
	guest_svcr(e->cpu, SVCR_SM);
}
static void ev_za_switch(const struct event *e)
{
	guest_svcr(e->cpu, SVCR_ZA);
}
static void ev_len(const struct event *e)
{
	guest_len_change(e->cpu);
}

static void ev_back(const struct event *e)
{
	interrupted(e->cpu);
}
static void ev_level(const struct event *e)
{
	level_switch(e->cpu);
}
static void ev_fast(const struct event *e)
{
	level_fast(e->cpu);
}
static void ev_fast_trap(const struct event *e)
{
	trap_fast(e->cpu);
}
static void ev_trap(const struct event *e)
{
	l1_changes_trap(e->cpu);
}
static void ev_cptr(const struct event *e)
{
	l1_changes_cptr(e->cpu);
}

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
	if (cpus[e->cpu].loaded == &vcpus[e->vcpu])
		mach[e->cpu].cpacr = cpacr_of(e->vcpu);
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
	{ "exit and entry", false, MOVES_CLAIM_STREAMING, guest_running, ev_back },
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
	{ "vEL2 or L2 changes the level, the fast path", false, MOVES_CLAIM_STREAMING,
	  nested_running, ev_fast },
	{ "L2's SIMD traps to L1, the fast path", false, MOVES_CLAIM_STREAMING, l2_trapped,
	  ev_fast_trap },
	{ "L1 changes CPTR_EL2", false, MOVES_NONE, vel2_running, ev_cptr },
	{ "L1 changes another trap", false, MOVES_NONE, vel2_with_words, ev_trap },
	{ "L1 reads and changes ZCR_EL2", false, MOVES_NONE, vel2_with_sve, ev_zcr },
	{ "L1 reads and changes SMCR_EL2", false, MOVES_NONE, vel2_with_sme, ev_smcr },
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

static bool is_fast(const struct event *e)
{
	return kinds[e->kind].apply == ev_fast || kinds[e->kind].apply == ev_fast_trap;
}

bool event_enters(const struct event *e)
{
	return (kinds[e->kind].apply == ev_enter || is_fast(e)) && nested(loaded(e->cpu));
}

/*
 * A use of SIMD claims; an entry only for a guest in streaming mode, whose PSTATE.SM has to be
 * right.
 */
static bool may_claim(const struct event *e)
{
	enum moves may = kinds[e->kind].moves;

	return cpus[e->cpu].loaded &&
	       (may == MOVES_CLAIM ||
		(may == MOVES_CLAIM_STREAMING && expect[loaded(e->cpu)].svcr & SVCR_SM));
}

/*
 * Needless or missing moves. was: the vcpu whose state was live on the event's CPU before, or
 * VCPUS. A host section in between may have flushed as well, but never loads.
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

/* simd=switch: the coming entry is to another level than the last one. */
static bool switches(u32 c)
{
	const struct vcpu *vcpu = cpus[c].loaded;

	return setup->simd_switch && vcpu->has_vel2 && vcpu->simd.vel1 == vcpu->in_vel2;
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
	switched = (kinds[e->kind].apply == ev_enter && switches(e->cpu)) ||
		   (is_fast(e) && setup->simd_switch);
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
