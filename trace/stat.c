/* SPDX-License-Identifier: Apache-2.0 */
/* nidus-stat: what exits cost, by level, class and cause, and who used the time. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define CAUSES_MAX 4096
#define SECOND_NS 1000000000UL

/* The exits of one kind and depth. */
struct cause {
	u32 vm, depth, class;
	bool reflected;
	char name[64];
	u64 count, nidus, max;	       /* number of exits, and their own time at EL2 */
	u64 rounds, total, l1, l2, in_nidus; /* time until their level continued, if it did */
};

struct account_sum {
	u64 count, ticks, min, max;
};

enum sort { SORT_TIME, SORT_COUNT, SORT_AVG, SORT_MAX };

struct stat {
	struct cause cause[CAUSES_MAX];
	u32 causes;
	u64 causes_lost;
	struct account_sum class[TRACE_VMS][2 * EXIT_CLASS_COUNT];
	/* of the last second, of depth 2 and more */
	u64 from, exits, cost, nidus, l1;
	bool nested; /* there were such exits at all */
	u32 recent[CAUSES_MAX];
};

static struct {
	enum sort sort;
	u32 top, level;
	bool json;
} options = { SORT_TIME, 10, 0, false };

/* ---- gathering ---- */

/*
 * Like exit_cause(), but accesses to RAM are not told apart by page, and of an ERET of L1 that did
 * not end in L2 it says why.
 */
static void name_cause(const struct trace_record *r, u32 depth, bool reflected, char name[64])
{
	u32 class = exit_class_of(r);
	char *at;

	exit_cause(r, name);
	if (class == EXIT_CLASS_ERET && depth == 1 && !name[0])
		strcpy(name, reflected ? "to L2, and back" : "within L1");
	at = strstr(name, " 0x");
	if ((class != EXIT_CLASS_DABT && class != EXIT_CLASS_IABT) || !at)
		return;
	if ((TRACE_HOW(r->what) & TRACE_VERDICT) == RESUME)
		strcpy(at, ", page mapped");
	else
		snprintf(at, 32, " 0x%" PRIx64 " + 2 MiB", r->data & ~0x1fffffUL);
}

static struct cause *cause_of(struct stat *s, const struct vcpu_model *v,
			      const struct trace_record *r, u32 depth, bool reflected)
{
	char name[64];

	name_cause(r, depth, reflected, name);
	for (u32 i = 0; i < s->causes; i++) {
		struct cause *c = &s->cause[i];

		if (c->vm == v->vm && c->depth == depth && c->class == exit_class_of(r) &&
		    c->reflected == reflected && !strcmp(c->name, name))
			return c;
	}
	if (s->causes == CAUSES_MAX) {
		s->causes_lost++;
		return NULL;
	}
	s->cause[s->causes] = (struct cause){ .vm = v->vm, .depth = depth,
					      .class = exit_class_of(r), .reflected = reflected };
	strcpy(s->cause[s->causes].name, name);
	return &s->cause[s->causes++];
}

static bool is_reflected(const struct vcpu_model *v, const struct trace_record *r)
{
	u32 how = TRACE_HOW(r->what);

	u32 verdict = how & TRACE_VERDICT;

	return verdict == REFLECT || verdict == REFLECT_ABORT || v->taken;
}

static void on_exit_record(struct model *m, struct vcpu_model *v, const struct trace_record *r,
			   u32 depth)
{
	struct stat *s = m->user;
	struct account_sum *a = &s->class[v->vm][TRACE_EVENT(r->what)];
	struct cause *c = cause_of(s, v, r, depth, is_reflected(v, r));
	u64 ticks = TRACE_TICKS(r->what);

	a->min = a->count ? MIN(a->min, ticks) : ticks;
	a->max = MAX(a->max, ticks);
	a->count++;
	a->ticks += ticks;
	s->nested |= depth > 1;
	if (!c)
		return;
	c->count++;
	c->nidus += ticks;
	c->max = MAX(c->max, ticks);
}

static void on_cost(struct model *m, struct vcpu_model *v, const struct cost *cost, u64 end)
{
	struct stat *s = m->user;
	struct cause *c = cause_of(s, v, cost->cause, cost->depth,
				   cost->reflected || is_reflected(v, cost->cause));
	u64 total = end - cost->start - cost->asleep;

	if (c) {
		c->rounds++;
		c->total += total;
		c->in_nidus += cost->nidus;
		c->l1 += cost->guest[1];
		c->l2 += cost->guest[2];
	}
	if (cost->start < s->from)
		return;
	s->exits++;
	s->cost += total;
	s->nidus += cost->nidus;
	s->l1 += cost->guest[1];
	if (c)
		s->recent[c - s->cause]++;
}

/* ---- nidus's own table, from the records ---- */

struct us {
	u64 whole;
	u32 cents;
};

static struct us to_us(const struct trace *t, u64 ticks)
{
	u64 hz = t->area.hz, s = ticks / hz, rest = (ticks % hz * 100000000 + hz / 2) / hz;

	return (struct us){ s * 1000000 + rest / 100, (u32)(rest % 100) };
}

static u32 per_10000(u64 part, u64 whole)
{
	while (whole > ~0UL / 20000) {
		whole >>= 1;
		part >>= 1;
	}
	return whole ? (u32)((MIN(part, whole) * 10000 + whole / 2) / whole) : 0;
}

static void print_class(const struct trace *t, u32 class, const struct account_sum *c,
			const struct account_sum *all)
{
	u32 samples = per_10000(c->count, all->count), time = per_10000(c->ticks, all->ticks);
	struct us min = to_us(t, c->min), max = to_us(t, c->max), avg = to_us(t, c->ticks / c->count);

	printf("%10s %10" PRIu64 " %5u.%02u%% %5u.%02u%% %8" PRIu64 ".%02uus %8" PRIu64
	       ".%02uus %8" PRIu64 ".%02uus %14" PRIu64 "\n",
	       class_name(class), c->count, samples / 100, samples % 100, time / 100, time % 100,
	       min.whole, min.cents, max.whole, max.cents, avg.whole, avg.cents, c->ticks);
}

static void print_level(const struct trace *t, const struct stat *s, u32 vm, u32 level)
{
	const struct account_sum *class = &s->class[vm][level * EXIT_CLASS_COUNT];
	struct account_sum all = { 0 };
	bool done[EXIT_CLASS_COUNT] = { false };
	struct us sum;
	char name[32];

	for (u32 c = 0; c < EXIT_CLASS_COUNT; c++) {
		all.count += class[c].count;
		all.ticks += class[c].ticks;
	}
	if (level && !all.count)
		return;
	printf("Exits of vm %u %s, L%u, all vcpus:\n", vm + 1, vm_name(t, vm, name), level + 1);
	printf("%10s %10s %9s %9s %13s %13s %13s %14s\n", "VM-EXIT", "Samples", "Samples%", "Time%",
	       "Min Time", "Max Time", "Avg time", "Ticks");
	for (;;) {
		u32 best = EXIT_CLASS_COUNT;

		for (u32 c = 0; c < EXIT_CLASS_COUNT; c++)
			if (class[c].count && !done[c] &&
			    (best == EXIT_CLASS_COUNT || class[c].ticks > class[best].ticks))
				best = c;
		if (best == EXIT_CLASS_COUNT)
			break;
		done[best] = true;
		print_class(t, best, &class[best], &all);
	}
	sum = to_us(t, all.ticks);
	printf("Total Samples:%" PRIu64 ", Total events handled time:%" PRIu64 ".%02uus.\n",
	       all.count, sum.whole, sum.cents);
}

static void print_vcpu(const struct trace *t, u32 index, const struct vcpu_model *v)
{
	u64 exits = 0, guest;
	struct us us;

	for (u32 d = 0; d <= DEPTH_MAX; d++)
		exits += v->nidus[d];
	guest = v->run > exits ? v->run - exits : 0;
	us = to_us(t, guest);
	printf("vcpu %u: guest %" PRIu64 ".%02uus (%" PRIu64 " ticks), %" PRIu64 " loads, %" PRIu64
	       " interrupts injected\n",
	       index, us.whole, us.cents, guest, v->loads, v->irqs);
	printf("vcpu %u: SIMD %" PRIu64 " claims, %" PRIu64 " flushes, %" PRIu64 " bytes, %" PRIu64
	       " host sections\n",
	       index, v->claims, v->flushes, v->bytes, v->host_sections);
}

static void print_nested(const struct model *m, u32 vm)
{
	u64 switches = 0, bytes = 0, erets = 0;
	char name[32];

	for (u32 i = 0; i < 16; i++) {
		erets += m->vcpu[vm][i].local_erets;
		switches += 2 * m->vcpu[vm][i].level_entries;
		bytes += m->vcpu[vm][i].level_bytes;
	}
	if (switches || erets)
		printf("vm %u %s: %" PRIu64 " level switches, %" PRIu64
		       " bytes of SIMD state moved by them (%" PRIu64 " per switch)\n",
		       vm + 1, vm_name(m->t, vm, name), switches, bytes,
		       switches ? bytes / switches : 0);
}

static bool vm_known(const struct model *m, u32 vm)
{
	for (u32 i = 0; i < 16; i++)
		if (m->vcpu[vm][i].known)
			return true;
	return false;
}

static void print_vm(const struct model *m, const struct stat *s, u32 vm)
{
	for (u32 level = 0; level < 2; level++)
		if (!options.level || options.level == level + 1)
			print_level(m->t, s, vm, level);
	print_nested(m, vm);
	for (u32 i = 0; i < 16; i++)
		if (m->vcpu[vm][i].known || i < m->t->area.vm[vm].vcpus)
			print_vcpu(m->t, i, &m->vcpu[vm][i]);
}

/* ---- one step deeper ---- */

static u64 rank(const struct cause *c)
{
	switch (options.sort) {
	case SORT_COUNT:
		return c->count;
	case SORT_AVG:
		return (c->rounds ? c->total : c->nidus) / c->count;
	case SORT_MAX:
		return c->max;
	case SORT_TIME:
		break;
	}
	return MAX(c->total, c->nidus);
}

static int by_rank(const void *a, const void *b)
{
	u64 x = rank(*(const struct cause *const *)a), y = rank(*(const struct cause *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static u32 sorted(struct stat *s, struct cause **order)
{
	u32 n = 0;

	for (u32 i = 0; i < s->causes; i++)
		if (!options.level || s->cause[i].depth == options.level)
			order[n++] = &s->cause[i];
	qsort(order, n, sizeof(*order), by_rank);
	return n;
}

static double avg_us(const struct trace *t, u64 ticks, u64 count)
{
	return count ? us_of(t, ticks) / (double)count : 0;
}

static void print_causes(const struct trace *t, struct stat *s)
{
	static struct cause *order[CAUSES_MAX];
	u32 n = sorted(s, order);
	char vm[32];

	printf("\nBy cause, the first %u of %u. Avg and Max: at EL2 by itself; Round: until its level "
	       "goes on, of which nidus, L1, L2:\n", MIN(n, options.top), n);
	printf("%-10s %2s %-9s %-28s %-9s %9s %9s %9s %10s %9s %9s %9s\n", "VM", "L", "VM-EXIT",
	       "Cause", "Verdict", "Samples", "Avg us", "Max us", "Round us", "nidus", "L1", "L2");
	for (u32 i = 0; i < MIN(n, options.top); i++) {
		const struct cause *c = order[i];

		printf("%-10.10s %2u %-9s %-28.28s %-9s %9" PRIu64 " %9.2f %9.2f %10.2f %9.2f %9.2f "
		       "%9.2f\n", vm_name(t, c->vm, vm), c->depth, class_name(c->class), c->name,
		       c->reflected ? "reflected" : "handled", c->count, avg_us(t, c->nidus, c->count),
		       us_of(t, c->max), avg_us(t, c->total, c->rounds),
		       avg_us(t, c->in_nidus, c->rounds), avg_us(t, c->l1, c->rounds),
		       avg_us(t, c->l2, c->rounds));
	}
	if (s->causes_lost)
		printf("(%" PRIu64 " exits of further causes)\n", s->causes_lost);
}

/* Who had the time of a VM's vcpus: ticks. */
struct times {
	u64 nidus, guest[DEPTH_MAX + 1], for_nested, all;
};

static struct times times_of(const struct model *m, u32 vm)
{
	struct times s = { 0 };

	for (u32 i = 0; i < 16; i++) {
		const struct vcpu_model *v = &m->vcpu[vm][i];

		s.for_nested += v->for_nested;
		for (u32 d = 1; d <= DEPTH_MAX; d++) {
			s.nidus += v->nidus[d];
			s.guest[d] += v->guest[d];
			s.all += v->nidus[d] + v->guest[d];
		}
	}
	return s;
}

static void print_times(const struct model *m, u32 vm)
{
	struct times s = times_of(m, vm);
	char name[32];

	if (!s.all)
		return;
	printf("\nTime of vm %u %s, all vcpus: %.0f us; nidus %.2f%%", vm + 1,
	       vm_name(m->t, vm, name), us_of(m->t, s.all),
	       100.0 * (double)s.nidus / (double)s.all);
	for (u32 d = 1; d <= DEPTH_MAX; d++)
		if (s.guest[d])
			printf(", L%u %.2f%%", d, 100.0 * (double)s.guest[d] / (double)s.all);
	if (s.for_nested)
		printf(" (of L1's, on behalf of L2: %.2f%%)",
		       100.0 * (double)s.for_nested / (double)s.all);
	printf("\n");
}

/* The most frequent cause of the last second; NULL: there was no exit that ended. */
static const struct cause *recent_cause(const struct stat *s, u32 *count)
{
	const struct cause *c = NULL;

	*count = 0;
	for (u32 i = 0; i < s->causes; i++)
		if (s->recent[i] > *count) {
			*count = s->recent[i];
			c = &s->cause[i];
		}
	return c;
}

static void print_second(const struct trace *t, const struct stat *s)
{
	u32 best;
	const struct cause *c = recent_cause(s, &best);

	if (!c) {
		if (s->nested)
			printf("\nIn the last second no exit of L2 ended.\n");
		return;
	}
	printf("\nOf the last second an L2 exit cost %.2f us, of which nidus %.2f, L1 %.2f; the most "
	       "frequent cause is %s %s (%.0f%% of %" PRIu64 ").\n",
	       avg_us(t, s->cost, s->exits), avg_us(t, s->nidus, s->exits),
	       avg_us(t, s->l1, s->exits), class_name(c->class), c->name,
	       100.0 * best / (double)s->exits, s->exits);
}

static void print_lost(const struct trace *t)
{
	for (u32 i = 0; i < t->area.cpus; i++)
		if (t->cpu[i].lost)
			printf("\nCPU %u: %" PRIu64 " records lost: all sums are too small.\n", i,
			       t->cpu[i].lost);
}

/* ---- JSON ---- */

static void json_cause(const struct trace *t, const struct cause *c, bool last)
{
	char vm[32];

	printf("  {\"vm\": \"%s\", \"level\": %u, \"exit\": \"%s\", \"cause\": \"%s\", \"reflected\": %s, "
	       "\"count\": %" PRIu64 ", \"nidus_us\": %.3f, \"max_us\": %.3f, \"rounds\": %" PRIu64
	       ", \"round_us\": %.3f, \"round_nidus_us\": %.3f, \"round_l1_us\": %.3f, "
	       "\"round_l2_us\": %.3f}%s\n",
	       vm_name(t, c->vm, vm), c->depth, class_name(c->class), c->name,
	       c->reflected ? "true" : "false", c->count, us_of(t, c->nidus), us_of(t, c->max),
	       c->rounds, us_of(t, c->total), us_of(t, c->in_nidus), us_of(t, c->l1),
	       us_of(t, c->l2), last ? "" : ",");
}

/* The same of times and of the last second as without --json. */
static void json_times(const struct model *m)
{
	const char *comma = "";
	char name[32];

	printf("], \"time\": [");
	for (u32 vm = 0; vm < TRACE_VMS; vm++) {
		struct times s = times_of(m, vm);

		if (!s.all)
			continue;
		printf("%s\n  {\"vm\": \"%s\", \"all_us\": %.3f, \"nidus_us\": %.3f", comma,
		       vm_name(m->t, vm, name), us_of(m->t, s.all), us_of(m->t, s.nidus));
		for (u32 d = 1; d <= DEPTH_MAX; d++)
			if (s.guest[d])
				printf(", \"l%u_us\": %.3f", d, us_of(m->t, s.guest[d]));
		printf(", \"l1_for_l2_us\": %.3f}", us_of(m->t, s.for_nested));
		comma = ",";
	}
}

static void json_second(const struct trace *t, const struct stat *s)
{
	u32 best;
	const struct cause *c = recent_cause(s, &best);

	printf("\n], \"last_second\": ");
	if (c)
		printf("{\"exits\": %" PRIu64
		       ", \"exit_us\": %.3f, \"nidus_us\": %.3f, \"l1_us\": %.3f, "
		       "\"exit\": \"%s\", \"cause\": \"%s\", \"count\": %u}}\n",
		       s->exits, avg_us(t, s->cost, s->exits), avg_us(t, s->nidus, s->exits),
		       avg_us(t, s->l1, s->exits), class_name(c->class), c->name, best);
	else
		printf("null}\n");
}

static void print_json(const struct model *m, struct stat *s)
{
	static struct cause *order[CAUSES_MAX];
	u32 n = MIN(sorted(s, order), options.top);
	u64 lost = 0;

	for (u32 i = 0; i < m->t->area.cpus; i++)
		lost += m->t->cpu[i].lost;
	printf("{\"hz\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"causes\": [\n", m->t->area.hz, lost);
	for (u32 i = 0; i < n; i++)
		json_cause(m->t, order[i], i + 1 == n);
	json_times(m);
	json_second(m->t, s);
}

/* ---- main ---- */

static void usage(FILE *out)
{
	fprintf(out,
		"usage: nidus-stat [--sort time|count|avg|max] [--top N] [--level N] [--json] FILE\n"
		"What exits cost, from a trace (nidus-run --trace FILE, or a console's log with a dump).\n"
		"Status: 0; 1 nothing could be read; 3 the trace is damaged, and what there is of it was used.\n");
}

static bool set_sort(const char *s)
{
	static const char *const names[] = { "time", "count", "avg", "max" };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(s, names[i])) {
			options.sort = (enum sort)i;
			return true;
		}
	fprintf(stderr, "nidus-stat: --sort wants time, count, avg or max, not \"%s\"\n", s);
	return false;
}

/* A number from least to most; else what is wrong is said. */
static bool set_number(const char *option, const char *s, u32 least, u32 most, u32 *value)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || v < least || v > most) {
		fprintf(stderr, "nidus-stat: --%s wants %u to %u, not \"%s\"\n", option, least, most, s);
		return false;
	}
	*value = (u32)v;
	return true;
}

static bool parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "sort", required_argument, NULL, 's' }, { "top", required_argument, NULL, 't' },
		{ "level", required_argument, NULL, 'l' }, { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },	   { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1)
		switch (c) {
		case 's':
			if (!set_sort(optarg))
				return false;
			break;
		case 't':
			if (!set_number("top", optarg, 0, CAUSES_MAX, &options.top))
				return false;
			break;
		case 'l':
			if (!set_number("level", optarg, 1, DEPTH_MAX, &options.level))
				return false;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return false;
		}
	return optind + 1 == argc;
}

/* The last second of the trace begins here. */
static u64 last_second(struct trace *t)
{
	u64 last = 0;

	for (u32 i = 0; i < t->area.cpus; i++)
		if (t->cpu[i].count)
			last = MAX(last, trace_written(&t->cpu[i].record[t->cpu[i].count - 1]));
	return last > t->area.hz ? last - t->area.hz : 0;
}

int stat_main(int argc, char **argv)
{
	static const struct listener listener = { .exit = on_exit_record, .cost = on_cost };
	static struct trace t;
	static struct model m;
	static struct stat s;

	if (!parse(argc, argv)) {
		usage(stderr);
		return 1;
	}
	if (!trace_read(&t, argv[optind]))
		return 1;
	s.from = last_second(&t);
	model_run(&m, &t, &listener, &s);
	if (options.json) {
		print_json(&m, &s);
		return !trace_flush(stdout, NULL) ? 1 : t.damaged ? 3 : 0;
	}
	for (u32 vm = 0; vm < TRACE_VMS; vm++)
		if (vm_known(&m, vm))
			print_vm(&m, &s, vm);
	print_causes(&t, &s);
	for (u32 vm = 0; vm < TRACE_VMS; vm++)
		print_times(&m, vm);
	print_second(&t, &s);
	print_lost(&t);
	return !trace_flush(stdout, NULL) ? 1 : t.damaged ? 3 : 0;
}
