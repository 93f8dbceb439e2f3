/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest of the differential tester (diff/diff.h): makes programs from a seed, runs them, and
 * prints a line for each. Boot arguments: seed=N. The initial RAM disk says what to run, one
 * request a line, numbers in hexadecimal:
 *
 *   r FIRST COUNT    programs FIRST to FIRST + COUNT - 1: "P NUMBER HASH"
 *   h NUMBER MASK    those steps of a program that MASK selects: "P NUMBER MASK HASH"
 *   v NUMBER MASK    the same in full: for each step, between "V NUMBER MASK" and "E", a line "+"
 *                    with what it does before it runs, and afterwards the whole line: what it
 *                    does, a bar, what it saw
 *
 * Without a RAM disk: programs 0 to n=N - 1. The level that it runs at is the machine's choice.
 */
#include "diff/diff.h"

#include "diff/regs.h"
#include "lib/log.h"

const char guest_name[] = "diff";

#define LINE_MAX 1500

bool diff_el2;
static const struct op *const families[] = { ops_hcr,    ops_reg, ops_insn,  ops_eret,
					     ops_memory, ops_gic, ops_debug, ops_stage1 };
static char line[LINE_MAX];
static u32 line_used;
static u64 seed, hash;
static bool verbose;

void say(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line + line_used, LINE_MAX - line_used, fmt, ap);
	va_end(ap);
	line_used = MIN(line_used + (u32)n, LINE_MAX - 1u);
}

/* In full: what the step does is printed before it runs, because it might never end. */
static void line_show(const char *before)
{
	u32 i;

	if (!verbose)
		return;
	print("%s", before);
	for (i = 0; i < line_used; i += 200)
		print("%.200s", line + i);
	print("\n");
}

static void line_end(void)
{
	u32 i;

	for (i = 0; i < line_used; i++)
		hash = (hash ^ (u8)line[i]) * 0x100000001b3UL;
	hash = (hash ^ '\n') * 0x100000001b3UL;
	line_show("");
	line_used = 0;
	line[0] = 0;
}

u32 rng_context(struct rng *r)
{
	static const u8 el2[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 3 };
	static const u8 el1[] = { 0, 0, 0, 1 };

	return diff_el2 ? el2[rng_below(r, ARRAY_SIZE(el2))] : el1[rng_below(r, ARRAY_SIZE(el1))];
}

/*
 * The weight of an operation. Those of the program's theme get a higher one, because otherwise its
 * steps would seldom interact.
 */
static u32 weight(u32 family, const struct op *op, u32 theme)
{
	if (!diff_el2 && !op->el1)
		return 0;
	return family == theme ? op->weight * 8 : op->weight;
}

static const struct op *pick(struct rng *r, u32 theme)
{
	const struct op *op;
	u32 f, sum = 0, at;

	for (f = 0; f < ARRAY_SIZE(families); f++)
		for (op = families[f]; op->kind; op++)
			sum += weight(f, op, theme);
	at = rng_below(r, sum);
	for (f = 0; f < ARRAY_SIZE(families); f++) {
		for (op = families[f]; op->kind; op++) {
			if (at < weight(f, op, theme))
				return op;
			at -= weight(f, op, theme);
		}
	}
	return NULL;
}

static void program_make(struct program *p, u64 number)
{
	struct rng r = { seed * 0x9e3779b97f4a7c15UL ^ number };
	u32 i, theme;

	r.s = rng_next(&r);
	theme = rng_below(&r, ARRAY_SIZE(families) + 1); /* the last: none */
	memset(p, 0, sizeof(*p));
	p->count = 4 + rng_below(&r, STEPS_MAX - 3);
	for (i = 0; i < p->count; i++) {
		p->step[i].op = pick(&r, theme);
		p->step[i].op->gen(&p->step[i], &r);
	}
	p->mask = (u32)((1UL << p->count) - 1);
}

static void program_run(const struct program *p)
{
	u32 i;

	hash = 0xcbf29ce484222325UL;
	reset_all();
	for (i = 0; i < p->count; i++) {
		if (!(p->mask >> i & 1))
			continue;
		say("%2u %s: ", i, p->step[i].op->kind);
		p->step[i].op->name(&p->step[i]);
		say(" |");
		line_show("+");
		p->step[i].op->run(&p->step[i]);
		line_end();
	}
}

static struct program program;

static void run_range(u64 first, u64 count)
{
	u64 n;

	for (n = first; n < first + count; n++) {
		program_make(&program, n);
		program_run(&program);
		print("P %lx %lx\n", n, hash);
	}
}

static void run_some(u64 number, u64 mask, bool in_full)
{
	program_make(&program, number);
	program.mask &= (u32)mask;
	verbose = in_full;
	if (in_full)
		print("V %lx %x\n", number, program.mask);
	program_run(&program);
	verbose = false;
	if (in_full)
		print("E\n");
	else
		print("P %lx %x %lx\n", number, program.mask, hash);
}

static u64 hexadecimal(const char **p)
{
	u64 v = 0;

	while (**p == ' ')
		(*p)++;
	for (;; (*p)++) {
		if (**p >= '0' && **p <= '9')
			v = v * 16 + (u64)(**p - '0');
		else if (**p >= 'a' && **p <= 'f')
			v = v * 16 + (u64)(**p - 'a') + 10;
		else
			return v;
	}
}

/* The list of requests (above); it ends at its size or at a byte that begins no request. */
static void run_list(const char *p, const char *end)
{
	while (p < end && (*p == 'r' || *p == 'h' || *p == 'v')) {
		char what = *p++;
		u64 a = hexadecimal(&p), b = hexadecimal(&p);

		if (what == 'r')
			run_range(a, b);
		else
			run_some(a, b, what == 'v');
		while (p < end && *p == '\n')
			p++;
	}
}

void guest_main(void)
{
	static char list[0x10000];

	diff_el2 = sysreg_read(CurrentEL) == 2 << 2;
	seed = dt_arg("seed", 1);
	memcpy(list, (const void *)dt.initrd, MIN(dt.initrd_size, sizeof(list) - 1));
	reset_init();
	print("diff: EL%u, seed %lu\n", diff_el2 ? 2 : 1, seed);
	if (dt.initrd_size)
		run_list(list, list + MIN(dt.initrd_size, sizeof(list) - 1));
	else
		run_range(0, dt_arg("n", 10));
	print("diff: done\n");
	psci_system_off();
}
