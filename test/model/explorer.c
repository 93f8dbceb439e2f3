/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breadth-first search over all interleavings of the model world's events, to a fixed point. States
 * that differ only in the names of CPUs and of vcpus of one VM are one; what nobody can rely on any
 * more (registers nobody owns, the home of a live vcpu) is replaced by junk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/hcr.h"
#include "events.h"
#include "setups.h"
#include "arch/simd.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/vncr.h"
#include "traps/traps.h"
#include "traps/traps_nested.h"
#include "traps/vel2.h"

/* A new field of these must be packed below if events depend on it. */
_Static_assert(sizeof(struct simd_cpu) == 24, "simd_cpu has changed");
_Static_assert(sizeof(struct simd_vcpu) == 104, "simd_vcpu has changed");

struct state {
	u64 cpu[CPUS];
	u64 home[VCPUS];
	u64 expect[VCPUS];
};

/* How a state was first reached. */
struct origin {
	u32 parent;
	s8 inject;
	u8 event, perm, remembered;
};

static struct state *states;
static struct origin *origins;
static u32 *table;
static u32 count, capacity, table_size;

/* Renamings that keep the world the same: new name of each CPU and vcpu. */
struct perm {
	u8 cpu[CPUS], vcpu[VCPUS];
};
static struct perm perms[4];
static u32 perm_count;

/* ---- states as words ------------------------------------------------------------------------- */

static u64 word;
static u32 word_at;

static void put_bits(u64 v, u32 bits)
{
	word |= v << word_at;
	word_at += bits;
}

static u64 get_bits(u32 bits)
{
	u64 v = word & (BIT(bits) - 1);

	word >>= bits;
	return v;
}

/* Tags relative to the vcpu that should own them. */
enum { C_ZERO, C_JUNK, C_SMSET, C_OWN, C_ANY };

static u64 tag_code(tag t, u32 v)
{
	if (t == T_OWN + v)
		return C_OWN;
	return t == T_ZERO ? C_ZERO : t == T_SMSET ? C_SMSET : t == T_ANY ? C_ANY : C_JUNK;
}

static tag code_tag(u64 code, u32 v)
{
	static const tag tags[] = { T_ZERO, T_JUNK, T_SMSET, T_JUNK, T_ANY };

	return code == C_OWN ? (tag)(T_OWN + v) : tags[code];
}

#define LEN_JUNK 7

static u64 len_code(u64 len)
{
	return len == 0 ? 0 : len == 15 ? 1 : 2;
}

static u8 code_len(u64 code)
{
	return code == 0 ? 0 : code == 1 ? 15 : LEN_JUNK;
}

/* What SVCR makes unreachable: it comes back as zeroes, if at all. */
static void drop_unreachable(struct data *d)
{
	if (!(d->svcr & SVCR_ZA)) {
		memset(d->za, T_JUNK, sizeof(d->za));
		d->zt0 = T_JUNK;
	}
	if ((d->svcr & SVCR_SM) && !setup->fa64)
		d->ffr = T_JUNK;
}

static void put_data(struct data d, u32 v)
{
	const tag *t = (const tag *)&d;

	drop_unreachable(&d);
	for (u32 i = 0; i < DATA_TAGS; i++)
		put_bits(tag_code(t[i], v), 3);
	put_bits(d.svcr & 3, 2);
	put_bits(len_code(d.zcr_el1), 2);
	put_bits(len_code(d.smcr_el1), 2);
}

static void get_data(struct data *d, u32 v)
{
	tag *t = (tag *)d;

	for (u32 i = 0; i < DATA_TAGS; i++)
		t[i] = code_tag(get_bits(3), v);
	d->svcr = (u8)get_bits(2);
	d->zcr_el1 = code_len(get_bits(2));
	d->smcr_el1 = code_len(get_bits(2));
}

static const struct data junk = {
	.vec = { T_JUNK, T_JUNK, T_JUNK },
	.pred = T_JUNK,
	.ffr = T_JUNK,
	.status = { T_JUNK, T_JUNK, T_JUNK },
	.za = { T_JUNK, T_JUNK, T_JUNK },
	.zt0 = T_JUNK,
	.svcr = SVCR_SM | SVCR_ZA,
	.zcr_el1 = LEN_JUNK,
	.smcr_el1 = LEN_JUNK,
};

/*
 * Whether anybody may rely on the current CPTR_EL2.TCPAC: a guest that runs, or the next entry of
 * one whose traps will not be computed anew.
 */
static bool wants_tcpac(const struct vcpu *on, bool runs)
{
	u32 v = (u32)(on - vcpus);

	if (!on || (on->traps_stale && !runs))
		return false;
	return nested(v) || !setup->vl[vm_of(v)] || !setup->svl[vm_of(v)];
}

/* References to vcpus and CPUs: 0 is none, so a name is one more. */
static u64 cpu_word(u32 c, const struct perm *p)
{
	const struct machine_cpu *m = &mach[c];
	const struct vcpu *owner = cpus[c].simd.owner, *on = cpus[c].loaded;
	struct data d = owner ? m->d : junk;

	/* With nobody live the lengths are as dead as the data, but SVCR affects whoever runs. */
	d.svcr = m->d.svcr;
	word = word_at = 0;
	put_data(d, owner ? (u32)(owner - vcpus) : 0);
	put_bits(owner ? m->zcr_el2 & 15 : 15, 4);
	put_bits(owner ? m->smcr_el2 & 15 : 15, 4);
	put_bits(owner && (m->smcr_el2 & SMCR_FA64), 1);
	put_bits(owner && (m->smcr_el2 & SMCR_EZT0), 1);
	put_bits(!!(m->cptr & CPTR_FPEN), 1);
	put_bits(!!(m->cptr & CPTR_ZEN), 1);
	put_bits(!!(m->cptr & CPTR_SMEN), 1);
	put_bits((m->cptr & CPTR_TCPAC) && wants_tcpac(on, m->in_guest), 1);
	/* At EL2 nothing may rely on an earlier ISB. */
	put_bits(m->synced && m->in_guest, 1);
	put_bits(m->in_guest, 1);
	put_bits(on ? p->vcpu[on - vcpus] + 1U : 0, 2);
	put_bits(owner ? p->vcpu[owner - vcpus] + 1U : 0, 2);
	return word;
}

static void cpu_unword(u32 c, u64 w)
{
	struct machine_cpu *m = &mach[c];
	u64 on, owner;

	owner = w >> (DATA_TAGS * 3 + 6 + 16 + 2) & 3;
	word = w;
	get_data(&m->d, owner ? (u32)owner - 1 : 0);
	m->zcr_el2 = get_bits(4);
	m->smcr_el2 = get_bits(4);
	m->smcr_el2 |= get_bits(1) ? SMCR_FA64 : 0;
	m->smcr_el2 |= get_bits(1) ? SMCR_EZT0 : 0;
	m->cptr = CPTR_TTA | CPTR_TAM;
	m->cptr |= get_bits(1) ? CPTR_FPEN : 0;
	m->cptr |= get_bits(1) ? CPTR_ZEN : 0;
	m->cptr |= get_bits(1) ? CPTR_SMEN : 0;
	m->cptr |= get_bits(1) ? CPTR_TCPAC : 0;
	m->synced = get_bits(1);
	m->in_guest = get_bits(1);
	on = get_bits(2);
	m->daif = 0;
	cpus[c].loaded = on ? &vcpus[on - 1] : NULL;
	cpus[c].simd.owner = owner ? &vcpus[owner - 1] : NULL;
	cpus[c].simd.host = false;
	cpus[c].simd.daif = 0;
}

static u8 *home_za(u32 v)
{
	const struct simd_vcpu *s = &vcpus[v].simd;

	return ((struct simd_state *)home[v])->data + simd_state_za(s->vl, s->svl);
}

/*
 * The trap registers other than CPTR_EL2. world_check() has verified that they are what the vcpu
 * needs, unless they are still to be updated; then they may be anything.
 */
static void controls_unword(u32 c)
{
	const struct vcpu *on = cpus[c].loaded;
	struct traps *t = &cpus[c].traps;

	if (on && (mach[c].in_guest || !on->traps_stale))
		*t = controls_now((u32)(on - vcpus));
	else
		memset(t, 0xff, sizeof(*t));
	t->cptr = mach[c].cptr;
	mach[c].cpacr = on ? cpacr_of((u32)(on - vcpus)) : 0;
}

static bool is_loaded(u32 v)
{
	return cpus[0].loaded == &vcpus[v] || cpus[1].loaded == &vcpus[v];
}

/* The part of the level's lengths that is not in the home. */
static struct lengths elsewhere(u32 v)
{
	const struct vcpu *vcpu = &vcpus[v];

	if (vcpu->simd.vel1)
		return (struct lengths){ vcpu->sr[SR_ZCR_EL2] & ZCR_LEN,
					 vcpu->sr[SR_SMCR_EL2] & SMCR_LEN };
	return (struct lengths){ vncr_read(vcpu, VNCR_ZCR_EL1) & ZCR_LEN,
				 vncr_read(vcpu, VNCR_SMCR_EL1) & SMCR_LEN };
}

static void put_lengths(struct lengths l)
{
	put_bits(len_code(l.zcr), 2);
	put_bits(len_code(l.smcr), 2);
}

static struct lengths get_lengths(void)
{
	u8 zcr = code_len(get_bits(2));

	return (struct lengths){ zcr, code_len(get_bits(2)) };
}

/* Additional state of a vcpu with EL2. */
static void put_levels(u32 v)
{
	const struct vcpu *vcpu = &vcpus[v];

	if (!nested(v))
		return;
	put_bits(l1_cptr_index(vcpu->sr[SR_CPTR_EL2]), 3);
	put_bits(l1_cptr_index(l1_cptr[v]), 3);
	put_bits(vcpu->in_vel2, 1);
	put_bits(vcpu->simd.vel1, 1);
	put_lengths(elsewhere(v));
}

/* The place that is not in use holds junk. */
static void get_levels(u32 v)
{
	struct vcpu *vcpu = &vcpus[v];
	struct lengths l;
	bool l2;

	if (!nested(v))
		return;
	vcpu->sr[SR_CPTR_EL2] = l1_cptrs[get_bits(3)];
	l1_cptr[v] = l1_cptrs[get_bits(3)];
	vcpu->in_vel2 = get_bits(1);
	l2 = vcpu->simd.vel1 = get_bits(1);
	l = get_lengths();
	vcpu->sr[SR_ZCR_EL2] = l2 ? l.zcr : LEN_JUNK;
	vcpu->sr[SR_SMCR_EL2] = l2 ? machine_smcr(l.smcr) : LEN_JUNK;
	vncr_write(vcpu, VNCR_ZCR_EL1, l2 ? LEN_JUNK : l.zcr);
	vncr_write(vcpu, VNCR_SMCR_EL1, l2 ? LEN_JUNK : machine_smcr(l.smcr));
}

/*
 * The cached trap controls of a vcpu: world_check() has verified that they are what their tags say.
 */
static void put_controls(u32 v, const struct traps_level *l)
{
	put_bits(l->valid, 1);
	put_bits(l->valid && l->cptr_own == vcpus[v].simd.cptr, 1);
	put_bits(l->valid ? l1_cptr_index(l->cptr_vel2) : 0, 3);
}

static void get_controls(u32 v, struct traps_level *l, bool in_vel2, bool trap)
{
	l->valid = get_bits(1);
	l->cptr_own = controls_l0(v, get_bits(1));
	l->cptr_vel2 = l1_cptrs[get_bits(3)];
	if (l->valid)
		l->t = *controls_of(v, l, in_vel2, trap);
}

/* In a world with words, which is small, it is part of the state, but for what goes next. */
static void put_remembered(u32 v)
{
	const struct traps_cache *c = &vcpus[v].traps;

	if (!nested(v) || !setup->words)
		return;
	put_controls(v, &c->vel2);
	put_controls(v, &c->vel1);
	put_controls(v, &vcpus[v].traps_other[0].vel1);
	put_bits(controls_trap(c->from), 1);
	put_bits(vcpus[v].traps_other[0].vel1.valid && controls_trap(vcpus[v].traps_other[0].from),
		 1);
	put_bits(l1_traps(v), 1);
}

static void get_remembered(u32 v)
{
	struct traps_cache *c = &vcpus[v].traps;
	u64 vel2 = get_bits(5), l2 = get_bits(5), l2_other = get_bits(5);
	bool from = get_bits(1), from_other = get_bits(1);

	vncr_write(&vcpus[v], VNCR_HCR_EL2, l1_hcr(get_bits(1)));
	word = vel2;
	get_controls(v, &c->vel2, true, false);
	word = l2;
	get_controls(v, &c->vel1, false, from);
	word = l2_other;
	get_controls(v, &vcpus[v].traps_other[0].vel1, false, from_other);
	controls_note(v, c->from, from);
	controls_note(v, vcpus[v].traps_other[0].from, from_other);
}

/*
 * Elsewhere the cache is not part of the state, but an event that enters the vcpu is tried with
 * each kind of content: for things as they are, for a state that was live and is not or the other
 * way round, for another CPTR_EL2 of L1, none.
 */
enum remembered { REMEMBERED_NOW, REMEMBERED_LIVE, REMEMBERED_CPTR, REMEMBERED_NOTHING, REMEMBERED };
static u8 remembered;

static void remember(u32 v, struct traps_level *l, bool in_vel2)
{
	u64 l1 = vcpus[v].sr[SR_CPTR_EL2];

	l->valid = remembered != REMEMBERED_NOTHING;
	l->cptr_own = controls_l0(v, live(v) != (remembered == REMEMBERED_LIVE));
	l->cptr_vel2 = remembered == REMEMBERED_CPTR ? next_cptr(l1) : l1;
	if (l->valid)
		l->t = *controls_of(v, l, in_vel2, false);
}

static void get_nested(u32 v)
{
	struct traps_cache *c = &vcpus[v].traps;

	if (!nested(v))
		return;
	if (setup->words) {
		get_remembered(v);
	} else {
		remember(v, &c->vel2, true);
		remember(v, &c->vel1, false);
		controls_note(v, c->from, false);
		vcpus[v].traps_other[0].vel1.valid = false;
	}
	vcpus[v].traps_other[1].vel1.valid = false;
	vel2_cpacr_load(&vcpus[v]);
}

/*
 * The lengths in the home of live state: dead, but those of a vEL1 to which L1 closes what could
 * change them.
 */
static void kept_lengths(u32 v, struct data *d)
{
	const struct vcpu *vcpu = &vcpus[v];

	if (!nested(v) || !vcpu->simd.vel1)
		return;
	if (!(vcpu->sr[SR_CPTR_EL2] & CPTR_ZEN))
		d->zcr_el1 = (u8)vcpu->simd.state->zcr_el1;
	if (!(vcpu->sr[SR_CPTR_EL2] & CPTR_SMEN))
		d->smcr_el1 = (u8)vcpu->simd.state->smcr_el1;
}

static u64 home_word(u32 v, const struct perm *p)
{
	const struct simd_state *st = (const struct simd_state *)home[v];
	const struct cpu *cpu = vcpus[v].simd.cpu;
	struct data d = junk;

	if (!cpu) {
		memcpy(d.vec, st->data, SEGS);
		d.pred = st->data[SEGS];
		d.ffr = st->data[SEGS + 1];
		d.status[0] = (tag)st->fpcr;
		d.status[1] = (tag)st->fpsr;
		d.status[2] = (tag)st->fpmr;
		if (vcpus[v].simd.svl)
			memcpy(d.za, home_za(v), SEGS);
		d.zt0 = st->zt0[0];
		/* Without SME nobody writes or reads it. */
		d.svcr = vcpus[v].simd.svl ? (u8)st->svcr : 0;
		d.zcr_el1 = (u8)st->zcr_el1;
		d.smcr_el1 = (u8)st->smcr_el1;
	} else {
		kept_lengths(v, &d);
	}
	word = word_at = 0;
	put_data(d, v);
	put_bits(cpu ? p->cpu[cpu - cpus] + 1U : 0, 2);
	/* vcpu_load() sets it. */
	put_bits(vcpus[v].traps_stale || !is_loaded(v), 1);
	put_levels(v);
	return word;
}

static void home_unword(u32 v, u64 w)
{
	struct simd_state *st = (struct simd_state *)home[v];
	struct data d;
	u64 cpu;

	word = w;
	get_data(&d, v);
	memcpy(st->data, d.vec, SEGS);
	st->data[SEGS] = d.pred;
	st->data[SEGS + 1] = d.ffr;
	st->fpcr = d.status[0];
	st->fpsr = d.status[1];
	st->fpmr = d.status[2];
	if (vcpus[v].simd.svl)
		memcpy(home_za(v), d.za, SEGS);
	st->zt0[0] = d.zt0;
	st->svcr = d.svcr;
	st->zcr_el1 = d.zcr_el1;
	st->smcr_el1 = machine_smcr(d.smcr_el1);
	cpu = get_bits(2);
	vcpus[v].simd.cpu = cpu ? &cpus[cpu - 1] : NULL;
	vcpus[v].simd.state = st;
	vcpus[v].traps_stale = get_bits(1);
	get_levels(v);
	/* world_check() has verified that these agree. */
	if (cpu) {
		vcpus[v].simd.zcr_now = mach[cpu - 1].zcr_el2;
		vcpus[v].simd.smcr_now = mach[cpu - 1].smcr_el2;
	}
}

static void pack_as(struct state *s, const struct perm *p)
{
	for (u32 c = 0; c < CPUS; c++)
		s->cpu[p->cpu[c]] = cpu_word(c, p);
	for (u32 v = 0; v < VCPUS; v++) {
		s->home[p->vcpu[v]] = home_word(v, p);
		word = word_at = 0;
		put_data(expect[v], v);
		put_lengths(other[v]);
		put_remembered(v);
		s->expect[p->vcpu[v]] = word;
	}
}

/* Find the least of all renamings; returns which. */
static u8 pack(struct state *s)
{
	u8 best = 0;

	pack_as(s, &perms[0]);
	for (u8 i = 1; i < perm_count; i++) {
		struct state t;

		pack_as(&t, &perms[i]);
		if (memcmp(&t, s, sizeof(t)) < 0) {
			*s = t;
			best = i;
		}
	}
	return best;
}

static void unpack(const struct state *s)
{
	for (u32 c = 0; c < CPUS; c++)
		cpu_unword(c, s->cpu[c]);
	for (u32 v = 0; v < VCPUS; v++) {
		home_unword(v, s->home[v]);
		word = s->expect[v];
		get_data(&expect[v], v);
		other[v] = get_lengths();
		get_nested(v);
	}
	for (u32 c = 0; c < CPUS; c++)
		controls_unword(c);
}

static void make_perms(void)
{
	u32 swaps = setup->vcpus[0] == 2 ? 2 : 1;

	perm_count = 0;
	for (u8 c = 0; c < CPUS; c++)
		for (u8 w = 0; w < swaps; w++)
			perms[perm_count++] = (struct perm){
				.cpu = { c, (u8)(1 - c) },
				.vcpu = { w, (u8)(1 - w), 2 },
			};
}

/* ---- the set of states seen ------------------------------------------------------------------ */

static u64 hash(const struct state *s)
{
	const u64 *w = (const u64 *)s;
	u64 h = 0;

	for (size_t i = 0; i < sizeof(*s) / sizeof(*w); i++) {
		h = (h ^ w[i]) * 0x9e3779b97f4a7c15UL;
		h ^= h >> 29;
	}
	return h;
}

static void *grow(void *p, size_t n, size_t size)
{
	p = realloc(p, n * size);
	if (!p) {
		fprintf(stderr, "explorer: no memory for %zu states\n", n);
		exit(2);
	}
	return p;
}

static void rehash(void)
{
	free(table);
	table_size = table_size ? table_size * 2 : 1U << 16;
	table = calloc(table_size, sizeof(*table));
	if (!table)
		exit(2);
	for (u32 i = 0; i < count; i++) {
		u64 h = hash(&states[i]);

		while (table[h & (table_size - 1)])
			h++;
		table[h & (table_size - 1)] = i + 1;
	}
}

static void insert(const struct state *s, struct origin o)
{
	u64 h;

	if (count * 2 >= table_size)
		rehash();
	for (h = hash(s); table[h & (table_size - 1)]; h++)
		if (!memcmp(&states[table[h & (table_size - 1)] - 1], s, sizeof(*s)))
			return;
	if (count == capacity) {
		capacity = capacity ? capacity * 2 : 1U << 15;
		states = grow(states, capacity, sizeof(*states));
		origins = grow(origins, capacity, sizeof(*origins));
	}
	states[count] = *s;
	origins[count] = o;
	table[h & (table_size - 1)] = ++count;
}

/* ---- the search ------------------------------------------------------------------------------ */

/* Apply one event to state i; false: a violation. */
static bool step(u32 i, u32 e, int inject)
{
	struct state s;
	u8 perm;

	loop_runs = false;
	unpack(&states[i]);
	inject_at = inject;
	if (setjmp(model_out))
		return false;
	event_apply(&events[e]);
	world_check();
	perm = pack(&s);
	insert(&s, (struct origin){ i, (s8)inject, (u8)e, perm, remembered });
	return true;
}

static void names_identity(void)
{
	for (u8 c = 0; c < CPUS; c++)
		cpu_name[c] = c;
	for (u8 v = 0; v < VCPUS; v++)
		vcpu_name[v] = v;
}

static void names_permute(const struct perm *p)
{
	u8 c_new[CPUS], v_new[VCPUS];

	for (u32 c = 0; c < CPUS; c++)
		c_new[p->cpu[c]] = cpu_name[c];
	for (u32 v = 0; v < VCPUS; v++)
		v_new[p->vcpu[v]] = vcpu_name[v];
	memcpy(cpu_name, c_new, sizeof(c_new));
	memcpy(vcpu_name, v_new, sizeof(v_new));
}

static void print_event(u32 n, u32 from, u32 e, int inject)
{
	static const char *const has[] = {
		"",
		", with controls remembered of before a claim or flush",
		", with controls remembered of another CPTR_EL2",
		", with no controls remembered",
	};

	unpack(&states[from]);
	printf("  %2u. %s%s", n, event_text(&events[e]), has[remembered]);
	if (inject >= 0)
		printf(", interrupted by a host section at point %d", inject);
	putchar('\n');
}

/* Print the path to state i, then the event that went wrong. */
static void print_trace(u32 i, u32 e, int inject)
{
	u32 path[256], n = 0;
	u8 at_end = remembered;

	for (u32 at = i; at && n < ARRAY_SIZE(path); at = origins[at].parent)
		path[n++] = at;
	names_identity();
	names_permute(&perms[origins[0].perm]);
	for (u32 k = 0; k < n; k++) {
		const struct origin *o = &origins[path[n - 1 - k]];

		remembered = o->remembered;
		print_event(k + 1, o->parent, o->event, o->inject);
		names_permute(&perms[o->perm]);
	}
	remembered = at_end;
	print_event(n + 1, i, e, inject);
	step(i, e, inject); /* once more, with the names of the trace */
	printf("  violation: %s\n", model_why);
}

/*
 * Apply event e to state i, without a host section and with one at each point where one can come.
 * nidus's own chaos points exist only if one is to come.
 */
static bool try_event(u32 i, u32 e)
{
	int points = 0;

	for (int inject = -1; inject < points; inject++) {
		loop_ran = false;
		if (!step(i, e, inject)) {
			print_trace(i, e, inject);
			return false;
		}
		points = MAX(points, MAX(inject_seen, (int)loop_ran));
	}
	return true;
}

/* Apply all events that can follow state i; false: a violation. */
static bool expand(u32 i)
{
	for (u32 e = 0; e < event_count; e++) {
		u8 kinds;

		remembered = 0;
		unpack(&states[i]);
		if (!event_possible(&events[e]))
			continue;
		kinds = event_enters(&events[e]) && !setup->words ? REMEMBERED : 1;
		for (; remembered < kinds; remembered++)
			if (!try_event(i, e))
				return false;
	}
	return true;
}

static bool explore(const struct setup *s)
{
	struct state first;
	u8 perm;

	count = 0;
	table_size = 0;
	inject_at = -1;
	names_identity();
	if (setjmp(model_out)) {
		printf("%s: at boot\n  violation: %s\n", s->name, model_why);
		return false;
	}
	world_boot(s);
	make_perms();
	perm = pack(&first);
	insert(&first, (struct origin){ 0, -1, 0, perm, 0 });
	for (u32 i = 0; i < count; i++)
		if (!expand(i)) {
			printf("%s: %u states, then the above\n", s->name, count);
			return false;
		}
	printf("%s: %u states\n", s->name, count);
	return true;
}


int main(void)
{
	u64 total = 0;
	u32 violations = 0;

	for (u32 i = 0; i < ARRAY_SIZE(setups) && !violations; i++) {
		violations += !explore(&setups[i]);
		total += count;
	}
	printf("explorer: %lu states, %u violations\n", total, violations);
	return violations != 0;
}
