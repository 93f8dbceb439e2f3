// SPDX-License-Identifier: Apache-2.0
/* Prints the differences: the shortest program of each kind, and how many there are of the kind. */
#include "diff.h"

#include <ctype.h>

#define KINDS_MAX 200

static struct kind {
	char *signature;
	char *lane;
	struct reduction r;
	unsigned count;
} kinds[KINDS_MAX];
static unsigned count, more;

/* The step that differs without its numbers. */
static char *signature_of(const struct reduction *r)
{
	struct text t = { 0 };

	for (int w = 0; w < 2; w++) {
		const char *s = r->line[w][r->first];

		for (s = s ? s + 3 : "nothing"; *s; s++) {
			if (isxdigit((unsigned char)*s) &&
			    (isdigit((unsigned char)*s) || strchr("=# ", s[-1]) ||
			     isdigit((unsigned char)s[-1])))
				text_add(&t, "%s", t.len && t.s[t.len - 1] == '#' ? "" : "#");
			else
				text_add(&t, "%c", *s);
		}
		text_add(&t, "\n");
	}
	return t.s;
}

void report(const char *lane, const struct reduction *r)
{
	char *s = signature_of(r);

	for (unsigned i = 0; i < count; i++) {
		if (strcmp(kinds[i].signature, s) || strcmp(kinds[i].lane, lane))
			continue;
		kinds[i].count++;
		if (__builtin_popcount(r->mask) < __builtin_popcount(kinds[i].r.mask))
			kinds[i].r = *r;
		free(s);
		return;
	}
	if (count == KINDS_MAX) {
		more++;
		return;
	}
	kinds[count++] = (struct kind){ s, strdup(lane), *r, 1 };
}

/* What a step observed, behind the bar. */
static const char *seen(const char *line)
{
	const char *bar = line ? strchr(line, '|') : NULL;

	return bar ? bar + 1 : " nothing";
}

static void print_step(const struct reduction *r, int i)
{
	const char *a = r->line[BARE][i], *b = r->line[NIDUS][i], *any = a ? a : b;

	if (!any)
		return;
	printf("  %.*s\n", (int)strcspn(any, "|"), any);
	if (a && b && !strcmp(a, b)) {
		printf("       both: %s\n", seen(a));
		return;
	}
	printf("       bare: %s\n", seen(a));
	printf("       nidus:%s\n", seen(b));
}

void report_all(void)
{
	for (unsigned i = 0; i < count; i++) {
		const struct kind *k = &kinds[i];

		printf("difference %u, %s: seed %llu, program %llx, steps %x; %u programs show it\n",
		       i + 1, k->lane, opt.seed, k->r.number, k->r.mask, k->count);
		for (int s = 0; s <= k->r.first; s++)
			if (k->r.mask >> s & 1)
				print_step(&k->r, s);
	}
	if (more)
		printf("and %u more\n", more);
}
