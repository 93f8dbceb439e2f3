// SPDX-License-Identifier: Apache-2.0
/* The differences that are intended, each with its reason. */
#include "diff.h"

#include <regex.h>

#define RULES_MAX 64

static struct rule {
	regex_t re, past;
	bool after; /* an earlier step must match past */
	char *reason;
	unsigned used;
} rules[RULES_MAX];
static unsigned count;

static void compile(const char *path, const char *ere, regex_t *re)
{
	if (regcomp(re, ere, REG_EXTENDED | REG_NOSUB | REG_NEWLINE))
		die("%s: \"%s\" is no regular expression", path, ere);
}

/* "ERE", or "after ERE => ERE". */
static void add(const char *path, char *line, const char *reason)
{
	struct rule *r = &rules[count++];
	char *then = NULL;

	if (count > RULES_MAX)
		die("%s: too many rules", path);
	if (!*reason)
		die("%s: no reason is given for \"%s\"", path, line);
	r->reason = strdup(reason);
	r->after = !strncmp(line, "after ", 6);
	if (r->after) {
		then = strstr(line, " => ");
		if (!then)
			die("%s: \"%s\": no \" => \" after \"after\"", path, line);
		*then = 0;
		compile(path, line + 6, &r->past);
	}
	compile(path, then ? then + 4 : line, &r->re);
}

void rules_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024], reason[1024] = "";

	if (!f)
		die("cannot read %s", path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0] == '#')
			snprintf(reason, sizeof(reason), "%.1000s",
				 line + 1 + strspn(line + 1, " "));
		else if (!line[0])
			reason[0] = 0;
		else
			add(path, line, reason);
	}
	fclose(f);
}

bool rules_explain(const char *lane, const char *past, const char *head, const char *bare,
		   const char *nidus)
{
	struct text all = { 0 };
	bool found = false;
	unsigned i;

	text_add(&all, "%s: %s| bare:%s| nidus:%s", lane, head, bare, nidus);
	for (i = 0; i < count && !found; i++) {
		if (!regexec(&rules[i].re, all.s, 0, NULL, 0) &&
		    (!rules[i].after || !regexec(&rules[i].past, past, 0, NULL, 0))) {
			rules[i].used++;
			found = true;
		}
	}
	free(all.s);
	return found;
}

void rules_report(void)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (rules[i].used)
			printf("explained %u times: %s\n", rules[i].used, rules[i].reason);
}
