/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stolen time (DEN0057) and the account that nidus gives a VM of itself (docs/tracing.md): found as
 * Linux finds it, right, and safe from hostile arguments. ms=N: work so long, and see how much of
 * it was stolen: at least min=P percent, at most max=P (of a machine whose time is instructions).
 * hostile: write to the structures as well. reset: begin again for ever.
 */
#include "lib/dt.h"
#include "lib/mmu.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/string.h"
#include "lib/suite.h"

#define PV_TIME_FEATURES 0xc5000020u
#define PV_TIME_ST 0xc5000021u
#define ACCOUNT_UID 0x8600ff01u
#define ACCOUNT_REVISION 0x8600ff03u
#define ACCOUNT_EXITS 0xc6000000u
#define ACCOUNT_NAME 0xc6000001u
#define ACCOUNT_TIME 0xc6000002u
#define ALL ~0UL
#define WINDOW (255UL << 30) /* the structures' GiB once more, as Normal memory */

const char guest_name[] = "steal";

struct stolen {
	u32 revision, attributes;
	u64 ns;
	u64 pad[6];
};

static u64 place[GUEST_CPUS_MAX]; /* what PV_TIME_ST said on each CPU */
static u64 watched[GUEST_CPUS_MAX];
static u64 seed = 16;
static u64 level; /* EL1 of a VM with EL2 is level 2: level=2 */

static struct smccc call(u64 fn, u64 a, u64 b)
{
	struct smccc r = { { fn, a, b } };

	if (dt.psci_smc)
		smccc_smc(&r);
	else
		smccc_hvc(&r);
	return r;
}

/* The structure is Normal, cacheable memory (DEN0057): other than the devices in that GiB. */
static struct stolen *structure(u64 at)
{
	return (struct stolen *)(WINDOW + (at & MASK(29, 0)));
}

static void make_window(u64 at)
{
	mmu_set(WINDOW, (mmu_table()[WINDOW >> 30] & ~WINDOW) | ALIGN_DOWN(at, GIB(1)));
}

static bool in_ram(u64 at)
{
	return at - dt.ram < dt.ram_size;
}

static u64 stolen_ns(u64 at)
{
	return __atomic_load_n(&structure(at)->ns, __ATOMIC_RELAXED);
}

static void test_discovery(void)
{
	expect_eq(call(SMCCC_ARCH_FEATURES, PV_TIME_FEATURES, 0).x[0], 0, "ARCH_FEATURES");
	expect_eq(call(PV_TIME_FEATURES, PV_TIME_FEATURES, 0).x[0], 0, "PV_TIME_FEATURES");
	expect_eq(call(PV_TIME_FEATURES, PV_TIME_ST, 0).x[0], 0, "of PV_TIME_ST");
	expect_eq(call(PV_TIME_FEATURES, PV_TIME_ST + 1, 0).x[0], -1UL, "of nothing");
}

/* As the first CPU does. */
static void use_caches(u32 index)
{
	if (index)
		mmu_enable();
}

static void ask(u32 index)
{
	use_caches(index);
	place[index] = call(PV_TIME_ST, ~0UL, ~0UL).x[0];
}

/* Each vcpu has its own structure, in no RAM, 64 bytes apart at least, always the same. */
static void test_place(void)
{
	u32 i, j;

	smp_run_all(ask, PATIENCE_US);
	for (i = 0; i < dt.cpu_count; i++) {
		const struct stolen *s = structure(place[i]);

		expect(place[i] % 64 == 0 && !in_ram(place[i]), "cpu %u: structure at 0x%lx", i,
		       place[i]);
		expect_eq(s->revision, 0, "revision");
		expect_eq(s->attributes, 0, "attributes");
		for (j = 0; j < i; j++)
			expect(place[i] != place[j], "cpus %u and %u share one", i, j);
	}
	expect_eq(call(PV_TIME_ST, 0, 0).x[0], place[0], "asked again");
}

static void watch(u32 index)
{
	u64 end = counter_virt() + ticks_us(dt_arg("ms", 0) * 1000), last, at = place[index];

	use_caches(index);
	watched[index] = stolen_ns(at);
	last = watched[index];
	while ((s64)(counter_virt() - end) < 0) {
		u64 now = stolen_ns(at);

		expect(now >= last, "cpu %u: stolen time went back from %lu to %lu", index, last,
		       now);
		last = now;
	}
	/* Without an interrupt meanwhile, it is told what was stolen below nidus if it asks anew. */
	call(PV_TIME_ST, 0, 0);
	watched[index] = stolen_ns(at) - watched[index];
}

static void test_stolen(void)
{
	u64 ns = dt_arg("ms", 0) * 1000000;
	u32 i;

	if (!ns)
		return test_skip("no ms=N");
	smp_run_all(watch, 10 * PATIENCE_US);
	for (i = 0; i < dt.cpu_count; i++) {
		u64 percent = watched[i] * 100 / ns;

		print("steal: cpu %u: %lu us of %lu stolen\n", i, watched[i] / 1000, ns / 1000);
		expect(percent >= dt_arg("min", 0) && percent <= dt_arg("max", 100),
		       "cpu %u: %lu%% stolen", i, percent);
	}
}

static void test_identity(void)
{
	struct smccc r = call(ACCOUNT_UID, 0, 0);

	expect(r.x[0] == 0x7564696e && r.x[1] == 0x63410073 && r.x[2] == 0x756f0080 &&
		       r.x[3] == 0x0100746e,
	       "UID 0x%lx 0x%lx 0x%lx 0x%lx", r.x[0], r.x[1], r.x[2], r.x[3]);
	expect_eq(call(ACCOUNT_REVISION, 0, 0).x[0], 1, "revision");
}

/* The class of this name at level 1 or 2; ALL: none. */
static u64 class_named(const char *name, u64 of)
{
	u64 class;

	for (class = 0;; class ++) {
		struct smccc r = call(ACCOUNT_NAME, class, 0);

		if (r.x[0])
			return ALL;
		if (!strncmp((const char *)&r.x[1], name, 16) && r.x[3] == of)
			return class;
	}
}

static u64 exits_of(u64 class, u64 vcpu)
{
	struct smccc r = call(ACCOUNT_EXITS, class, vcpu);

	expect_eq(r.x[0], 0, "ACCOUNT_EXITS");
	return r.x[1];
}

/* A hundred calls are a hundred exits of their class; each call that asks is one more. */
static void test_exits(void)
{
	u64 class = class_named(dt.psci_smc ? "SMC64" : "HVC64", level), before;
	u32 i;

	expect(class != ALL, "no class of calls");
	before = exits_of(class, 0);
	for (i = 0; i < 100; i++)
		call(SMCCC_VERSION, 0, 0);
	expect_eq(exits_of(class, 0), before + 101, "exits for calls");
	expect(exits_of(class, ALL) >= before + 102, "exits of all vcpus are fewer than one's");
	expect_eq(class_named("HVC64", 3), ALL, "a class of level 3");
	if (level == 1)
		expect_eq(exits_of(class_named("HVC64", 2), ALL), 0, "exits of L2, which is not");
}

static void test_times(void)
{
	struct smccc a = call(ACCOUNT_TIME, 0, 0), b;
	u64 begin = counter_virt(), ticks;

	while (counter_virt() - begin < ticks_us(2000))
		;
	b = call(ACCOUNT_TIME, 0, 0);
	ticks = counter_virt() - begin;
	expect_eq(b.x[0], 0, "ACCOUNT_TIME");
	expect(b.x[1] - a.x[1] >= ticks_us(1000) || b.x[3] - a.x[3] >= ticks_us(500),
	       "the guest had %lu ticks of %lu, %lu stolen", b.x[1] - a.x[1], ticks,
	       b.x[3] - a.x[3]);
	expect(b.x[2] > a.x[2], "nidus took no time");
}

static const u64 bad[] = { 34,        35,       0xff,       0xffffffff, 1UL << 32, 1UL << 63,
			   ~0UL - 33, ~0UL - 1, 0x40000000, 0x8000000,  17 * 64,   16 };

/* Whatever the arguments: an error that changes nothing, or an answer about this VM. */
static void test_arguments(void)
{
	struct smccc r;
	u64 i, n;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		r = call(ACCOUNT_EXITS, bad[i], 0);
		expect(r.x[0] == -3UL ? r.x[1] == bad[i] : bad[i] < 34, "class 0x%lx: 0x%lx",
		       bad[i], r.x[0]);
		expect_eq(call(ACCOUNT_EXITS, 0, bad[i]).x[0], -3UL, "exits of no vcpu");
		expect_eq(call(ACCOUNT_TIME, bad[i], 0).x[0], -3UL, "time of no vcpu");
	}
	for (n = 0; n < 2000; n++) {
		u64 fn = (n & 1 ? 0xc6000000 : 0xc5000020) + random_next(&seed) % 16;

		r = call(fn | random_next(&seed) << 32, random_next(&seed), random_next(&seed));
		expect(r.x[0] == -1UL || r.x[0] == -3UL || r.x[0] == 0 || r.x[0] == place[0],
		       "0x%lx answers 0x%lx", fn, r.x[0]);
	}
}

/* The structures are the VM's own memory: what it writes there is its own loss. */
static void test_hostile(void)
{
	struct stolen *s = structure(place[0] & ~4095UL);
	u64 *word = (u64 *)s, i;

	if (!dt_flag("hostile"))
		return test_skip("no hostile");
	for (i = 0; i < 512; i++)
		word[i] = random_next(&seed);
	delay_us(20000); /* others have the CPU, and it is told */
	expect_eq(call(PV_TIME_ST, 0, 0).x[0], place[0], "where it is");
	s = structure(place[0]);
	expect(!s->revision && !s->attributes, "revision %u, attributes %u", s->revision,
	       s->attributes);
	expect(s->ns < 3600UL * 1000000000, "%lu ns stolen", s->ns);
}

void guest_main(void)
{
	static const struct suite_test tests[] = {
		{ "discovery", test_discovery, 1 }, { "place", test_place, 1 },
		{ "stolen", test_stolen, 1 },       { "identity", test_identity, 1 },
		{ "exits", test_exits, 1 },         { "times", test_times, 1 },
		{ "arguments", test_arguments, 1 }, { "hostile", test_hostile, 1 },
	};

	level = dt_arg("level", 1);
	mmu_build();
	mmu_enable();
	ask(0);
	make_window(place[0]);
	print("steal: begins with %lu ns stolen, %lu calls\n", stolen_ns(place[0]),
	      exits_of(class_named(dt.psci_smc ? "SMC64" : "HVC64", level), ALL));
	suite_run(tests, ARRAY_SIZE(tests), NULL);
	if (dt_flag("reset"))
		psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}
