/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Linux program without a libc: processes that fill every SIMD register they have (V or Z, P,
 * FFR, ZA, FPCR, FPSR, TPIDR2) with patterns of their own, compute, sleep, yield, take page
 * faults, change the vector length, and check every register.
 *
 *   fpcheck [id=N] [procs=N] [rounds=N] [vl=BITS] [svl=BITS] [sve=0] [sme=0]
 *
 * id seeds the patterns; vl, svl: fails unless these are the largest lengths; sve=0, sme=0: unless
 * Linux has no such feature. Ends with "fpcheck: PASS n rounds" or "fpcheck: FAIL: why".
 */
#include "lib/random.h"
#include "lib/string.h"
#include "linux/linux.h"

#define SYS_PRCTL 167
#define SYS_MADVISE 233
#define PR_SVE_SET_VL 50
#define PR_SME_SET_VL 63
#define MADV_DONTNEED 4

#define VL_MAX 256 /* bytes */
#define SVE_BYTES (VL_MAX * 32 + VL_MAX / 8 * 17)
#define FPCR_BITS 0x07c00000u /* AHP, DN, FZ, RMode */
#define FPCR_RMODE(fpcr) FIELD(fpcr, 23, 22)
#define FPSR_BITS 0x0800009fu
#define SVCR_SM BIT(0)
#define SVCR_ZA BIT(1)
#define SERIES 3000
#define FAULTS 16 /* pages to fault in at a time */

/* guest/canary.S and fpcheck.S */
void fp_load(const void *v);
void fp_store(void *v);
void sve_load(const void *z, u64 ffr);
void sve_store(void *z, u64 ffr);
void za_load(const void *za);
void za_store(void *za);
void zt0_load(const void *zt0);
void zt0_store(void *zt0);
u64 vl_bytes(void);
u64 svl_bytes(void);
void v_sum(void);
void z_sum(void);
u64 fp_series(u64 n);

struct regs {
	u8 z[SVE_BYTES] __attribute__((aligned(64))); /* V0-V31 in FP mode; else Z, P, FFR */
	u8 za[VL_MAX * VL_MAX] __attribute__((aligned(64)));
	u8 zt0[64];
	u64 fpcr, fpsr, tpidr2;
};

/* The modes and lengths that a process uses. */
struct state {
	u64 seed, pid, round;
	bool fp_only;  /* only V registers are filled */
	bool ffr;      /* FFR can be used in this mode */
	bool syscalls; /* Linux keeps everything that is checked across a system call */
	u64 vl, svl;   /* bytes: in force for Z, and for ZA */
	u64 svcr;
	struct regs want;
	struct regs got
		/* these two are given back to Linux, and then read as zeroes */
		__attribute__((aligned(4096)));
	u8 pages[FAULTS][4096];
};

typedef u64 __attribute__((may_alias)) lane;

const char program_name[] = "fpcheck";
static bool has_sve, has_sme, has_sme2, has_fa64;
static u64 *rounds_done; /* rounds done by all processes; and when that was last printed */

#define read_reg(r)                                                                                \
	({                                                                                         \
		u64 v_;                                                                            \
		asm volatile("mrs %0, " r : "=r"(v_));                                             \
		v_;                                                                                \
	})
#define write_reg(r, v) asm volatile("msr " r ", %0" ::"r"((u64)(v)) : "memory")
#define FPCR "fpcr"
#define FPSR "fpsr"
#define SVCR "S3_3_C4_C2_2"
#define TPIDR2 "S3_3_C13_C0_5"

static u64 rnd(struct state *s, u64 n)
{
	return random_next(&s->seed) % n;
}

/* ---- choosing a mode and a pattern ---------------------------------------------------------- */

/* Linux rounds any length down to one that exists. */
static u64 set_vl(u64 option, u64 bytes)
{
	long vl = syscall3(SYS_PRCTL, option, bytes, 0);

	if (vl < 0)
		failed("prctl(%lu, %lu): error %ld", option, bytes, -vl);
	return (u64)vl & 0xffff;
}

static void change_lengths(struct state *s)
{
	u64 vl = 16 * (1 + rnd(s, 16)), now;

	if (has_sve && rnd(s, 3) == 0) {
		now = set_vl(PR_SVE_SET_VL, vl);
		if (vl_bytes() != now)
			failed("pid %lu round %lu: RDVL %lu, prctl says %lu", s->pid, s->round,
			       vl_bytes(), now);
	}
	if (has_sme && rnd(s, 3) == 0) {
		now = set_vl(PR_SME_SET_VL, vl);
		if (svl_bytes() != now)
			failed("pid %lu round %lu: RDSVL %lu, prctl says %lu", s->pid, s->round,
			       svl_bytes(), now);
	}
}

static void choose(struct state *s)
{
	bool sm, za;

	if (has_sme)
		write_reg(SVCR, 0);
	change_lengths(s);
	sm = has_sme && rnd(s, 3) == 0;
	za = has_sme && rnd(s, 3) == 0;
	s->svcr = (sm ? SVCR_SM : 0) | (za ? SVCR_ZA : 0);
	s->svl = has_sme ? svl_bytes() : 0;
	s->fp_only = !sm && (!has_sve || rnd(s, 3) == 0);
	s->ffr = !s->fp_only && (!sm || has_fa64);
	s->syscalls = s->fp_only;
	s->vl = s->fp_only ? 16 : sm ? s->svl : vl_bytes();
}

static void fill(struct state *s, u8 *p, u64 bytes)
{
	u64 i, v;

	for (i = 0; i < bytes; i += 8) {
		v = random_next(&s->seed);
		memcpy(p + i, &v, MIN(bytes - i, 8UL));
	}
}

/* FFR holds ones up to some byte, zeroes after. */
static void fill_ffr(struct state *s, u8 *ffr)
{
	u64 n = rnd(s, s->vl + 1), i;

	memset(ffr, 0, s->vl / 8);
	for (i = 0; i < n; i++)
		ffr[i / 8] |= (u8)(1u << (i % 8));
}

static void new_pattern(struct state *s)
{
	struct regs *w = &s->want;

	fill(s, w->z, s->fp_only ? 512 : s->vl * 34);
	if (s->ffr)
		fill_ffr(s, w->z + s->vl * 34);
	if (s->svcr & SVCR_ZA)
		fill(s, w->za, s->svl * s->svl);
	if ((s->svcr & SVCR_ZA) && has_sme2)
		fill(s, w->zt0, sizeof(w->zt0));
	w->fpcr = random_next(&s->seed) & FPCR_BITS;
	w->fpsr = random_next(&s->seed) & FPSR_BITS;
	w->tpidr2 = random_next(&s->seed);
	/* The stores of SIMD registers that follow fault it in again, among others. */
	syscall3(SYS_MADVISE, (u64)&s->got, sizeof(s->got) + sizeof(s->pages), MADV_DONTNEED);
}

static void load(struct state *s)
{
	struct regs *w = &s->want;

	if (has_sme)
		write_reg(SVCR, s->svcr);
	if (s->fp_only)
		fp_load(w->z);
	else
		sve_load(w->z, s->ffr);
	if (s->svcr & SVCR_ZA)
		za_load(w->za);
	if ((s->svcr & SVCR_ZA) && has_sme2)
		zt0_load(w->zt0);
	write_reg(FPCR, w->fpcr);
	write_reg(FPSR, w->fpsr);
	if (has_sme)
		write_reg(TPIDR2, w->tpidr2);
}

/* ---- checking ------------------------------------------------------------------------------- */

static void compare(struct state *s, const char *what, const u8 *want, const u8 *got, u64 bytes,
		    u64 each)
{
	u64 i;

	for (i = 0; i < bytes; i++)
		if (want[i] != got[i])
			failed("pid %lu round %lu: %s%lu byte %lu is %02x, expected %02x (vl %lu svl %lu "
			       "svcr %lu)",
			       s->pid, s->round, what, i / each, i % each, got[i], want[i],
			       s->vl * 8, s->svl * 8, s->svcr);
}

static void compare_reg(struct state *s, const char *name, u64 want, u64 got)
{
	if (want != got)
		failed("pid %lu round %lu: %s is 0x%lx, expected 0x%lx", s->pid, s->round, name,
		       got, want);
}

static void check(struct state *s)
{
	const struct regs *w = &s->want;
	struct regs *g = &s->got;
	u64 fpcr = read_reg(FPCR), fpsr = read_reg(FPSR), vl;

	compare_reg(s, "FPCR", w->fpcr, fpcr);
	compare_reg(s, "FPSR", w->fpsr, fpsr);
	if (has_sme) {
		compare_reg(s, "SVCR", s->svcr, read_reg(SVCR));
		compare_reg(s, "TPIDR2", w->tpidr2, read_reg(TPIDR2));
	}
	if (s->fp_only) {
		fp_store(g->z);
		compare(s, "v", w->z, g->z, 512, 16);
	} else {
		vl = vl_bytes();
		compare_reg(s, "VL", s->vl, vl);
		sve_store(g->z, s->ffr);
		compare(s, "z", w->z, g->z, vl * 32, vl);
		compare(s, "p", w->z + vl * 32, g->z + vl * 32, vl * 2, vl / 8);
		if (s->ffr)
			compare(s, "ffr", w->z + vl * 34, g->z + vl * 34, vl / 8, VL_MAX);
	}
	if (s->svcr & SVCR_ZA) {
		za_store(g->za);
		compare(s, "za", w->za, g->za, s->svl * s->svl, s->svl);
		if (has_sme2) {
			zt0_store(g->zt0);
			compare(s, "zt", w->zt0, g->zt0, sizeof(w->zt0), sizeof(w->zt0));
		}
	}
}

/* ---- what happens in between ---------------------------------------------------------------- */

/* The sums in the registers, and the same computed without them. */
static void compute(struct state *s)
{
	lane *reg = (void *)s->want.z;
	u64 n, i, a, b, words = s->vl / 8;

	(s->fp_only ? v_sum : z_sum)();
	for (n = 0; n < 32; n++) {
		for (i = 0; i < words; i++) {
			a = reg[n * words + i];
			b = reg[(n + 1) % 32 * words + i];
			reg[n * words + i] = a + b;
		}
	}
}

/* Spin, to be interrupted by the timer with all registers in use. */
static void spin(u64 n)
{
	while (n--)
		asm volatile("");
}

static void fault(struct state *s)
{
	u64 i = rnd(s, FAULTS);
	volatile u8 *p = s->pages[i];

	*p = (u8)(*p + 1);
}

static void event(struct state *s)
{
	u64 time[2] = { 0, rnd(s, 2000000) };

	switch (rnd(s, s->syscalls ? 6 : 3)) {
	case 0:
		spin(rnd(s, rnd(s, 16) ? 20000 : 1000000));
		break;
	case 1:
		fault(s);
		break;
	case 2:
		compute(s);
		break;
	case 3:
		syscall3(SYS_SCHED_YIELD, 0, 0, 0);
		break;
	case 4:
		syscall3(SYS_NANOSLEEP, (u64)time, 0, 0);
		break;
	default:
		syscall3(SYS_GETPID, 0, 0, 0);
		break;
	}
}

/*
 * At a system call Linux leaves streaming mode and leaves undefined what V does not hold of Z, P
 * and FFR.
 */
static void leave_vectors(struct state *s)
{
	if (s->fp_only || (s->svcr & SVCR_SM))
		return;
	for (u64 i = 0; i < 32; i++)
		memmove(s->want.z + i * 16, s->want.z + i * s->vl, 16);
	s->vl = 16;
	s->fp_only = s->syscalls = true;
	s->ffr = false;
}

/* Rounded to nearest, up, down, to zero: the same results as on any IEEE 754 machine. */
static void series(struct state *s)
{
	static const u64 sum[4] = { 0x3ffa5048eac01c18, 0x3ffa5048eac01c1b, 0x3ffa5048eac01c16,
				    0x3ffa5048eac01c16 };
	u64 fpcr = random_next(&s->seed) & FPCR_BITS, got;

	write_reg(FPCR, fpcr);
	got = fp_series(SERIES);
	compare_reg(s, "the series", sum[FPCR_RMODE(fpcr)], got);
	compare_reg(s, "FPCR", fpcr, read_reg(FPCR));
}

static void one_round(struct state *s)
{
	u64 i;

	choose(s);
	if (rnd(s, 2))
		series(s);
	new_pattern(s);
	load(s);
	for (i = rnd(s, 4); i < 4; i++) {
		event(s);
		check(s);
	}
	leave_vectors(s);
	for (i = 0; s->syscalls && i < 2; i++) {
		event(s);
		check(s);
	}
}

/* ---- processes ------------------------------------------------------------------------------ */

static void child(u64 id, u64 rounds)
{
	struct state *s = map(sizeof(*s), false);

	s->pid = (u64)syscall3(SYS_GETPID, 0, 0, 0);
	s->seed = id << 32 | s->pid;
	for (s->round = 0; s->round < rounds; s->round++) {
		one_round(s);
		if (has_sme)
			write_reg(SVCR, 0);
		progress(rounds_done + 1, __atomic_add_fetch(rounds_done, 1, __ATOMIC_RELAXED));
	}
}

static void run_rdvl(u64 a, u64 b)
{
	(void)a;
	(void)b;
	vl_bytes();
}

static void run_rdsvl(u64 a, u64 b)
{
	(void)a;
	(void)b;
	svl_bytes();
}

/* An instruction of a feature that is absent ends a process by SIGILL. */
static void expect_illegal(const char *what, void (*fn)(u64, u64))
{
	u32 status;

	start(fn, 0, 0);
	status = wait_child();
	if ((status & 0x7f) != SIGILL)
		failed("%s without the feature: status 0x%x, expected SIGILL", what, status);
	say("%s: SIGILL", what);
}

/* Features and lengths must be those of the arguments. */
static void check_features(char **argv, u64 id, u64 procs)
{
	u64 vl = has_sve ? set_vl(PR_SVE_SET_VL, VL_MAX) * 8 : 0;
	u64 svl = has_sme ? set_vl(PR_SME_SET_VL, VL_MAX) * 8 : 0;

	if (has_sve && has_sme)
		say("id %lu: %lu processes, sve %lu bits, sme %lu bits%s%s", id, procs, vl, svl,
		    has_fa64 ? ", FA64" : "", has_sme2 ? ", ZT0" : "");
	else if (has_sve)
		say("id %lu: %lu processes, sve %lu bits, no sme", id, procs, vl);
	else
		say("id %lu: %lu processes, V registers only", id, procs);
	if (arg(argv, "vl", vl) != vl || (vl && !arg(argv, "sve", 1)))
		failed("vector length %lu", vl);
	if (arg(argv, "svl", svl) != svl || (svl && !arg(argv, "sme", 1)))
		failed("streaming vector length %lu", svl);
	if (!has_sve && !has_sme)
		expect_illegal("an SVE instruction", run_rdvl);
	if (!has_sme)
		expect_illegal("an SME instruction", run_rdsvl);
}

u64 program(char **argv)
{
	u64 id = arg(argv, "id", 0), procs = arg(argv, "procs", 5), i, wrong;

	has_sve = linux_hwcap & HWCAP_SVE;
	has_sme = linux_hwcap2 & HWCAP2_SME;
	has_fa64 = linux_hwcap2 & HWCAP2_SME_FA64;
	has_sme2 = linux_hwcap2 & HWCAP2_SME2;
	rounds_done = map(2 * sizeof(*rounds_done), true);
	check_features(argv, id, procs);
	for (i = 0; i < procs; i++)
		if (start(child, id, arg(argv, "rounds", 100)) < 0)
			failed("cannot start process %lu", i);
	wrong = wait_children(procs);
	if (wrong)
		say("FAIL: %lu of %lu processes", wrong, procs);
	else
		say("PASS %lu rounds", *rounds_done);
	return wrong != 0;
}
