// SPDX-License-Identifier: Apache-2.0
/*
 * The host's side of the differential tester: runs the same programs on the bare machine and under
 * nidus (boot), compares what they observed, and reduces what differs to the shortest program that
 * shows it.
 *
 *   diff [-1] [-s SEED] [-n COUNT] [-f FIRST] [-t SECONDS] [-o DIR] LANE...
 *
 * A difference is explained by a rule of diff.rules, or it is a fault. -1: stop at the first fault,
 * without reducing it. Ends with "diff: N programs, N explained, N unexplained"; status 1 if any is
 * unexplained.
 */
#include "diff.h"

#include <stdarg.h>
#include <unistd.h>

#define CHUNK 1000   /* programs per boot */
#define CHUNK_ONE 250 /* programs per boot with -1 */
#define REDUCED 24   /* differing programs that are reduced at a time */
#define DEAD_MAX 8   /* programs that may end the guest before a lane is given up */

struct options opt = { .seed = 1, .count = 100, .patience = 120, .out = "." };

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("diff: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

/* The hash of each program of [first, first + count), 0 where the guest ended in it. */
static void hashes(enum who who, const char *lane, u64 first, u64 count, u64 *hash)
{
	u64 next = 0;
	unsigned dead = 0;

	memset(hash, 0, count * sizeof(*hash));
	while (next < count) {
		struct text list = { 0 }, out = { 0 };
		u64 n, h, done = next;
		bool ended;

		text_add(&list, "r %llx %llx\n", first + next, count - next);
		ended = boot(who, lane, &list, &out);
		for (char *p = out.s; p; p = strchr(p, '\n')) {
			p += *p == '\n';
			if (sscanf(p, "P %llx %llx", &n, &h) == 2 && n >= first &&
			    n < first + count) {
				hash[n - first] = h;
				done = n - first + 1;
			}
		}
		free(list.s);
		free(out.s);
		if (!ended && ++dead > DEAD_MAX)
			die("%s: %s: more than %u programs end the guest", lane, who_name[who],
			    DEAD_MAX);
		next = ended ? count : done + 1;
	}
}

static unsigned explained, unexplained;
static u64 programs;

/* Programs whose hashes differ: run in full; those that no rule explains are reduced. */
static void look(const char *lane, const u64 *number, unsigned count)
{
	struct reduction r[REDUCED];
	unsigned i, left = 0;

	for (i = 0; i < count; i++)
		r[i] = (struct reduction){ .number = number[i], .mask = ~0u };
	reduce_first(lane, r, count);
	for (i = 0; i < count; i++) {
		if (r[i].same) {
			explained++;
			continue;
		}
		r[left++] = r[i];
	}
	unexplained += left;
	if (!opt.one)
		reduce(lane, r, left);
	for (i = 0; i < left; i++)
		report(lane, &r[i]);
}

static bool is_enough(void)
{
	return opt.one && unexplained;
}

static void lane_run(const char *lane)
{
	static u64 hash[2][CHUNK], differ[REDUCED];
	u64 first, i, chunk = opt.one ? CHUNK_ONE : CHUNK;
	unsigned n = 0;

	for (first = opt.first; first < opt.first + opt.count && !is_enough(); first += chunk) {
		u64 count = opt.first + opt.count - first;

		count = count < chunk ? count : chunk;
		hashes(BARE, lane, first, count, hash[BARE]);
		hashes(NIDUS, lane, first, count, hash[NIDUS]);
		programs += count;
		for (i = 0; i < count && !is_enough(); i++) {
			if (hash[BARE][i] == hash[NIDUS][i] && hash[BARE][i])
				continue;
			differ[n++] = first + i;
			if (n == REDUCED) {
				look(lane, differ, n);
				n = 0;
			}
		}
		if (opt.one && n && !unexplained) {
			look(lane, differ, n);
			n = 0;
		}
	}
	if (n)
		look(lane, differ, n);
}

int main(int argc, char **argv)
{
	int c;

	opt.here = strdup(argv[0]);
	while ((c = getopt(argc, argv, "1s:n:f:t:o:r:b:")) != -1) {
		switch (c) {
		case '1': opt.one = true; break;
		case 's': opt.seed = strtoull(optarg, NULL, 0); break;
		case 'n': opt.count = strtoull(optarg, NULL, 0); break;
		case 'f': opt.first = strtoull(optarg, NULL, 0); break;
		case 't': opt.patience = (unsigned)strtoul(optarg, NULL, 0); break;
		case 'o': opt.out = optarg; break;
		case 'r': opt.rules = optarg; break;
		case 'b': opt.boot = optarg; break;
		default:
			die("usage: diff -r RULES -b BOOT [-1] [-s SEED] [-n COUNT] [-f FIRST] [-t SECONDS] [-o DIR] LANE...");
		}
	}
	if (!opt.rules || !opt.boot || optind == argc)
		die("-r RULES, -b BOOT and a lane are missing");
	rules_read(opt.rules);
	for (; optind < argc; optind++)
		lane_run(argv[optind]);
	report_all();
	rules_report();
	printf("diff: seed %llu: %llu programs, %u explained, %u unexplained\n", opt.seed, programs,
	       explained, unexplained);
	return unexplained ? 1 : 0;
}
