/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breadth-first search over all interleavings of the deep model's events, to a fixed point.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "guests.h"
#include "setups.h"
#include "state.h"
#include "arch/simd.h"

/* ---- events ---------------------------------------------------------------------------------- */

enum moves { MOVE_NOTHING, MOVE_USE, MOVE_B, MOVE_OTHER };

static void ev_nothing(void)
{
	m.pc = CODE(now);
	guest_exit(EXIT_IRQ, 0);
}

static void ev_host(void)
{
	action[L0] = ACT_HOST;
	m.pc = CODE(now);
	guest_exit(EXIT_IRQ, 0);
}

static void ev_b(void)
{
	b_uses = true;
	action[L0] = ACT_RESCHED;
	m.pc = CODE(now);
	guest_exit(EXIT_IRQ, 0);
}

static void ev_irq(void)
{
	action[L0] = ACT_TO_VEL2;
	m.pc = CODE(now);
	guest_exit(EXIT_IRQ, 0);
}

static void ev_other(void)
{
	action[L1] = ACT_RESCHED;
	ev_irq();
}

static void ev_sm(void)
{
	guest_svcr(SVCR_SM);
}
static void ev_za(void)
{
	guest_svcr(SVCR_ZA);
}

static bool is_l2(void)
{
	return now == WHO_L2;
}
static bool is_l3(void)
{
	return now == WHO_L3;
}
static bool is_any(void)
{
	return true;
}
static bool is_two(void)
{
	return setup->two;
}
static bool has_sve(void)
{
	return now != WHO_W && setup->vl1 && setup->vl[G_V];
}
static bool has_sme(void)
{
	return now != WHO_W && setup->svl1 && setup->svl[G_V];
}
static bool has_lengths(void)
{
	return has_sve() && (is_l2() ? setup->len2 : setup->len3);
}
static bool is_l2_zcr(void)
{
	return is_l2() && has_lengths();
}
static bool is_l2_smcr(void)
{
	return is_l2() && has_sme() && setup->smcr;
}
static bool is_l2_len3(void)
{
	return is_l2() && has_sve() && setup->len3;
}
static bool is_l2_cptr(void)
{
	return is_l2() && setup->cptrs > 1;
}
static bool is_l2_words(void)
{
	return is_l2() && setup->words;
}

static const struct kind {
	const char *text;
	bool (*possible)(void);
	void (*apply)(void);
	enum moves moves;
} kinds[] = {
	{ "writes its SIMD registers", is_any, guest_use, MOVE_USE },
	{ "switches streaming mode", has_sme, ev_sm, MOVE_USE },
	{ "switches ZA on or off", has_sme, ev_za, MOVE_USE },
	{ "changes ZCR_ELx and SMCR_ELx of its level", has_lengths, guest_lengths, MOVE_USE },
	{ "returns to L3", is_l2, l2_eret, MOVE_NOTHING },
	{ "makes a hypercall", is_l3, l3_hvc, MOVE_NOTHING },
	{ "changes CPTR_EL2", is_l2_cptr, l2_cptr, MOVE_NOTHING },
	{ "reads and changes ZCR_EL2", is_l2_zcr, l2_zcr, MOVE_NOTHING },
	{ "reads and changes SMCR_EL2", is_l2_smcr, l2_smcr, MOVE_NOTHING },
	{ "changes L3's ZCR_EL1 and SMCR_EL1", is_l2_len3, l2_lengths_of_l3, MOVE_NOTHING },
	{ "changes another trap of L3's", is_l2_words, l2_trap, MOVE_NOTHING },
	{ "accesses registers of EL2", is_l2, l2_registers, MOVE_NOTHING },
	{ "accesses registers of EL2, and what L2 may trap", is_l3, l3_registers, MOVE_NOTHING },
	{ "executes what is UNDEFINED", is_any, guest_undefined, MOVE_NOTHING },
	{ "is interrupted: l1's interrupt", is_any, ev_irq, MOVE_NOTHING },
	{ "is interrupted: l1 runs the other vcpu", is_two, ev_other, MOVE_OTHER },
	{ "is interrupted: an interrupt of l0's", is_any, ev_nothing, MOVE_NOTHING },
	{ "is interrupted: l0 uses SIMD", is_any, ev_host, MOVE_B },
	{ "is interrupted: l0 runs B, which uses SIMD", is_any, ev_b, MOVE_B },
};

/* ---- needless or missing moves --------------------------------------------------------------- */

struct before {
	bool live[NIDUS][2];
	u64 now;
};

static void check_move(const char *what, u8 have, bool want)
{
	if (have != want)
		model_fail("%s %u times, %u expected", what, have, want);
}

static bool streams(u32 g)
{
	return truth[g].d.svcr & SVCR_SM;
}

/*
 * Moves that may happen without an external interrupt. A use of SIMD: what was not live at a level
 * is loaded there, if the instruction was executed (it is live now). B's turn, or a host section:
 * l1's registers are written back, and loaded again at once only in streaming mode.
 */
static void check_moves(const struct before *b, enum moves moves)
{
	u32 g = guest_of((enum who)b->now), to = guest_of(now);
	bool used = moves == MOVE_USE, out = moves == MOVE_B, other = moves == MOVE_OTHER;
	bool l1_moved = other && (b->live[L1][g] || streams(to));
	bool b_ran = loads[L0][1];

	check_move("l1 loads W or V", loads[L1][g], used && !b->live[L1][g] && live(L1, g));
	check_move("l1 saves W or V", saves[L1][g], other && b->live[L1][g]);
	if (g != to)
		check_move("l1 loads the other", loads[L1][to], streams(to));
	check_move("l0 saves l1", saves[L0][0], out && b->live[L0][0]);
	check_move("l0 loads l1", loads[L0][0],
		   (used && !b->live[L0][0] && live(L0, 0)) || (out && streams(g)) ||
			   (l1_moved && !b->live[L0][0]));
	check_move("l0 saves B", saves[L0][1], b_ran);
}

static void check_few_moves(void)
{
	for (u32 n = 0; n < NIDUS; n++)
		for (u32 v = 0; v < 2; v++)
			if (loads[n][v] > 2 || saves[n][v] > 2)
				model_fail("l%u moves vcpu %u's state more than once", n, v);
}

/* ---- the set of states seen ------------------------------------------------------------------ */

/* How a state was first reached. */
struct origin {
	u32 parent;
	u8 event, mode;
	s8 at;
};

static u8 *states; /* `stride` bytes for each state: as many as differ, rounded up */
static struct origin *origins;
static u32 *table;
static u32 count, capacity, table_size, stride;

static u64 hash(const u8 *s)
{
	u64 h = 0, w;

	for (u32 i = 0; i < stride; i += 8) {
		memcpy(&w, s + i, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15UL;
		h ^= h >> 29;
	}
	return h;
}

static void *must(void *p)
{
	if (p)
		return p;
	fprintf(stderr, "deep: no memory for %u states\n", count);
	exit(2);
}

static void rehash(u32 size)
{
	free(table);
	table_size = size;
	table = must(calloc(size, sizeof(*table)));
	for (u32 i = 0; i < count; i++) {
		u64 h = hash(states + (size_t)i * stride);

		while (table[h & (size - 1)])
			h++;
		table[h & (size - 1)] = i + 1;
	}
}

/*
 * Make room for more words in each state: they are 0, because all states so far have their first
 * value.
 */
static void widen(void)
{
	u32 was = stride;
	u8 *wide;

	stride = (u32)ALIGN_UP(live_count + 16, 32U);
	wide = must(calloc(MAX(capacity, 1U), stride));
	for (u32 i = 0; i < count; i++)
		memcpy(wide + (size_t)i * stride, states + (size_t)i * was, was);
	free(states);
	states = wide;
	rehash(table_size);
}

static void grow(void)
{
	u32 was = capacity;

	capacity = capacity ? capacity * 2 : 1U << 12;
	states = must(realloc(states, (size_t)capacity * stride));
	memset(states + (size_t)was * stride, 0, (size_t)(capacity - was) * stride);
	origins = must(realloc(origins, capacity * sizeof(*origins)));
}

static void insert(const struct state *s, struct origin o)
{
	u64 h;

	if (live_count > stride)
		widen();
	if (count * 2 >= table_size)
		rehash(table_size * 2);
	for (h = hash(s->value); table[h & (table_size - 1)]; h++)
		if (!memcmp(states + (size_t)(table[h & (table_size - 1)] - 1) * stride, s->value,
			    stride))
			return;
	if (count == capacity)
		grow();
	memcpy(states + (size_t)count * stride, s->value, stride);
	origins[count] = o;
	table[h & (table_size - 1)] = ++count;
}

static void restore(u32 i)
{
	struct state s;

	memset(&s, 0, sizeof(s));
	memcpy(s.value, states + (size_t)i * stride, stride);
	state_unpack(&s);
}

/* ---- the search ------------------------------------------------------------------------------ */

static struct before before(void)
{
	struct before b = { .now = now };

	for (u32 n = 0; n < NIDUS; n++)
		for (u32 v = 0; v < 2; v++)
			b.live[n][v] = live(n, v);
	return b;
}

static void happen(const struct origin *o)
{
	struct before b;

	mode = o->mode;
	inject_at = o->at;
	world_begin();
	b = before();
	kinds[o->event].apply();
	m.pc = CODE(now);
	if (mode <= MODE_FULL)
		check_moves(&b, kinds[o->event].moves);
	else
		check_few_moves();
	state_forget();
	world_check();
}

/* Apply one event to state i; false: a violation. */
static bool step(const struct origin *o)
{
	struct state s;

	restore(o->parent);
	if (setjmp(model_out))
		return false;
	happen(o);
	state_pack(&s);
	insert(&s, *o);
	return true;
}

static void print_event(u32 n, const struct origin *o)
{
	static const char *const text[MODES] = {
		"",
		", no fast paths",
		", host section of l1's at its point",
		", host section of l0's at its point",
		", B's turn at l1's instruction",
	};
	static const char *const who[] = { "", "", "L2", "L3", "W" };

	restore(o->parent);
	printf("  %u. %s %s%s", n, who[now], kinds[o->event].text, text[o->mode]);
	if (o->mode > MODE_FULL)
		printf(" %d", o->at);
	printf("\n");
}

static u32 print_path(u32 i)
{
	u32 n = 0;

	if (i)
		n = print_path(origins[i].parent);
	if (i)
		print_event(++n, &origins[i]);
	return n;
}

static bool try_mode(struct origin o)
{
	for (o.at = 0; o.mode <= MODE_FULL || inject_seen >= o.at || !o.at; o.at++) {
		char why[sizeof(model_why)];

		if (!step(&o)) {
			memcpy(why, model_why, sizeof(why));
			printf("%s:\n", setup->name);
			print_event(print_path(o.parent) + 1, &o);
			printf("  violation: %s\n", why);
			return false;
		}
		if (o.mode <= MODE_FULL || inject_seen <= o.at)
			break;
	}
	return true;
}

/* Apply all events that can follow state i; false: a violation. */
static bool expand(u32 i)
{
	for (u8 e = 0; e < ARRAY_SIZE(kinds); e++) {
		restore(i);
		if (!kinds[e].possible())
			continue;
		for (u8 way = 0; way < MODES; way++)
			if (!try_mode((struct origin){ i, e, way, 0 }))
				return false;
	}
	return true;
}

static bool explore(const struct setup *s)
{
	struct state first;

	count = 0;
	if (setjmp(model_out)) {
		printf("%s: at boot\n  violation: %s\n", s->name, model_why);
		return false;
	}
	world_boot(s);
	m.pc = CODE(now);
	state_forget();
	world_check();
	states_begin();
	stride = 32;
	capacity = 0;
	free(states);
	states = NULL;
	rehash(1U << 12);
	state_pack(&first);
	insert(&first, (struct origin){ 0, 0, 0, -1 });
	for (u32 i = 0; i < count; i++)
		if (!expand(i)) {
			printf("%s: %u states, then the above\n", s->name, count);
			return false;
		}
	printf("%s: %u states (%u words differ)\n", s->name, count, live_count);
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	u64 total = 0;
	u32 violations = 0;

	for (u32 i = 0; i < ARRAY_SIZE(setups) && !violations; i++) {
		if (argc > 1 && i != (u32)atoi(argv[1]))
			continue;
		violations += !explore(&setups[i]);
		total += count;
	}
	printf("deep: %lu states, %u violations\n", total, violations);
	return violations != 0;
}
