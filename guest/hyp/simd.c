/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIMD across the levels: an L2 sees what the hypervisor left in the registers and the other way
 * round, in every mode and at every length; traps come as requested and change nothing.
 */
#include "hyp.h"

#define VL_MAX 256
#define FPCR_BITS 0x07c00000u
#define FPSR_BITS 0x0800009fu
#define SVCR_SM BIT(0)
#define SVCR_ZA BIT(1)
#define FA64 BIT(31)
#define EZT0 BIT(30)
/* The lower bits of its fields: without VHE those are 0 or 3 only. */
#define CPTR_LOW (BIT(16) | BIT(20) | BIT(24))
#define CPACR_ALL (3UL << 16 | 3UL << 20 | 3UL << 24)

/* guest/canary.S */
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
u64 fp_touch(void);

/* Every SIMD register. */
struct set {
	u8 z[VL_MAX * 32 + VL_MAX / 8 * 17] __attribute__((aligned(64)));
	u8 za[VL_MAX * VL_MAX] __attribute__((aligned(64)));
	u8 zt0[64];
	u64 fpcr, fpsr, tpidr2, svcr;
	u64 vl, svl; /* bytes */
	bool sve, ffr;
};

static struct set want, seen, next, after;
static u64 seed;

static u64 rnd(u64 n)
{
	return random_next(&seed) % n;
}

static void host_simd(void)
{
	sysreg_write(CPTR_EL2, cptr_format(CPTR_FPEN | (has_sve ? CPTR_ZEN : 0) |
					   (has_sme ? CPTR_SMEN : 0)));
	isb();
}

static void host_lengths(u64 zcr, u64 smcr)
{
	host_simd();
	if (has_sve)
		sysreg_write(ZCR_EL2, zcr);
	if (has_sme)
		sysreg_write(SMCR_EL2, smcr | (has_fa64 ? FA64 : 0) | (has_sme2 ? EZT0 : 0));
	isb();
}

/* ---- either level ---- */

static void set_measure(struct set *s, u64 svcr)
{
	bool sm = svcr & SVCR_SM;

	s->svcr = svcr;
	s->sve = has_sve || sm;
	s->ffr = s->sve && (!sm || has_fa64);
	s->vl = s->sve ? vl_bytes() : 16;
	s->svl = has_sme ? svl_bytes() : 0;
}

static void set_store(struct set *s)
{
	s->fpcr = sysreg_read(FPCR);
	s->fpsr = sysreg_read(FPSR);
	s->tpidr2 = has_sme ? sysreg_read(TPIDR2_EL0) : 0;
	set_measure(s, has_sme ? sysreg_read(SVCR) & 3 : 0);
	if (s->sve)
		sve_store(s->z, s->ffr);
	else
		fp_store(s->z);
	if (s->svcr & SVCR_ZA)
		za_store(s->za);
	if ((s->svcr & SVCR_ZA) && has_sme2)
		zt0_store(s->zt0);
}

/* The mode is already in force. */
static void set_load(const struct set *s)
{
	if (s->sve)
		sve_load(s->z, s->ffr);
	else
		fp_load(s->z);
	if (s->svcr & SVCR_ZA)
		za_load(s->za);
	if ((s->svcr & SVCR_ZA) && has_sme2)
		zt0_load(s->zt0);
	sysreg_write(FPCR, s->fpcr);
	sysreg_write(FPSR, s->fpsr);
	if (has_sme)
		sysreg_write(TPIDR2_EL0, s->tpidr2);
}

static void set_mode(u64 svcr)
{
	if (has_sme)
		sysreg_write(SVCR, svcr);
	isb();
}

/* ---- the hypervisor ---- */

static void bytes(u8 *p, u64 n)
{
	u64 i, v;

	for (i = 0; i + 8 <= n; i += 8) {
		v = random_next(&seed);
		memcpy(p + i, &v, 8);
	}
	for (; i < n; i++)
		p[i] = (u8)random_next(&seed);
}

static u64 z_bytes(const struct set *s)
{
	return s->sve ? s->vl * 32 + s->vl / 8 * 16 : 512;
}

/* Choose a new pattern for the mode that set_measure() found. */
static void set_fill(struct set *s)
{
	u64 n, i;
	u8 *ffr = s->z + s->vl * 32 + s->vl / 8 * 16;

	bytes(s->z, z_bytes(s));
	if (s->ffr) {
		memset(ffr, 0, s->vl / 8);
		n = rnd(s->vl + 1);
		for (i = 0; i < n; i++)
			ffr[i / 8] |= (u8)(1u << (i % 8));
	}
	if (s->svcr & SVCR_ZA)
		bytes(s->za, s->svl * s->svl);
	if ((s->svcr & SVCR_ZA) && has_sme2)
		bytes(s->zt0, sizeof(s->zt0));
	s->fpcr = random_next(&seed) & FPCR_BITS;
	s->fpsr = random_next(&seed) & FPSR_BITS;
	s->tpidr2 = has_sme ? random_next(&seed) : 0;
}

static void compare_bytes(const char *who, const char *what, const u8 *a, const u8 *b, u64 n)
{
	u64 i;

	for (i = 0; i < n; i++) {
		if (a[i] != b[i]) {
			test_fail("%s sees %s byte %lu as %02x, expected %02x", who, what, i, b[i],
				  a[i]);
			return;
		}
	}
}

static bool set_compare(const char *who, const struct set *a, const struct set *b)
{
	expect(a->vl == b->vl && a->svcr == b->svcr && a->svl == b->svl,
	       "%s: vl %lu svl %lu svcr %lu, expected %lu %lu %lu", who, b->vl, b->svl, b->svcr,
	       a->vl, a->svl, a->svcr);
	expect(a->fpcr == b->fpcr && a->fpsr == b->fpsr && a->tpidr2 == b->tpidr2,
	       "%s: FPCR 0x%lx FPSR 0x%lx TPIDR2 0x%lx, expected 0x%lx 0x%lx 0x%lx", who, b->fpcr,
	       b->fpsr, b->tpidr2, a->fpcr, a->fpsr, a->tpidr2);
	compare_bytes(who, a->sve ? "Z, P" : "V", a->z, b->z, z_bytes(a));
	if (a->ffr)
		compare_bytes(who, "FFR", a->z + z_bytes(a), b->z + z_bytes(a), a->vl / 8);
	if (a->svcr & SVCR_ZA)
		compare_bytes(who, "ZA", a->za, b->za, a->svl * a->svl);
	if ((a->svcr & SVCR_ZA) && has_sme2)
		compare_bytes(who, "ZT0", a->zt0, b->zt0, sizeof(a->zt0));
	return !test_failed();
}

/* ---- L2 ---- */

/* Report what is in the registers, then put something else there, in a mode of its own. */
static u64 l2_both(u64 svcr, u64 b, u64 c)
{
	(void)b;
	(void)c;
	sysreg_write(CPACR_EL1, CPACR_ALL);
	isb();
	set_store(&seen);
	l2_hvc(5);
	set_mode(svcr);
	set_measure(&next, svcr);
	l2_hvc(6);
	set_load(&next);
	l2_hvc(7);
	return 0;
}

static u64 l2_lengths(u64 zcr, u64 smcr, u64 c)
{
	u64 vl = 0, svl = 0;

	(void)c;
	sysreg_write(CPACR_EL1, CPACR_ALL);
	if (has_sve)
		sysreg_write(ZCR_EL1, zcr);
	if (has_sme)
		sysreg_write(SMCR_EL1, smcr);
	isb();
	if (has_sve)
		vl = vl_bytes();
	if (has_sme)
		svl = svl_bytes();
	return vl << 32 | svl;
}

/* ---- tests ---- */

static bool expect_hvc(struct l2 *l, u32 imm)
{
	u64 kind = l2_run(l);

	if (!l2_is_hvc(l, kind, imm))
		test_fail("kind %lu esr 0x%lx elr 0x%lx, expected HVC %u", kind, l->esr, l->elr,
			  imm);
	host_simd();
	return !test_failed();
}

static bool one_round(struct l2 *l, u64 svcr1, u64 svcr2, u64 len)
{
	host_simd();
	set_mode(0); /* a change of SMCR_EL2 in streaming mode has crashed emulators */
	host_lengths(len, len);
	set_mode(svcr1);
	set_measure(&want, svcr1);
	set_fill(&want);
	set_load(&want);
	l2_call(l, l2_both, svcr2, 0, 0);
	if (!expect_hvc(l, 5) || !set_compare("L2", &want, &seen))
		return false;
	set_store(&after);
	if (!set_compare("L1 after", &want, &after) || !expect_hvc(l, 6))
		return false;
	/* only now is it known which lengths L2's mode has */
	set_fill(&next);
	if (!expect_hvc(l, 7))
		return false;
	set_store(&after);
	if (!set_compare("L1", &next, &after))
		return false;
	l2_finish(l);
	return !test_failed();
}

static void rounds(struct l2 *l, u64 n)
{
	u64 i;

	check_begin("simd", "FP and SVE both ways");
	for (i = 0; i < 16 && one_round(l, 0, 0, i); i++)
		;
	if (has_sme) {
		for (i = 0; i < 16; i++) {
			check_begin("simd", "SVCR %lu from L1, %lu from L2", i & 3, i >> 2);
			one_round(l, i & 3, i >> 2, 15);
		}
	}
	check_begin("simd", "%lu rounds of modes and lengths", n);
	for (i = 0; i < n; i++) {
		if (!one_round(l, has_sme ? rnd(4) : 0, has_sme ? rnd(4) : 0, rnd(16))) {
			test_fail("in round %lu", i);
			break;
		}
	}
	host_simd();
	set_mode(0);
	host_lengths(15, 15);
}

/*
 * An L2 that may have LEN l1 and asks for LEN l2 gets what the hypervisor itself gets with the
 * smaller one.
 */
static void lengths(struct l2 *l)
{
	u64 a, b;

	check_begin("simd", "every pair of lengths");
	for (a = 0; a < 16; a++) {
		for (b = 0; b < 16; b++) {
			u64 vl = 0, svl = 0, r;

			host_simd();
			host_lengths(MIN(a, b), MIN(a, b));
			if (has_sve)
				vl = vl_bytes();
			if (has_sme)
				svl = svl_bytes();
			host_lengths(a, a);
			r = l2_run_fn(l, l2_lengths, b, b | FA64 | EZT0, 0);
			expect(r == (vl << 32 | svl),
			       "LEN %lu and %lu: VL %lu SVL %lu, expected %lu %lu", a, b, r >> 32,
			       r & 0xffffffff, vl, svl);
		}
	}
	host_lengths(15, 15);
	l2_run_fn(l, l2_lengths, 15, 15 | FA64 | EZT0, 0);
}

static u64 l2_store_z(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	sysreg_write(CPACR_EL1, CPACR_ALL);
	isb();
	set_store(&seen);
	return 0;
}

/*
 * A smaller length for L2: it sees the low part, which is kept; above it are zeroes or what was
 * there.
 */
static void narrow(struct l2 *l)
{
	u64 len, r, i, vl;

	check_begin("simd", "an L2 of a smaller length");
	if (!has_sve) {
		test_skip("no SVE");
		return;
	}
	for (len = 0; len < 15; len++) {
		host_simd();
		host_lengths(15, 15);
		set_measure(&want, 0);
		set_fill(&want);
		set_load(&want);
		host_lengths(len, 15);
		l2_run_fn(l, l2_store_z, 0, 0, 0);
		host_simd();
		host_lengths(15, 15);
		set_store(&after);
		vl = seen.vl;
		for (r = 0; r < 32; r++) {
			compare_bytes("L2", "Z", want.z + r * want.vl, seen.z + r * vl, vl);
			compare_bytes("L1 after", "Z", want.z + r * want.vl, after.z + r * want.vl,
				      vl);
			for (i = vl; i < want.vl; i++) {
				u8 got = after.z[r * want.vl + i];

				expect(got == 0 || got == want.z[r * want.vl + i],
				       "LEN %lu: Z%lu byte %lu is %02x", len, r, i, got);
			}
		}
	}
}

/* ---- traps ---- */

static const u32 words[][2] __attribute__((aligned(16))) = {
	{ 0x9e660000, 0xd65f03c0 }, /* fmov x0, d0 */
	{ 0x04bf5020, 0xd65f03c0 }, /* rdvl x0, #1 */
	{ 0xd5381200, 0xd65f03c0 }, /* mrs x0, zcr_el1 */
	{ 0x04bf5820, 0xd65f03c0 }, /* rdsvl x0, #1 */
	{ 0xd53b4240, 0xd65f03c0 }, /* mrs x0, svcr */
	{ 0xd53812c0, 0xd65f03c0 }, /* mrs x0, smcr_el1 */
	{ 0xd53b4400, 0xd65f03c0 }, /* mrs x0, fpcr */
};
enum word { W_FMOV, W_RDVL, W_ZCR, W_RDSVL, W_SVCR, W_SMCR, W_FPCR };

static const struct simd_trap {
	char name[40];
	u8 word, sve, sme; /* the feature that it needs */
	u64 cptr;
	u64 esr; /* 0: none */
} traps[] = {
#define FP(n) ((u64)(n) << 20)
#define Z(n) ((u64)(n) << 16)
#define SM(n) ((u64)(n) << 24)
#define ESR_FP ESR_OF(EC_FP, 0x1e00000)
#define ESR_SVE ESR_OF(EC_SVE, 0)
#define ESR_SME ESR_OF(0x1d, 0)
	{ "FMOV, FPEN 0", W_FMOV, 0, 0, FP(0) | Z(3) | SM(3), ESR_FP },
	{ "FMOV, FPEN 1", W_FMOV, 0, 0, FP(1) | Z(3) | SM(3), 0 },
	{ "FMOV, FPEN 2", W_FMOV, 0, 0, FP(2) | Z(3) | SM(3), ESR_FP },
	{ "FMOV, ZEN 0 and SMEN 0", W_FMOV, 0, 0, FP(3), 0 },
	{ "FPCR, FPEN 0", W_FPCR, 0, 0, FP(0) | Z(3) | SM(3), ESR_FP },
	{ "RDVL, ZEN 0", W_RDVL, 1, 0, FP(3) | Z(0) | SM(3), ESR_SVE },
	{ "RDVL, ZEN 1", W_RDVL, 1, 0, FP(3) | Z(1) | SM(3), 0 },
	{ "RDVL, ZEN 2", W_RDVL, 1, 0, FP(3) | Z(2) | SM(3), ESR_SVE },
	{ "RDVL, FPEN 0", W_RDVL, 1, 0, FP(0) | Z(3) | SM(3), ESR_FP },
	{ "RDVL, FPEN 0 and ZEN 0", W_RDVL, 1, 0, SM(3), ESR_SVE },
	{ "ZCR_EL1, ZEN 0", W_ZCR, 1, 0, FP(3) | SM(3), ESR_SVE },
	{ "ZCR_EL1, FPEN 0", W_ZCR, 1, 0, FP(0) | Z(3) | SM(3), ESR_FP },
	{ "RDSVL, SMEN 0", W_RDSVL, 1, 1, FP(3) | Z(3), ESR_SME },
	{ "RDSVL, SMEN 2", W_RDSVL, 1, 1, FP(3) | Z(3) | SM(2), ESR_SME },
	{ "RDSVL, SMEN 1", W_RDSVL, 1, 1, FP(3) | Z(3) | SM(1), 0 },
	{ "SVCR, SMEN 0", W_SVCR, 1, 1, FP(3) | Z(3), ESR_SME },
	{ "SMCR_EL1, SMEN 0", W_SMCR, 1, 1, FP(3) | Z(3), ESR_SME },
#undef FP
#undef Z
#undef SM
};

static u64 l2_enable(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	sysreg_write(CPACR_EL1, CPACR_ALL);
	isb();
	return 0;
}

/* The trap is taken, changes nothing, and L2 continues when it is removed. */
static void one_trap(struct l2 *l, const struct simd_trap *t)
{
	u64 kind;

	check_begin("simd", "%s", t->name);
	if (e2h0 && (t->cptr & (t->cptr >> 1) & CPTR_LOW) != ((t->cptr | t->cptr >> 1) & CPTR_LOW)) {
		needs_vhe();
		return;
	}
	if ((t->sve && !has_sve) || (t->sme && !has_sme)) {
		test_skip("no such feature");
		return;
	}
	l2_run_fn(l, l2_enable, 0, 0, 0);
	host_simd();
	host_lengths(15, 15);
	set_measure(&want, 0);
	set_fill(&want);
	set_load(&want);
	l2_call(l, l2_enable, 0, 0, 0);
	l->elr = l2_address(words[t->word]);
	l->control[CTL_CPTR] = t->cptr;
	kind = l2_run(l);
	if (t->esr) {
		expect(kind == EXIT_SYNC && l->esr == t->esr, "kind %lu esr 0x%lx, expected 0x%lx",
		       kind, l->esr, t->esr);
		expect_eq(l->elr, l2_address(words[t->word]), "elr");
		host_simd();
		set_store(&after);
		set_compare("L1 after the trap", &want, &after);
		l->control[CTL_CPTR] = CPTR_FPEN | CPTR_ZEN | CPTR_SMEN;
		kind = l2_run(l);
	}
	expect(l2_is_hvc(l, kind, L2_DONE), "kind %lu esr 0x%lx", kind, l->esr);
	l->control[CTL_CPTR] = CPTR_FPEN | CPTR_ZEN | CPTR_SMEN;
	/* With SVE off for L2 and FP on, what is above 128 bits need not be kept. */
	if (!t->esr && has_sve && (t->cptr & CPTR_ZEN) == 0)
		return;
	host_simd();
	set_store(&after);
	set_compare("L1 at the end", &want, &after);
}

/* Two L2s alternate with the registers: the hypervisor must move them. */
static void two(struct l2 *a, struct l2 *b)
{
	static struct set kept[2];
	struct l2 *l[2] = { a, b };
	u32 i, n;

	check_begin("simd", "two L2s by turns, moved by the hypervisor");
	host_simd();
	host_lengths(15, 15);
	for (n = 0; n < 2; n++) {
		set_measure(&kept[n], 0);
		set_fill(&kept[n]);
	}
	for (i = 0; i < 40 && !test_failed(); i++) {
		n = i & 1;
		host_simd();
		set_load(&kept[n]);
		l2_run_fn(l[n], l2_store_z, 0, 0, 0);
		set_compare(n ? "second" : "first", &kept[n], &seen);
	}
}

void group_simd(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	seed = dt_arg("seed", 1);
	check_begin("simd", "two L2s boot");
	l2_reset(l, 1);
	l2_reset(&l2s[1], 2);
	rounds(l, dt_arg("rounds", 60));
	lengths(l);
	narrow(l);
	for (i = 0; i < ARRAY_SIZE(traps); i++)
		one_trap(l, &traps[i]);
	two(l, &l2s[1]);
	sysreg_write(CPTR_EL2, cptr_format(0));
	isb();
}
