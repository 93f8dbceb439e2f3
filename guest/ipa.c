/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses with nothing behind them: every kind of access gets a synchronous external abort with
 * the right address, on a machine and in a VM alike.
 */
#include "lib/exception.h"
#include "lib/mmu.h"
#include "lib/suite.h"

const char guest_name[] = "ipa";

#define FSC_EXTERNAL 0x10
#define FSC_EXTERNAL_WALK_L2 0x16
#define ESR_WNR BIT(6)
#define ESR_FNV BIT(10)

/* One in the Device GiB, one just above memory, some far away. */
static u64 holes[] = { 0x0b000008, 0, 0x1f40000000, 0x2000000000 };

static void expect_abort(const struct trap *t, u64 ec, u64 far, bool write, const char *what)
{
	expect(t->count == 1, "%s at 0x%lx: %u exceptions", what, far, t->count);
	if (t->count != 1)
		return;
	expect(ESR_EC(t->esr) == ec && (t->esr & 0x3f) == FSC_EXTERNAL,
	       "%s at 0x%lx: esr 0x%lx, expected an external abort", what, far, t->esr);
	expect(t->far == far, "%s at 0x%lx: far is 0x%lx", what, far, t->far);
	expect(!(t->esr & ESR_FNV), "%s at 0x%lx: FnV is set", what, far);
	if (ec == EC_DABT)
		expect(!(t->esr & ESR_WNR) == !write, "%s at 0x%lx: WnR is wrong", what, far);
}

#define ACCESS(what, a, write, ...)                                                                \
	do {                                                                                       \
		struct trap t_;                                                                    \
		trap_arm(&t_);                                                                     \
		asm volatile(__VA_ARGS__);                                                         \
		trap_disarm();                                                                     \
		expect_abort(&t_, EC_DABT, a, write, what);                                        \
	} while (0)

static void test_loads(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		u64 a = holes[i], b = a;

		ACCESS("ldr", a, false, "ldr x9, [%0]" ::"r"(a) : "x9", "memory");
		ACCESS("ldrb", a, false, "ldrb w9, [%0]" ::"r"(a) : "x9", "memory");
		ACCESS("ldrsh", a, false, "ldrsh x9, [%0]" ::"r"(a) : "x9", "memory");
		ACCESS("ldr wzr", a, false, "ldr wzr, [%0]" ::"r"(a) : "memory");
		ACCESS("ldp", a, false, "ldp x9, x10, [%0]" ::"r"(a) : "x9", "x10", "memory");
		ACCESS("ldar", a, false, "ldar x9, [%0]" ::"r"(a) : "x9", "memory");
		ACCESS("ldxr", a, false, "ldxr x9, [%0]\n\tclrex" ::"r"(a) : "x9", "memory");
		ACCESS("ldr post-index", a, false, "ldr x9, [%0], #8" : "+r"(b)::"x9", "memory");
		expect_eq(b, a, "base register after the aborted load");
	}
}

static void test_stores(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		u64 a = holes[i], b = a;

		ACCESS("str", a, true, "str x9, [%0]" ::"r"(a) : "memory");
		ACCESS("strb", a, true, "strb w9, [%0]" ::"r"(a) : "memory");
		ACCESS("str wzr", a, true, "str wzr, [%0]" ::"r"(a) : "memory");
		ACCESS("stp", a, true, "stp x9, x10, [%0]" ::"r"(a) : "memory");
		ACCESS("stlr", a, true, "stlr x9, [%0]" ::"r"(a) : "memory");
		ACCESS("str pre-index", a + 8, true, "str x9, [%0, #8]!" : "+r"(b)::"memory");
		expect_eq(b, a, "base register after the aborted store");
	}
}

/*
 * Atomics abort as a write or as a read, which is IMPLEMENTATION DEFINED: only the address is
 * certain.
 */
static void test_atomics(void)
{
	u32 i;

	for (i = 1; i < ARRAY_SIZE(holes); i++) {
		struct trap t;

		trap_arm(&t);
		asm volatile("swp x9, x10, [%0]" ::"r"(holes[i]) : "x10", "memory");
		trap_disarm();
		expect_abort(&t, EC_DABT, holes[i], t.esr & ESR_WNR, "swp");
		trap_arm(&t);
		asm volatile("ldadd x9, x10, [%0]" ::"r"(holes[i]) : "x10", "memory");
		trap_disarm();
		expect_abort(&t, EC_DABT, holes[i], t.esr & ESR_WNR, "ldadd");
		trap_arm(&t);
		asm volatile("dc zva, %0" ::"r"(holes[i] & ~63UL) : "memory");
		trap_disarm();
		expect(t.count == 1 && (t.far & ~63UL) == (holes[i] & ~63UL),
		       "dc zva at 0x%lx: %u exceptions, far 0x%lx", holes[i], t.count, t.far);
	}
}

/* Hints and maintenance: no fault, or an abort with the address. */
static void test_hints(void)
{
	u32 i, aborts = 0;

	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		struct trap t;

		trap_arm(&t);
		asm volatile("prfm pldl1keep, [%0]" ::"r"(holes[i]) : "memory");
		expect_eq(t.count, 0, "exceptions by PRFM");
		asm volatile("dc civac, %0" ::"r"(holes[i]) : "memory");
		asm volatile("dc cvau, %0" ::"r"(holes[i]) : "memory");
		asm volatile("ic ivau, %0" ::"r"(holes[i]) : "memory");
		trap_disarm();
		aborts += t.count;
	}
	print("ipa: cache maintenance there: %u of %lu abort\n", aborts, 3 * ARRAY_SIZE(holes));
}

static void test_fetch(void)
{
	u32 i;

	for (i = 1; i < ARRAY_SIZE(holes); i++) {
		u64 a = holes[i] & ~3UL;
		struct trap t;

		trap_arm(&t);
		((void (*)(void))a)();
		trap_disarm();
		expect_abort(&t, EC_IABT, a, false, "fetch");
	}
}

/* A table descriptor with no memory at its address: the walk aborts, FAR is the virtual address. */
static void test_walk(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		u64 va = 100UL << 30 | 0x123456780, old;
		struct trap t;

		old = mmu_set(va, (holes[i] & ~0xfffUL) | 3);
		trap_arm(&t);
		asm volatile("ldr x9, [%0]" ::"r"(va) : "x9", "memory");
		trap_disarm();
		mmu_set(va, old);
		expect_eq(t.count, 1, "exceptions");
		expect_eq(t.esr & 0x3f, FSC_EXTERNAL_WALK_L2, "DFSC");
		expect_eq(t.far, va, "FAR");
	}
}

extern const char el0_load[];
asm(".pushsection .text\n"
    "el0_load: ldr x1, [x0]\n\tsvc #1\n"
    ".popsection");

static void test_el0(void)
{
	u32 i;

	for (i = 1; i < ARRAY_SIZE(holes); i++) {
		struct frame f = { .elr = MMU_EL0 + (u64)el0_load, .spsr = 0x3c0 };

		f.x[0] = MMU_EL0 + holes[i];
		el0_run(&f);
		expect_eq(ESR_EC(f.esr), EC_DABT_LOW, "EC");
		expect_eq(f.esr & 0x3f, FSC_EXTERNAL, "DFSC");
		expect_eq(f.far, MMU_EL0 + holes[i], "FAR");
		expect_eq(f.elr, MMU_EL0 + (u64)el0_load, "ELR");
	}
}

/* Probe the whole address space in strides: each address answers or aborts with itself in FAR. */
static void test_sweep(void)
{
	u64 a, there = 0, aborts = 0;

	for (a = 0x08000000; a < 64UL << 30; a += 0x1234000) {
		struct trap t;

		trap_arm(&t);
		asm volatile("ldr w9, [%0]" ::"r"(a) : "x9", "memory");
		trap_disarm();
		if (t.count)
			expect_abort(&t, EC_DABT, a, false, "ldr");
		*(t.count ? &aborts : &there) += 1;
	}
	print("ipa: %lu places answer, %lu abort\n", there, aborts);
	expect(aborts > 0 && there > 0, "a strange machine");
}

static const struct suite_test tests[] = {
	{ "loads", test_loads, 1 },  { "stores", test_stores, 1 }, { "atomics", test_atomics, 1 },
	{ "hints", test_hints, 1 },  { "fetch", test_fetch, 1 },   { "walk", test_walk, 1 },
	{ "el0_load", test_el0, 1 }, { "sweep", test_sweep, 1 },
};

/* hole=ADDRESS: one chosen by the caller, known to have nothing of the VM's there. */
void guest_main(void)
{
	u64 hole = dt_arg("hole", 0);

	holes[1] = hole ? hole : dt.ram + dt.ram_size + 0x10000;
	if (hole)
		print("ipa: asked for 0x%lx\n", hole);
	suite_run(tests, ARRAY_SIZE(tests), NULL);
}
