/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that fills every SIMD register it has with patterns of its own (by id=N, CPU and step),
 * waits for exits and switches to happen, and checks them, iters=N times (200) on each CPU, at EL1
 * and EL0. Lengths (ZCR, SMCR), streaming mode, ZA, FFR, FPCR and FPSR change all the time. nosve,
 * nosme: fails unless that feature is absent; vl=BITS, svl=BITS: unless these are the largest
 * lengths. die: powers off in streaming mode with ZA on.
 */
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/mmu.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/suite.h"
#include "lib/timer.h"

const char guest_name[] = "canary";

#define CPUS 8
#define VL_MAX 256 /* bytes */
#define SVE_BYTES (VL_MAX * 32 + VL_MAX / 8 * 17)
#define FPCR_BITS 0x07c00000u /* AHP, DN, FZ, RMode */
#define FPSR_BITS 0x0800009fu
#define SVCR_SM BIT(0)
#define SVCR_ZA BIT(1)
#define SMCR_FA64 BIT(31)
#define SMCR_EZT0 BIT(30)
#define CPACR_ALL (3UL << 16 | 3UL << 20 | 3UL << 24)

/* canary.S */
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
extern const char el0_spin_and_call[];

/* One set of registers. */
struct regs {
	u8 z[SVE_BYTES] __attribute__((aligned(64))); /* V0-V31 in FP mode */
	u8 za[VL_MAX * VL_MAX] __attribute__((aligned(64)));
	u8 zt0[64];
	u64 fpcr, fpsr, tpidr2, svcr;
};

/* The modes and lengths that a CPU has in force. */
struct state {
	u64 seed;
	bool fp_only; /* only V registers are filled */
	bool ffr;     /* FFR can be used in this mode */
	bool zt0;     /* ZT0 can be used */
	u64 vl, svl;  /* bytes: in force for Z, and for ZA */
	u64 svcr;
	struct regs want, got;
};

static struct state states[CPUS];
static bool has_sve, has_sme, has_sme2, has_fa64;
static u64 id;

static u64 rnd(struct state *s, u64 n)
{
	return random_next(&s->seed) % n;
}

static void fill(struct state *s, u8 *p, u64 bytes)
{
	u64 i, v;

	for (i = 0; i + 8 <= bytes; i += 8) {
		v = random_next(&s->seed);
		memcpy(p + i, &v, 8);
	}
	for (; i < bytes; i++)
		p[i] = (u8)random_next(&s->seed);
}

static u64 z_bytes(const struct state *s)
{
	return s->fp_only ? 512 : s->vl * 32 + s->vl / 8 * 16;
}

/* FFR must be a monotonic predicate: ones up to some byte, zeroes after. */
static void fill_ffr(struct state *s, u8 *ffr)
{
	u64 n = rnd(s, s->vl + 1), i;

	memset(ffr, 0, s->vl / 8);
	for (i = 0; i < n; i++)
		ffr[i / 8] |= (u8)(1u << (i % 8));
}

static u8 *ffr_of(struct regs *r, u64 vl)
{
	return r->z + vl * 32 + vl / 8 * 16;
}

/* Choose a mode and lengths at random and write them to the registers. */
static void choose(struct state *s)
{
	bool sm = has_sme && rnd(s, 3) == 0, za = has_sme && rnd(s, 3) == 0,
	     fa64 = has_fa64 && rnd(s, 2), ezt0 = has_sme2 && rnd(s, 4);

	if (has_sme)
		sysreg_write(SVCR, 0);
	if (has_sve)
		sysreg_write(ZCR_EL1, rnd(s, 16));
	if (has_sme) {
		sysreg_write(SMCR_EL1,
			     rnd(s, 16) | (fa64 ? SMCR_FA64 : 0) | (ezt0 ? SMCR_EZT0 : 0));
		isb();
		s->svcr = (sm ? SVCR_SM : 0) | (za ? SVCR_ZA : 0);
		sysreg_write(SVCR, s->svcr);
	}
	isb();
	s->svl = has_sme ? svl_bytes() : 0;
	s->fp_only = !sm && (!has_sve || rnd(s, 4) == 0);
	s->ffr = !s->fp_only && (!sm || fa64);
	s->zt0 = za && ezt0;
	s->vl = s->fp_only ? 16 : vl_bytes();
}

static void load(struct state *s)
{
	struct regs *w = &s->want;

	if (s->fp_only)
		fp_load(w->z);
	else
		sve_load(w->z, s->ffr);
	if (s->svcr & SVCR_ZA)
		za_load(w->za);
	if (s->zt0)
		zt0_load(w->zt0);
	sysreg_write(FPCR, w->fpcr);
	sysreg_write(FPSR, w->fpsr);
	if (has_sme)
		sysreg_write(TPIDR2_EL0, w->tpidr2);
}

static void new_pattern(struct state *s)
{
	struct regs *w = &s->want;

	fill(s, w->z, z_bytes(s));
	if (s->ffr)
		fill_ffr(s, ffr_of(w, s->vl));
	if (s->svcr & SVCR_ZA)
		fill(s, w->za, s->svl * s->svl);
	if (s->zt0)
		fill(s, w->zt0, sizeof(w->zt0));
	w->fpcr = random_next(&s->seed) & FPCR_BITS;
	w->fpsr = random_next(&s->seed) & FPSR_BITS;
	w->tpidr2 = random_next(&s->seed);
	w->svcr = s->svcr;
}

static void store_at_el1(struct state *s)
{
	if (s->fp_only)
		fp_store(s->got.z);
	else
		sve_store(s->got.z, s->ffr);
}

/* Have EL0 spin for a while and store the registers as it sees them. */
static void store_at_el0(struct state *s)
{
	struct frame f = { .elr = MMU_EL0 + (u64)el0_spin_and_call, .spsr = 0x300 };

	f.x[0] = MMU_EL0 + (u64)s->got.z;
	f.x[1] = s->ffr;
	f.x[4] = ticks_us(rnd(s, 300));
	f.x[5] = MMU_EL0 + (s->fp_only ? (u64)fp_store : (u64)sve_store);
	irq_disable();
	el0_run(&f);
	if (ESR_EC(f.esr) != EC_SVC)
		test_fail("cpu %u: EL0 stopped: esr 0x%lx elr 0x%lx", cpu_self()->index, f.esr,
			  f.elr);
}

static void compare(struct state *s, const char *what, const u8 *want, const u8 *got, u64 bytes,
		    u64 each)
{
	u64 i;

	for (i = 0; i < bytes; i++) {
		if (want[i] == got[i])
			continue;
		test_fail(
			"id %lu cpu %u: %s%lu byte %lu is %02x, expected %02x (vl %lu svl %lu svcr %lu)",
			id, cpu_self()->index, what, i / each, i % each, got[i], want[i], s->vl * 8,
			s->svl * 8, s->svcr);
		return;
	}
}

static void check(struct state *s, bool el0)
{
	const struct regs *w = &s->want;
	struct regs *g = &s->got;
	u32 cpu = cpu_self()->index;

	g->fpcr = sysreg_read(FPCR);
	g->fpsr = sysreg_read(FPSR);
	if (has_sme) {
		expect(sysreg_read(SVCR) == s->svcr, "id %lu cpu %u: SVCR is %lu, expected %lu", id,
		       cpu, sysreg_read(SVCR), s->svcr);
		expect(sysreg_read(TPIDR2_EL0) == w->tpidr2, "id %lu cpu %u: TPIDR2_EL0 is 0x%lx",
		       id, cpu, sysreg_read(TPIDR2_EL0));
		if (sysreg_read(SVCR) != s->svcr)
			return;
	}
	(el0 ? store_at_el0 : store_at_el1)(s);
	if (s->svcr & SVCR_ZA)
		za_store(g->za);
	if (s->zt0)
		zt0_store(g->zt0);
	expect(g->fpcr == w->fpcr, "id %lu cpu %u: FPCR is 0x%lx, expected 0x%lx", id, cpu, g->fpcr,
	       w->fpcr);
	expect(g->fpsr == w->fpsr, "id %lu cpu %u: FPSR is 0x%lx, expected 0x%lx", id, cpu, g->fpsr,
	       w->fpsr);
	if (s->fp_only) {
		compare(s, "v", w->z, g->z, 512, 16);
	} else {
		compare(s, "z", w->z, g->z, s->vl * 32, s->vl);
		compare(s, "p", w->z + s->vl * 32, g->z + s->vl * 32, s->vl * 2, s->vl / 8);
		if (s->ffr)
			compare(s, "ffr", w->z + s->vl * 34, g->z + s->vl * 34, s->vl / 8, VL_MAX);
	}
	if (s->svcr & SVCR_ZA)
		compare(s, "za", w->za, g->za, s->svl * s->svl, s->svl);
	if (s->zt0)
		compare(s, "zt", w->zt0, g->zt0, sizeof(w->zt0), sizeof(w->zt0));
}

static void sleep_us(u64 us)
{
	timer_set_cval(TIMER_VIRT, counter_virt() + ticks_us(us));
	timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	while (!(timer_ctl(TIMER_VIRT) & TIMER_ISTATUS))
		wfi();
	timer_set_ctl(TIMER_VIRT, 0);
}

static void on_irq(struct frame *f)
{
	u32 intid = gic_ack();

	(void)f;
	if (intid != INTID_SPURIOUS)
		gic_eoi(intid);
}

/* Cause exits and interrupts, after which the registers must be unchanged. */
static void event(struct state *s)
{
	switch (rnd(s, 8)) {
	case 0:
		delay_us(rnd(s, 3000));
		break;
	case 1:
		sleep_us(rnd(s, 2000));
		break;
	case 2:
		psci_call(PSCI_VERSION, 0, 0, 0);
		break;
	case 3:
		read32(dt.gicd + GICD_IIDR);
		break;
	case 4:
		gic_sgi(1, cpu_self()->mpidr);
		irq_enable();
		delay_us(rnd(s, 50));
		irq_disable();
		break;
	case 5:
		gic_sgi_others(1);
		break;
	case 6:
		psci_call(PSCI_AFFINITY_INFO, cpu_self()->mpidr, 0, 0);
		delay_us(rnd(s, 200));
		break;
	default:
		break;
	}
}

/*
 * A shorter vector keeps the low part; if the length grows again, the part above is zero or the old
 * value, and never anything else.
 */
static void shorten(struct state *s)
{
	u64 len = sysreg_read(ZCR_EL1) & 15, old = s->vl, small, i, j;

	sysreg_write(ZCR_EL1, rnd(s, len + 1));
	isb();
	small = vl_bytes();
	event(s);
	sve_store(s->got.z, 0);
	for (i = 0; i < 32; i++)
		compare(s, "short z", s->want.z + i * old, s->got.z + i * small, small, small);
	sysreg_write(ZCR_EL1, len);
	isb();
	event(s);
	sve_store(s->got.z, 0);
	for (i = 0; i < 32; i++) {
		for (j = 0; j < old; j++) {
			u8 g = s->got.z[i * old + j], w = s->want.z[i * old + j];

			if (g == w || (j >= small && !g))
				continue;
			test_fail(
				"id %lu cpu %u: z%lu byte %lu is %02x after vl %lu -> %lu -> back",
				id, cpu_self()->index, i, j, g, old * 8, small * 8);
			return;
		}
	}
}

/* Write reserved bits and toggle the controls, as only a hostile guest does. */
static void abuse(struct state *s)
{
	u32 i;

	sysreg_write(FPCR, ~0UL);
	sysreg_write(FPSR, ~0UL);
	if (has_sve)
		sysreg_write(ZCR_EL1, ~0UL);
	isb();
	if (!has_sme)
		return;
	sysreg_write(SMCR_EL1, ~0UL);
	sysreg_write(SVCR, ~0UL);
	isb();
	event(s);
	for (i = 0; i < 20; i++) {
		sysreg_write(SVCR, i & 3);
		isb();
	}
}

/* A trap that the guest sets itself is taken by the guest: FPEN=0 gives it EC 0x07. */
static void own_trap(struct state *s)
{
	struct trap t;

	sysreg_write(CPACR_EL1, CPACR_ALL & ~(3UL << 20));
	isb();
	event(s);
	trap_arm(&t);
	fp_touch();
	trap_disarm();
	expect(t.count == 1 && ESR_EC(t.esr) == EC_FP, "FP with FPEN=0: %u exceptions, esr 0x%lx",
	       t.count, t.esr);
	sysreg_write(CPACR_EL1, CPACR_ALL);
	isb();
}

static void cpu_init(void)
{
	gic_cpu_init();
	gic_enable(1);
	gic_enable(dt.ppi_virt);
	cpu_self()->irq = on_irq;
	sysreg_write(CPACR_EL1, CPACR_ALL);
	sysreg_write(CNTKCTL_EL1, 3);
	isb();
}

static void steps(u32 index)
{
	struct state *s = &states[index];
	u64 i, j, iters = dt_arg("iters", 200);

	cpu_init();
	s->seed = id << 32 | index << 8 | 1;
	for (i = 0; i < iters && !test_failed(); i++) {
		if (rnd(s, 8) == 0)
			abuse(s);
		if (rnd(s, 8) == 0)
			own_trap(s);
		choose(s);
		new_pattern(s);
		load(s);
		for (j = rnd(s, 4); j < 4 && !test_failed(); j++) {
			event(s);
			check(s, rnd(s, 2));
		}
		if (!s->fp_only && !(s->svcr & SVCR_SM) && rnd(s, 2))
			shorten(s);
	}
}

/* The EC of the exception that fn raises, or ~0. */
static u64 ec_of(u64 (*fn)(void))
{
	struct trap t;

	trap_arm(&t);
	fn();
	trap_disarm();
	return t.count ? ESR_EC(t.esr) : ~0UL;
}

static u8 zt0_anywhere[64] __attribute__((aligned(16)));

static u64 zt0_touch(void)
{
	zt0_store(zt0_anywhere);
	return 0;
}

/*
 * ZT0 is accessible if SMCR_EL1.EZT0 is set, and is zeroed with ZA. Without SME2 there is no such
 * instruction.
 */
static void test_zt0(void)
{
	struct trap t;
	u64 i, dirty = 0;

	sysreg_write(CPACR_EL1, CPACR_ALL);
	isb();
	if (!has_sme2) {
		expect_eq(ec_of(zt0_touch), EC_UNKNOWN, "EC of STR ZT0 without SME2");
		return;
	}
	sysreg_write(SMCR_EL1, SMCR_EZT0);
	sysreg_write(SVCR, 0);
	isb();
	sysreg_write(SVCR, SVCR_ZA);
	isb();
	memset(zt0_anywhere, 0xff, sizeof(zt0_anywhere));
	expect_eq(ec_of(zt0_touch), ~0UL, "EC of STR ZT0");
	for (i = 0; i < sizeof(zt0_anywhere); i++)
		dirty += zt0_anywhere[i] != 0;
	expect_eq(dirty, 0, "bytes of ZT0 that are not zero when ZA came on");
	sysreg_write(SMCR_EL1, 0);
	isb();
	trap_arm(&t);
	zt0_touch();
	trap_disarm();
	/* SMTC is 4; QEMU 11.1 reports only three bits of it. */
	expect(t.count == 1 && ESR_EC(t.esr) == EC_SME && (t.esr & 3) == 0,
	       "STR ZT0 with EZT0=0: %u exceptions, esr 0x%lx", t.count, t.esr);
	sysreg_write(SMCR_EL1, SMCR_EZT0);
	sysreg_write(SVCR, 0);
	isb();
	trap_arm(&t);
	zt0_touch();
	trap_disarm();
	expect(t.count == 1 && ESR_EC(t.esr) == EC_SME && (t.esr & 7) == 3,
	       "STR ZT0 with ZA=0: %u exceptions, esr 0x%lx", t.count, t.esr);
}

/*
 * A feature is there completely (the right traps when the guest disables it, all lengths), or is
 * absent and UNDEFINED.
 */
static void test_presence(void)
{
	sysreg_write(CPACR_EL1, CPACR_ALL);
	isb();
	expect(!has_sve || !dt_flag("nosve"), "there is SVE");
	expect(!has_sme || !dt_flag("nosme"), "there is SME");
	if (!has_sve && !has_sme)
		expect_eq(ec_of(vl_bytes), EC_UNKNOWN, "EC of RDVL without SVE");
	if (!has_sme)
		expect_eq(ec_of(svl_bytes), EC_UNKNOWN, "EC of RDSVL without SME");
	sysreg_write(CPACR_EL1, 3UL << 20);
	isb();
	if (has_sve)
		expect_eq(ec_of(vl_bytes), EC_SVE, "EC of RDVL with ZEN=0");
	if (has_sme)
		expect_eq(ec_of(svl_bytes), EC_SME, "EC of RDSVL with SMEN=0");
	sysreg_write(CPACR_EL1, CPACR_ALL);
	isb();
}

static void test_lengths(void)
{
	u64 max = 0, last = 0, len, vl;

	for (len = 0; has_sve && len < 16; len++) {
		sysreg_write(ZCR_EL1, len);
		isb();
		vl = vl_bytes();
		expect(vl >= last && vl <= (len + 1) * 16, "ZCR.LEN %lu gives %lu bits", len,
		       vl * 8);
		last = max = vl;
	}
	expect_eq(dt_arg("vl", max * 8), max * 8, "largest vector length");
	for (len = 0; has_sme && len < 16; len++) {
		sysreg_write(SMCR_EL1, len);
		isb();
		last = svl_bytes();
	}
	if (!has_sme)
		last = 0;
	expect_eq(dt_arg("svl", last * 8), last * 8, "largest streaming vector length");
	print("canary: id %lu: sve %lu bits, sme %lu bits%s%s\n", id, max * 8, last * 8,
	      has_fa64 ? ", FA64" : "", has_sme2 ? ", ZT0" : "");
}

static u8 first_sight[512] __attribute__((aligned(16)));

void guest_early(void)
{
	sysreg_write(CPACR_EL1, 3UL << 20);
	isb();
	fp_store(first_sight);
}

/* Registers that were never written must not show another VM's data. */
static void test_clean_start(void)
{
	u64 i, dirty = 0;

	for (i = 0; i < 512; i++)
		dirty += first_sight[i] != 0;
	if (!dt_flag("nidus"))
		return test_skip("registers are unknown after a reset; nidus clears them");
	expect_eq(dirty, 0, "bytes of V0-V31 that are not zero at the start");
}

static void test_steps(void)
{
	smp_run_all(steps, 60 * PATIENCE_US);
}

static const struct suite_test tests[] = {
	{ "presence", test_presence, 1 },
	{ "clean_start", test_clean_start, 1 },
	{ "lengths", test_lengths, 1 },
	{ "zt0", test_zt0, 1 },
	{ "steps", test_steps, 1 },
};

void guest_main(void)
{
	id = dt_arg("id", 0);
	has_sve = FIELD(sysreg_read(ID_AA64PFR0_EL1), 35, 32);
	has_sme = FIELD(sysreg_read(ID_AA64PFR1_EL1), 27, 24);
	has_sme2 = FIELD(sysreg_read(ID_AA64PFR1_EL1), 27, 24) >= 2;
	has_fa64 = has_sme && FIELD(sysreg_read(ID_AA64SMFR0_EL1), 63, 63);
	dt.cpu_count = MIN(dt.cpu_count, (u32)CPUS);
	gic_dist_init();
	suite_run(tests, ARRAY_SIZE(tests), NULL);
	if (dt_flag("die") && has_sme)
		sysreg_write(SVCR, SVCR_SM | SVCR_ZA);
}
