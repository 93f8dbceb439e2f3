/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Linux program without a libc: processes on all CPUs compute with SVE and with FP (math.h), and
 * compare each result with one that is computed in general registers.
 *
 *   mathcheck [id=N] [procs=N] [rounds=N] [cpus=N]
 *
 * Process n stays on CPU n modulo cpus; id seeds the numbers. Without SVE it is FP alone. Ends with
 * "mathcheck: PASS n rounds ..." or "mathcheck: FAIL: why".
 */
#include "lib/random.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "linux/math.h"

#define SYS_GETCPU 168
#define SYS_MPROTECT 226
#define N 1021UL /* no multiple of any vector */
#define SIDE 19UL
#define TIMES 400UL

const char program_name[] = "mathcheck";
static u64 *rounds_done; /* rounds done by all processes; and when that was last printed */

/* The data of a process. */
struct work {
	u64 seed, pid, round;
	const char *with; /* the kernels' name */
	s16 h1[N], h2[N];
	s64 i1[SIDE * SIDE], i2[SIDE * SIDE], product[SIDE * SIDE];
	double f1[SIDE * SIDE], f2[SIDE * SIDE], f3[SIDE * SIDE];
	u64 from[N], to[N], back[N], index[N];
	u64 lanes[MATH_LANES], truth[MATH_LANES];
	s64 found[N + MATH_LANES];
	u8 *text; /* the last byte is at text[2 * PAGE_SIZE - 1]; after it nothing is mapped */
};

static u64 rnd(struct work *w, u64 n)
{
	return random_next(&w->seed) % n;
}

/* FP and SIMD registers hold integers up to this size exactly in all these operations. */
static s64 small(struct work *w)
{
	return (s64)rnd(w, 4001) - 2000;
}

static void same(struct work *w, const char *what, u64 i, u64 got, u64 want)
{
	if (got != want)
		failed("pid %lu round %lu: %s of %s: [%lu] is 0x%lx, expected 0x%lx", w->pid,
		       w->round, what, w->with, i, got, want);
}

static void check_dot(struct work *w, const struct math *m)
{
	s64 want = 0;

	for (u64 i = 0; i < N; i++) {
		w->h1[i] = (s16)random_next(&w->seed);
		w->h2[i] = (s16)random_next(&w->seed);
		want += w->h1[i] * w->h2[i];
	}
	same(w, "the dot product", 0, (u64)m->dot(w->h1, w->h2, N), (u64)want);
}

static void check_matmul(struct work *w, const struct math *m)
{
	for (u64 i = 0; i < SIDE * SIDE; i++) {
		w->i1[i] = small(w);
		w->i2[i] = small(w);
	}
	m->from_int(w->f1, w->i1, SIDE * SIDE);
	m->from_int(w->f2, w->i2, SIDE * SIDE);
	m->matmul(w->f3, w->f1, w->f2, SIDE);
	m->to_int(w->product, w->f3, SIDE * SIDE);
	for (u64 i = 0; i < SIDE; i++) {
		for (u64 j = 0; j < SIDE; j++) {
			s64 want = 0;

			for (u64 k = 0; k < SIDE; k++)
				want += w->i1[i * SIDE + k] * w->i2[k * SIDE + j];
			same(w, "the matrix product", i * SIDE + j, (u64)w->product[i * SIDE + j],
			     (u64)want);
		}
	}
}

static void check_roots(struct work *w, const struct math *m)
{
	for (u64 i = 0; i < SIDE * SIDE; i++)
		w->i1[i] = small(w);
	m->from_int(w->f1, w->i1, SIDE * SIDE);
	m->roots(w->f2, w->f1, SIDE * SIDE);
	m->to_int(w->product, w->f2, SIDE * SIDE);
	for (u64 i = 0; i < SIDE * SIDE; i++)
		same(w, "roots", i, (u64)w->product[i], w->i1[i] < 0 ? 0 : (u64)w->i1[i] * 2);
}

static void check_permute(struct work *w, const struct math *m)
{
	u64 i, j, other;

	for (i = 0; i < N; i++) {
		w->from[i] = random_next(&w->seed);
		w->index[i] = i;
	}
	for (i = N - 1; i > 0; i--) {
		j = rnd(w, i + 1);
		other = w->index[i];
		w->index[i] = w->index[j];
		w->index[j] = other;
	}
	m->permute(w->to, w->back, w->from, w->index, N);
	for (i = 0; i < N; i++) {
		same(w, "the scattered", i, w->to[w->index[i]], w->from[i]);
		same(w, "the gathered", i, w->back[i], w->from[i]);
	}
}

static void check_above(struct work *w, const struct math *m)
{
	s64 limit = small(w);
	u64 i, count, n = 0;

	for (i = 0; i < SIDE * SIDE; i++)
		w->i1[i] = small(w);
	count = m->above(w->found, w->i1, limit, SIDE * SIDE);
	for (i = 0; i < SIDE * SIDE; i++) {
		if (w->i1[i] <= limit)
			continue;
		same(w, "those above", n, (u64)w->found[n], (u64)w->i1[i]);
		n++;
	}
	same(w, "the count above", 0, count, n);
}

/* A text up to the last byte that is mapped, with a terminator or without. */
static void check_length(struct work *w, const struct math *m)
{
	u64 max = 1 + rnd(w, 700), length = rnd(w, 2) ? max : rnd(w, max);
	u8 *text = w->text + 2 * PAGE_SIZE - max;

	memset(text, 'a' + (int)rnd(w, 26), max);
	if (length < max)
		text[length] = MATH_END;
	same(w, "the length", 0, m->length(text, max), length);
}

static void check_iterate(struct work *w, const struct math *m)
{
	for (u64 i = 0; i < MATH_LANES; i++)
		w->lanes[i] = w->truth[i] = random_next(&w->seed);
	m->iterate(w->lanes, TIMES);
	for (u64 i = 0; i < MATH_LANES; i++) {
		for (u64 n = 0; n < TIMES; n++) {
			w->truth[i] = w->truth[i] * MATH_MUL + MATH_ADD;
			/* Must not be compiled to SIMD instructions. */
			asm volatile("" : "+r"(w->truth[i]));
		}
		same(w, "the series", i, w->lanes[i], w->truth[i]);
	}
}

static void one_round(struct work *w, const struct math *m)
{
	static void (*const checks[])(struct work *, const struct math *) = {
		check_dot,   check_matmul, check_roots,   check_permute,
		check_above, check_length, check_iterate,
	};

	for (u64 i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](w, m);
}

static void child(u64 seed, u64 rounds)
{
	struct work *w = map(sizeof(*w), false);

	w->text = map(3 * PAGE_SIZE, false);
	if (syscall3(SYS_MPROTECT, (u64)w->text + 2 * PAGE_SIZE, PAGE_SIZE, 0))
		failed("mprotect");
	w->pid = (u64)syscall3(SYS_GETPID, 0, 0, 0);
	w->seed = seed;
	for (w->round = 0; w->round < rounds; w->round++) {
		bool sve = (linux_hwcap & HWCAP_SVE) && rnd(w, 3);

		w->with = sve ? "SVE" : "FP";
		one_round(w, sve ? &math_sve : &math_fp);
		progress(rounds_done + 1, __atomic_add_fetch(rounds_done, 1, __ATOMIC_RELAXED));
	}
}

static u64 this_cpu(void)
{
	u32 cpu = ~0u;

	syscall3(SYS_GETCPU, (u64)&cpu, 0, 0);
	return cpu;
}

u64 program(char **argv)
{
	u64 id = arg(argv, "id", 0), procs = arg(argv, "procs", 4), cpus = arg(argv, "cpus", 1);
	u64 i, wrong;

	rounds_done = map(2 * sizeof(*rounds_done), true);
	for (i = 0; i < procs; i++) {
		/* Its children run on the same CPU. */
		if (!run_on(i % cpus) || this_cpu() != i % cpus)
			failed("cannot run on cpu %lu", i % cpus);
		if (start(child, (id << 32) + i, arg(argv, "rounds", 100)) < 0)
			failed("cannot start process %lu", i);
	}
	wrong = wait_children(procs);
	if (wrong)
		say("FAIL: %lu of %lu processes", wrong, procs);
	else
		say("PASS %lu rounds of %lu processes on %lu cpus, %s", *rounds_done, procs, cpus,
		    linux_hwcap & HWCAP_SVE ? "SVE and FP" : "FP");
	return wrong != 0;
}
