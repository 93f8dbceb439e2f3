// SPDX-License-Identifier: Apache-2.0
/*
 * Runs programs in full, finds the step that differs, and leaves out steps while one still differs.
 */
#include "diff.h"

#define ENDED " the guest ended here"
#define CANDIDATES 48 /* masks of a program that are tried in one boot */

struct trial {
	u64 number;
	unsigned mask;
	char *line[2][STEPS_MAX];
	unsigned steps[2]; /* the mask that the guest reports */
	bool differs;
	int first;
};

static void trial_free(struct trial *t)
{
	for (int w = 0; w < 2; w++)
		for (int i = 0; i < STEPS_MAX; i++)
			free(t->line[w][i]);
}

/* Put one side's output into the trials, which are in the list's order. */
static void read_lines(enum who who, char *s, struct trial *t, unsigned count)
{
	struct trial *now = NULL;
	unsigned next = 0, mask;
	u64 number;

	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n")) {
		bool head = *line == '+';
		struct text t2 = { 0 };
		char *end;
		long step;

		if (sscanf(line, "V %llx %x", &number, &mask) == 2) {
			while (next < count && t[next].number != number)
				next++;
			now = next < count ? &t[next++] : NULL;
			if (now)
				now->steps[who] = mask;
			continue;
		}
		step = strtol(line + head, &end, 10);
		if (!now || end == line + head || *end != ' ' || step < 0 || step >= STEPS_MAX)
			continue;
		/* Of a step in which the guest ended only the head was printed. */
		text_add(&t2, "%s%s", line + head, head ? ENDED : "");
		free(now->line[who][step]);
		now->line[who][step] = t2.s;
	}
}

/*
 * A line is what the step does, a bar, and what it observed. past: what the steps before did, a
 * line each, to which this step's is added.
 */
static bool line_differs(const char *lane, struct text *past, const char *bare, const char *nidus)
{
	const char *a = bare ? bare : "", *b = nidus ? nidus : "";
	char head[1024];
	size_t n = strcspn(*a ? a : b, "|");

	snprintf(head, sizeof(head), "%.*s", (int)(n < 1000 ? n : 1000), *a ? a : b);
	text_add(past, "%s\n", head);
	if (strstr(a, ENDED) || strstr(b, ENDED))
		return true;
	if (bare && nidus && !strcmp(a, b))
		return false;
	return !rules_explain(lane, past->s, head, a + (*a ? n + 1 : 0), b + (*b ? n + 1 : 0));
}

static void judge(const char *lane, struct trial *t)
{
	unsigned all = t->steps[BARE] | t->steps[NIDUS];
	struct text past = { 0 };

	t->first = -1;
	for (int i = 0; i < STEPS_MAX && t->first < 0; i++)
		if (all >> i & 1 && line_differs(lane, &past, t->line[BARE][i], t->line[NIDUS][i]))
			t->first = i;
	free(past.s);
	t->differs = t->first >= 0;
}

/*
 * Run all; a guest that ends early is started again with the program after the one that ended it.
 */
static void run_side(enum who who, const char *lane, struct trial *t, unsigned count)
{
	unsigned from = 0;

	while (from < count) {
		struct text list = { 0 }, out = { 0 };
		unsigned i;

		for (i = from; i < count; i++)
			text_add(&list, "v %llx %x\n", t[i].number, t[i].mask);
		if (boot(who, lane, &list, &out))
			i = count;
		read_lines(who, out.s, t + from, count - from);
		if (i != count || !strstr(out.s, "diff: done"))
			for (i = count; i > from && !t[i - 1].steps[who]; i--)
				;
		free(list.s);
		free(out.s);
		if (i == from)
			die("%s: %s: the guest does not begin", lane, who_name[who]);
		from = i;
	}
}

static void run(const char *lane, struct trial *t, unsigned count)
{
	run_side(BARE, lane, t, count);
	run_side(NIDUS, lane, t, count);
	for (unsigned i = 0; i < count; i++)
		judge(lane, &t[i]);
}

static void take(struct reduction *r, struct trial *t)
{
	memcpy(r->line, t->line, sizeof(r->line));
	memset(t->line, 0, sizeof(t->line));
	r->first = t->first;
	r->mask = t->steps[BARE] | t->steps[NIDUS];
}

void reduce_first(const char *lane, struct reduction *r, unsigned count)
{
	struct trial *t = calloc(count, sizeof(*t));

	for (unsigned i = 0; i < count; i++) {
		t[i].number = r[i].number;
		t[i].mask = r[i].mask;
	}
	run(lane, t, count);
	for (unsigned i = 0; i < count; i++) {
		r[i].same = !t[i].differs;
		take(&r[i], &t[i]);
	}
	free(t);
}

/*
 * Masks that leave out more of r: each single step, and runs of half, a quarter, an eighth of the
 * steps.
 */
static unsigned candidates(const struct reduction *r, unsigned *mask)
{
	unsigned bits[STEPS_MAX], n = 0, count = 0;

	/* Steps behind the one that differs do not matter. */
	for (unsigned i = 0; i <= (unsigned)r->first; i++)
		if (r->mask >> i & 1)
			bits[n++] = i;
	for (unsigned size = n / 2; size; size /= 2) {
		for (unsigned at = 0; at < n && count < CANDIDATES; at += size) {
			unsigned m = 0;

			for (unsigned i = 0; i < n; i++)
				if (i < at || i >= at + size)
					m |= 1u << bits[i];
			if (m)
				mask[count++] = m;
		}
	}
	return count;
}

static unsigned bits_of(unsigned m)
{
	return (unsigned)__builtin_popcount(m);
}

void reduce(const char *lane, struct reduction *r, unsigned count)
{
	struct trial *t = calloc(count * CANDIDATES + 1, sizeof(*t));
	bool progress = count > 0;

	while (progress) {
		unsigned total = 0, at[64], n[64], mask[CANDIDATES];

		for (unsigned i = 0; i < count; i++) {
			at[i] = total;
			n[i] = r[i].same ? 0 : candidates(&r[i], mask);
			for (unsigned j = 0; j < n[i]; j++)
				t[total++] =
					(struct trial){ .number = r[i].number, .mask = mask[j] };
		}
		run(lane, t, total);
		progress = false;
		for (unsigned i = 0; i < count; i++) {
			struct trial *best = NULL;

			for (unsigned j = 0; j < n[i]; j++) {
				struct trial *c = &t[at[i] + j];

				if (c->differs &&
				    bits_of(c->mask) < bits_of(best ? best->mask : r[i].mask))
					best = c;
			}
			if (best) {
				take(&r[i], best);
				progress = true;
			} else {
				r[i].same = true; /* it cannot be made shorter */
			}
		}
		for (unsigned i = 0; i < total; i++)
			trial_free(&t[i]);
	}
	free(t);
}
