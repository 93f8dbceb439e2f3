/* SPDX-License-Identifier: Apache-2.0 */
/* A state as a list of the words that differ, and what of it is left out. */
#include "state.h"

#include <string.h>

#include "check.h"
#include "guests.h"
#include "world.h"
#include "arch/simd.h"

#define WORDS_MAX 8192 /* all memory that may differ */
typedef u64 __attribute__((may_alias)) word;

static struct area {
	word *at;
	u32 words;
} areas[32];
static u32 area_count;

static void area(void *at, size_t size)
{
	areas[area_count++] = (struct area){ at, (u32)((size + 7) / 8) };
}

u64 l0_simd_state_za(u32 vl, u32 svl);

/* Left out: timers, the GIC, debug and counts; unused ends of pages and homes. */
static void areas_make(void)
{
	area_count = 0;
	for (u32 n = 0; n < NIDUS; n++) {
		area(belows[n]->cpu, sizeof(struct cpu));
		area(pages[n], 0x600);
		for (u32 v = 0; v < 2; v++) {
			const struct simd_vcpu *s = &belows[n]->vcpu[v].simd;

			area(&belows[n]->vcpu[v], offsetof(struct vcpu, vgic) + 8);
			area(&belows[n]->vcpu[v].requests, 8);
			area(&belows[n]->vcpu[v].loaded_cpu,
			     offsetof(struct vcpu, dbg) - offsetof(struct vcpu, loaded_cpu));
			area(home[n][v], sizeof(struct simd_state) + 8);
			if (s->svl)
				area(home[n][v] + sizeof(struct simd_state) +
					     l0_simd_state_za(s->vl, s->svl),
				     8);
		}
	}
	area(&m, sizeof(m));
	area(truth, sizeof(truth));
	area(&now, 1);
	area(&v_level, 1);
}

static word *places[WORDS_MAX]; /* all of them; the first live_count are those that differ */
static word base[WORDS_MAX];
static u32 place_count;
u32 live_count;

static void places_make(void)
{
	place_count = live_count = 0;
	for (u32 a = 0; a < area_count; a++)
		for (u32 i = 0; i < areas[a].words; i++) {
			if (place_count == WORDS_MAX)
				model_fail("more memory than WORDS_MAX");
			places[place_count++] = &areas[a].at[i];
		}
	for (u32 i = 0; i < place_count; i++)
		base[i] = *places[i];
}

void states_begin(void)
{
	areas_make();
	places_make();
}

/* The values that each of the words that differ has had: a state is an index for each. */
static struct values {
	u64 v[256];
	u32 count, last;
} values[LIVE_MAX];

static u8 value_index(struct values *of, u64 v)
{
	if (of->v[of->last] == v)
		return (u8)of->last;
	for (of->last = 0; of->last < of->count; of->last++)
		if (of->v[of->last] == v)
			return (u8)of->last;
	if (of->count == ARRAY_SIZE(of->v))
		model_fail("a word of the state has more than 256 values");
	of->v[of->count++] = v;
	return (u8)of->last;
}

/* A word that has not differed until now: in all states so far it has its first value. */
static void place_differs(u32 i)
{
	word *place = places[i], was = base[i];

	if (live_count == LIVE_MAX)
		model_fail("more than LIVE_MAX words differ");
	places[i] = places[live_count];
	base[i] = base[live_count];
	places[live_count] = place;
	base[live_count] = was;
	values[live_count] = (struct values){ .v = { was }, .count = 1 };
	live_count++;
}

void state_pack(struct state *s)
{
	for (u32 i = live_count; i < place_count; i++)
		if (unlikely(*places[i] != base[i]))
			place_differs(i);
	memset(s, 0, sizeof(*s));
	for (u32 i = 0; i < live_count; i++)
		s->value[i] = value_index(&values[i], *places[i]);
}

void state_unpack(const struct state *s)
{
	for (u32 i = 0; i < live_count; i++)
		*places[i] = values[i].v[s->value[i]];
}

/* ---- what nobody may rely on ------------------------------------------------------------------ */

/* An exception's own registers: whoever reads them does so before anything else happens. */
static void forget_exceptions(void)
{
	static const enum reg regs[] = { R_ESR_EL1, R_FAR_EL1, R_ELR_EL1, R_SPSR_EL1,
					 R_ESR_EL2, R_FAR_EL2, R_ELR_EL2, R_SPSR_EL2 };
	static const enum sysreg_id ids[] = { SR_ESR_EL1, SR_FAR_EL1, SR_ELR_EL1, SR_SPSR_EL1 };
	static const u16 words[] = { VNCR_ESR_EL1, VNCR_FAR_EL1, VNCR_ELR_EL1, VNCR_SPSR_EL1 };

	for (u32 i = 0; i < ARRAY_SIZE(regs); i++)
		m.reg[regs[i]] = 0;
	for (u32 n = 0; n < NIDUS; n++)
		for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
			pages[n][words[i] / 8] = 0;
			belows[n]->vcpu[0].sr[ids[i]] = belows[n]->vcpu[1].sr[ids[i]] = 0;
		}
	m.x0 = 0;
	m.pstate = PSTATE_EL1H;
}

static void forget_controls(struct traps_level *l)
{
	memset(l, 0, sizeof(*l));
}

/* What a nidus records of the last exit, and counts. */
static void forget_vcpu(struct vcpu *vcpu, bool is_loaded)
{
	struct simd_vcpu *s = &vcpu->simd;

	memset(&vcpu->exit, 0, sizeof(vcpu->exit));
	memset(&vcpu->account, 0, sizeof(vcpu->account));
	vcpu->gpr[0] = vcpu->inject_esr = 0;
	vcpu->intid = 0;
	s->claims = s->flushes = s->bytes = s->host_sections = 0;
	if (is_loaded)
		vcpu->pc = vcpu->pstate = 0;
	if (!s->cpu)
		s->zcr_now = s->smcr_now = 0;
	if (setup->words)
		return;
	forget_controls(&vcpu->traps.vel1);
	forget_controls(&vcpu->traps.vel2);
	for (u32 i = 0; i < TRAPS_OTHERS; i++)
		forget_controls(&vcpu->traps_other[i].vel1);
}

/*
 * Registers that nobody owns, or what SVCR makes unreachable: it comes back as zeroes, if at all.
 */
static void forget_data(struct data *d, bool all, u32 len, u32 svl)
{
	const struct data junk = {
		{ T_JUNK, T_JUNK, T_JUNK }, T_JUNK, T_JUNK, { T_JUNK, T_JUNK, T_JUNK },
		{ T_JUNK, T_JUNK, T_JUNK }, T_JUNK, 0,
	};
	u8 svcr = d->svcr;

	if (all)
		*d = junk;
	d->svcr = svcr;
	if (svcr & SVCR_SM)
		len = svl;
	memset(d->vec + MAX(len, 1U), T_JUNK, SEGS - MAX(len, 1U));
	if ((svcr & SVCR_SM) && !setup->fa64)
		d->ffr = T_JUNK;
	if (!(svcr & SVCR_ZA))
		svl = d->zt0 = 0;
	memset(d->za + svl, T_JUNK, SEGS - svl);
}

/* Convert the home of a vcpu into the structure of the registers, and back. */
static tag *home_za(const struct simd_vcpu *s)
{
	return s->svl ? s->state->data + l0_simd_state_za(s->vl, s->svl) : NULL;
}

static void forget_home(const struct simd_vcpu *s, bool all, u32 len, u32 svl)
{
	struct simd_state *st = s->state;
	struct data d = { .svcr = s->svl ? (u8)st->svcr : 0 };
	tag *za = home_za(s);

	memcpy(d.vec, st->data, SEGS + 2);
	d.status[0] = (tag)st->fpcr;
	d.status[1] = (tag)st->fpsr;
	d.status[2] = (tag)st->fpmr;
	if (za)
		memcpy(d.za, za, SEGS);
	d.zt0 = st->zt0[0];
	forget_data(&d, all, len, svl);
	memcpy(st->data, d.vec, SEGS + 2);
	st->fpcr = d.status[0];
	st->fpsr = d.status[1];
	st->fpmr = d.status[2];
	if (za)
		memcpy(za, d.za, SEGS);
	st->zt0[0] = d.zt0;
	if (all)
		st->svcr = 0;
}

/* What l1's vcpus see, wherever l0 holds it. */
static void forget_simd(void)
{
	const struct vcpu *l1 = &belows[L0]->vcpu[0], *owner = belows[L1]->cpu->simd.owner;
	u32 g = owner ? (u32)(owner - belows[L1]->vcpu) : 0;

	if (l1->simd.cpu) {
		forget_home(&l1->simd, true, 0, 0);
		forget_data(&m.d, !owner, setup->vl[g], setup->svl[g]);
	} else {
		forget_data(&m.d, true, 0, 0);
		forget_home(&l1->simd, !owner, setup->vl[g], setup->svl[g]);
		m.reg[R_ZCR_EL2] = m.reg[R_SMCR_EL2] = LEN_LONG;
		m.reg[R_ZCR_EL1] = m.reg[R_SMCR_EL1] = 7;
	}
	for (u32 v = 0; v < 2; v++) {
		const struct simd_vcpu *s = &belows[L1]->vcpu[v].simd;

		forget_home(s, s->cpu, setup->vl[v], setup->svl[v]);
	}
}

void state_forget(void)
{
	forget_exceptions();
	for (u32 n = 0; n < NIDUS; n++) {
		struct cpu *cpu = belows[n]->cpu;

		cpu->simd.daif = 0;
		for (u32 v = 0; v < 2; v++)
			forget_vcpu(&belows[n]->vcpu[v], cpu->loaded == &belows[n]->vcpu[v]);
	}
	forget_simd();
}
