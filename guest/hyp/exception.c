/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions that an L2 handles itself, at every vector, and those that virtual interrupts cause.
 */
#include "hyp.h"

#include "mmu.h"

/* payload.S */
extern const char l2_telling_vectors[];
void el0_svc(void);
void el0_undef(void);
void el0_store(void);
void el0_hvc(void);
void el0_fp(void);
void el0_counter(void);
void el0_jump(void);
u64 l2_spin(u64 a, u64 b, u64 c);

/* What L2 recorded. */
static struct {
	u64 count, esr, far, elr, spsr, x1;
} found;

enum l2_act { ACT_SVC, ACT_UDF, ACT_BRK, ACT_UNMAPPED, ACT_FETCH, ACT_PC, ACT_FP, ACT_EL2 };

static void act(u64 what)
{
	switch (what) {
	case ACT_SVC:
		asm volatile("svc #0x55" ::: "memory");
		break;
	case ACT_UDF:
		asm volatile(".inst 0" ::: "memory");
		break;
	case ACT_BRK:
		asm volatile("brk #0x66" ::: "memory");
		break;
	case ACT_UNMAPPED:
		asm volatile("ldr x1, [%0]" ::"r"(1UL << 41) : "x1", "memory");
		break;
	case ACT_FETCH:
		asm volatile("blr %0" ::"r"(1UL << 41) : "x30", "memory");
		break;
	case ACT_PC:
		asm volatile("blr %0" ::"r"(L2_BASE + 2) : "x30", "memory");
		break;
	case ACT_FP:
		asm volatile(".inst 0x9e660000" ::: "x0", "memory");
		break;
	case ACT_EL2:
		asm volatile("msr vbar_el2, xzr" ::: "memory");
		break;
	}
}

static u64 l2_act(u64 what, u64 b, u64 c)
{
	struct trap t;

	(void)b;
	(void)c;
	sysreg_write(CPACR_EL1, 0);
	isb();
	trap_arm(&t);
	act(what);
	trap_disarm();
	found.count = t.count;
	found.esr = t.esr;
	found.far = t.far;
	return 0;
}

/* Run fn at EL0 until its exception. */
static u64 l2_el0(u64 fn, u64 x1, u64 c)
{
	struct frame f = { .elr = MMU_EL0 + fn, .spsr = SPSR_EL0T };

	(void)c;
	f.x[0] = 41;
	f.x[1] = x1;
	el0_run(&f);
	found.esr = f.esr;
	found.far = f.far;
	found.spsr = f.spsr;
	found.x1 = f.x[1];
	return 0;
}

static void inside(struct l2 *l, const char *name, u64 what, u64 esr, u64 far)
{
	check_begin("exception", "L2's EL1: %s", name);
	memset(&found, 0, sizeof(found));
	l2_run_fn(l, l2_act, what, 0, 0);
	expect_eq(l->exits, 1, "exits");
	expect_eq(found.count, 1, "exceptions");
	expect_eq(found.esr, esr, "esr");
	if (far)
		expect_eq(found.far, far, "far");
}

static void from_el0(struct l2 *l, const char *name, void (*fn)(void), u64 esr, u64 x1, u64 far)
{
	check_begin("exception", "L2's EL0: %s", name);
	memset(&found, 0, sizeof(found));
	l2_run_fn(l, l2_el0, l2_address(fn), x1, 0);
	expect_eq(l->exits, 1, "exits");
	expect_eq(found.esr, esr, "esr");
	expect_eq(found.spsr & 0x3ff, SPSR_EL0T, "spsr");
	if (far)
		expect_eq(found.far, far, "far");
}

/* Exceptions from one source level, recorded by the reporting vectors. */
struct source {
	char name[8];
	u64 spsr; /* DAIF clear */
	u32 base; /* vector */
};
static const struct source sources[] = {
	{ "EL1t", 4, 0 },
	{ "EL1h", 5, 4 },
	{ "EL0t", 0, 8 },
};

static void telling_begin(struct l2 *l, const struct source *s, const void *pc)
{
	u64 at = l2_address(pc);

	l2_call(l, l2_spin, 0, 0, 0);
	l->elr = s->spsr ? at : MMU_EL0 + at;
	l->spsr = s->spsr;
	l2_put();
	l->sys[L2_VBAR] = l2_address(l2_telling_vectors);
	l->sys[L2_SP0] = (s->spsr ? 0 : MMU_EL0) + l2_address(l2_telling_vectors) + 2048;
	l->sys[L2_CPACR] = 0;
}

static void telling_end(struct l2 *l, const char *what, u32 vector, u64 elr, u64 spsr, u64 esr)
{
	u64 kind = l2_run(l);

	if (!l2_is_hvc(l, kind, 0x100 + vector)) {
		test_fail("%s: kind %lu esr 0x%lx elr 0x%lx, expected vector %u", what, kind,
			  l->esr, l->elr, vector);
		return;
	}
	expect_eq(el1_read(ELR), elr, "ELR_EL1");
	expect_eq(el1_read(SPSR) & 0xf00003ef, spsr, "SPSR_EL1");
	expect_eq(l->spsr & 0x3ef, 0x3c5, "PSTATE in the handler");
	if (esr)
		expect_eq(el1_read(ESR) & ~MASK(24, 0), esr, "EC and IL of ESR_EL1");
}

static void all_vectors(struct l2 *l, const struct source *s)
{
	u64 pc = (s->spsr ? 0 : MMU_EL0) + l2_address(el0_svc);

	check_begin("exception", "vector %u: SVC from %s", s->base, s->name);
	telling_begin(l, s, el0_svc);
	telling_end(l, "SVC", s->base, pc + 8, s->spsr, ESR_OF(EC_SVC, 0));
	check_begin("exception", "vector %u: HCR_EL2.VI at %s", s->base + 1, s->name);
	telling_begin(l, s, el0_svc);
	l->hcr |= HCR_VI;
	telling_end(l, "virtual IRQ", s->base + 1, pc, s->spsr, 0);
	expect_eq(l->hcr_exit & HCR_VI, HCR_VI, "HCR_EL2.VI");
	l->hcr = HCR_L2;
	check_begin("exception", "vector %u: HCR_EL2.VF at %s", s->base + 2, s->name);
	telling_begin(l, s, el0_svc);
	l->hcr |= HCR_VF;
	telling_end(l, "virtual FIQ", s->base + 2, pc, s->spsr, 0);
	l->hcr = HCR_L2;
	check_begin("exception", "vector %u: HCR_EL2.VSE at %s", s->base + 3, s->name);
	telling_begin(l, s, el0_svc);
	l->hcr |= HCR_VSE;
	telling_end(l, "virtual SError", s->base + 3, pc, s->spsr, ESR_OF(0x2f, 0));
	expect_eq(l->hcr_exit & HCR_VSE, 0, "HCR_EL2.VSE");
	l->hcr = HCR_L2;
}

/* A virtual interrupt that PSTATE masks stays pending. */
static void masked(struct l2 *l)
{
	static const struct source el1h = { "EL1h", 0x3c5, 4 };

	check_begin("exception", "HCR_EL2.VI, VF and VSE wait while PSTATE masks them");
	telling_begin(l, &el1h, el0_svc);
	l->hcr |= HCR_VI | HCR_VF | HCR_VSE;
	telling_end(l, "SVC", 4, l2_address(el0_svc) + 8, 0x3c5, ESR_OF(EC_SVC, 0));
	expect_eq(l->hcr_exit & HCR_VSE, HCR_VSE, "HCR_EL2.VSE");
	l->hcr = HCR_L2;
	check_begin("exception", "HCR_EL2.VI is nothing with IMO=0");
	telling_begin(l, &(struct source){ "EL1h", 5, 4 }, el0_svc);
	l->hcr = (l->hcr | HCR_VI) & ~HCR_IMO;
	telling_end(l, "SVC", 4, l2_address(el0_svc) + 8, 5, ESR_OF(EC_SVC, 0));
	l->hcr = HCR_L2;
}

/*
 * The hypervisor writes the registers of an exception into L2's context, as any hypervisor does to
 * inject one.
 */
static void injected(struct l2 *l)
{
	u64 kind;

	check_begin("exception", "an exception that L1 writes into L2's registers");
	telling_begin(l, &sources[1], el0_svc);
	l2_put();
	l->sys[L2_ESR] = ESR_OF(EC_DABT, 0x10);
	l->sys[L2_FAR] = 0x1234567;
	l->sys[L2_ELR] = l2_address(el0_svc);
	l->sys[L2_SPSR] = 5;
	l->elr = l->sys[L2_VBAR] + 0x200;
	l->spsr = SPSR_EL1H;
	kind = l2_run(l);
	expect(l2_is_hvc(l, kind, 0x104), "kind %lu esr 0x%lx", kind, l->esr);
	kind = l2_run(l); /* its ERET to el0_svc */
	expect(l2_is_hvc(l, kind, 0x104), "kind %lu esr 0x%lx", kind, l->esr);
	expect_eq(el1_read(ELR), l2_address(el0_svc) + 8, "ELR_EL1");
	expect_eq(el1_read(ESR), ESR_OF(EC_SVC, 0x123), "ESR_EL1");
}

void group_exception(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	check_begin("exception", "L2 boots");
	l2_reset(l, 1);
	inside(l, "SVC", ACT_SVC, ESR_OF(EC_SVC, 0x55), 0);
	inside(l, "UDF", ACT_UDF, ESR_OF(EC_UNKNOWN, 0), 0);
	inside(l, "BRK", ACT_BRK, ESR_OF(EC_BRK, 0x66), 0);
	inside(l, "load from an unmapped address", ACT_UNMAPPED, ESR_OF(EC_DABT, 0x04), 1UL << 41);
	inside(l, "branch to an unmapped address", ACT_FETCH, ESR_OF(EC_IABT, 0x04), 1UL << 41);
	inside(l, "branch to an odd address", ACT_PC, ESR_OF(EC_PC_ALIGN, 0), L2_BASE + 2);
	inside(l, "FP with CPACR_EL1.FPEN 0", ACT_FP, ESR_OF(EC_FP, 0x1e00000), 0);
	inside(l, "MSR of an EL2 register", ACT_EL2, ESR_OF(EC_UNKNOWN, 0), 0);
	from_el0(l, "SVC", el0_svc, ESR_OF(EC_SVC, 0x123), 0, 0);
	expect_eq(found.x1, 42, "x1");
	from_el0(l, "HVC", el0_hvc, ESR_OF(EC_UNKNOWN, 0), 0, 0);
	from_el0(l, "MRS of an EL1 register", el0_undef, ESR_OF(EC_UNKNOWN, 0), 0, 0);
	from_el0(l, "store to memory of EL1's", el0_store, ESR_OF(EC_DABT_LOW, 0x4d), L2_BASE,
		 L2_BASE);
	from_el0(l, "store to an unmapped address", el0_store, ESR_OF(EC_DABT_LOW, 0x44), 1UL << 41,
		 1UL << 41);
	from_el0(l, "branch to an unmapped address", el0_jump, ESR_OF(EC_IABT_LOW, 0x04), 1UL << 41,
		 1UL << 41);
	from_el0(l, "FP with CPACR_EL1.FPEN 0", el0_fp, ESR_OF(EC_FP, 0x1e00000), 0, 0);
	from_el0(l, "counter with CNTKCTL_EL1 0", el0_counter,
		 ESR_OF(EC_SYS, 3UL << 20 | 2UL << 17 | 3UL << 14 | 14UL << 10 | 1UL << 5 | 1), 0,
		 0);
	for (i = 0; i < ARRAY_SIZE(sources); i++)
		all_vectors(l, &sources[i]);
	masked(l);
	injected(l);
}
