/* SPDX-License-Identifier: Apache-2.0 */
/* The hypervisor alone and its host EL0; calls, EL1 registers and exceptions of an L2. */
#include "hyp.h"

#include "mmu.h"

/* payload.S */
void el0_svc(void);
void el0_undef(void);
void el0_store(void);
void el0_hvc(void);
void el0_fp(void);
void el0_counter(void);
void el0_jump(void);
u64 l2_all_gprs(u64 a, u64 b, u64 c);
u64 l2_smc(u64 a, u64 b, u64 c);

/* ---- host: EL2&0 without a guest ------------------------------------------------------------- */

static void host_el0(const char *name, void (*fn)(void), u64 esr, u64 x1, u64 far)
{
	struct frame f = { .elr = MMU_EL0 + (u64)fn, .spsr = SPSR_EL0T };

	check_begin("host", "EL0 %s", name);
	if (!needs_vhe())
		return;
	f.x[0] = 41;
	f.x[1] = x1;
	irq_disable();
	el0_run(&f);
	expect_eq(f.esr, esr, "esr");
	expect_eq(f.spsr & 0x3ff, SPSR_EL0T, "spsr");
	if (far)
		expect_eq(f.far, far, "far");
	if (ESR_EC(esr) == EC_SVC && ESR_ISS(esr) == 0x123)
		expect_eq(f.x[1], 42, "x1");
}

/* Without VHE each name denotes a register of its own. */
static void names_apart(void)
{
#define APART(el1, el2, v)                                                                         \
	do {                                                                                       \
		u64 old_ = sysreg_read(el2), old1_ = sysreg_read(el1);                             \
		check_begin("host", "%s is not %s", #el1, #el2);                                   \
		sysreg_write(el2, v);                                                              \
		sysreg_write(el1, (v) ^ 0xff0);                                                    \
		isb();                                                                             \
		expect_eq(sysreg_read(el2), v, #el2);                                              \
		expect_eq(sysreg_read(el1), (v) ^ 0xff0, #el1);                                    \
		sysreg_write(el2, (v) ^ 0x330);                                                    \
		isb();                                                                             \
		expect_eq(sysreg_read(el1), (v) ^ 0xff0, #el1 " after");                           \
		sysreg_write(el2, old_);                                                           \
		sysreg_write(el1, old1_);                                                          \
		isb();                                                                             \
	} while (0)
	APART(ESR_EL1, ESR_EL2, 0x12345678UL);
	APART(FAR_EL1, FAR_EL2, 0x123456789abcdef0UL);
	APART(ELR_EL1, ELR_EL2, 0x0000456789abcde0UL);
	APART(SPSR_EL1, SPSR_EL2, 0x600003c0UL);
	APART(CONTEXTIDR_EL1, CONTEXTIDR_EL2, 0x55aa55a0UL);
	APART(TPIDR_EL0, TPIDR_EL2, 0x123456789abcdef0UL);
	APART(CNTP_CVAL_EL0, CNTHP_CVAL_EL2, 0x123456789abcdef0UL);
	APART(CNTV_CVAL_EL0, CNTHP_CVAL_EL2, 0x123456789abcdef0UL);
#undef APART
#define UNLIKE(el1, v)                                                                             \
	do {                                                                                       \
		u64 old_ = own_read(el1), old1_ = sysreg_read(el1##_EL1);                          \
		check_begin("host", "%s leaves EL2's alone", #el1 "_EL1");                         \
		sysreg_write(el1##_EL1, v);                                                        \
		isb();                                                                             \
		expect_eq(sysreg_read(el1##_EL1), v, #el1 "_EL1");                                 \
		expect_eq(own_read(el1), old_, #el1 "_EL2");                                       \
		sysreg_write(el1##_EL1, old1_);                                                    \
		isb();                                                                             \
	} while (0)
	UNLIKE(SCTLR, 0x30d50830UL);
	UNLIKE(TCR, 0x00000005b5993519UL);
	UNLIKE(TTBR0, 0x0011000012345000UL);
	UNLIKE(MAIR, 0x000000ff440c0804UL);
	UNLIKE(VBAR, 0x12345800UL);
#undef UNLIKE
}

/* EL1 names are EL2's registers under E2H, and _EL12 names are EL1's. */
static void host_names(void)
{
#define PAIR(el1, el2, el12, v)                                                                    \
	do {                                                                                       \
		u64 old_ = sysreg_read(el1);                                                       \
		check_begin("host", "%s is %s", #el1, #el2);                                       \
		sysreg_write(el12, (v) ^ 0xff0);                                                   \
		sysreg_write(el1, v);                                                              \
		isb();                                                                             \
		expect_eq(sysreg_read(el2), v, #el2);                                              \
		expect_eq(sysreg_read(el12), (v) ^ 0xff0, #el12);                                  \
		sysreg_write(el2, (v) ^ 0x330);                                                    \
		isb();                                                                             \
		expect_eq(sysreg_read(el1), (v) ^ 0x330, #el1);                                    \
		expect_eq(sysreg_read(el12), (v) ^ 0xff0, #el12 " after");                         \
		sysreg_write(el1, old_);                                                           \
		isb();                                                                             \
	} while (0)

	PAIR(ESR_EL1, ESR_EL2, ESR_EL12, 0x12345678UL);
	PAIR(FAR_EL1, FAR_EL2, FAR_EL12, 0x123456789abcdef0UL);
	PAIR(ELR_EL1, ELR_EL2, ELR_EL12, 0x0000456789abcde0UL);
	PAIR(SPSR_EL1, SPSR_EL2, SPSR_EL12, 0x600003c0UL);
	PAIR(TTBR1_EL1, TTBR1_EL2, TTBR1_EL12, 0x0012000040001000UL);
	PAIR(CONTEXTIDR_EL1, CONTEXTIDR_EL2, CONTEXTIDR_EL12, 0x55aa55a0UL);
#undef PAIR
#define SAME(el1, el2)                                                                             \
	do {                                                                                       \
		check_begin("host", "%s reads %s", #el1, #el2);                                    \
		expect_eq(sysreg_read(el1), sysreg_read(el2), #el1);                               \
	} while (0)
	SAME(SCTLR_EL1, SCTLR_EL2);
	SAME(TCR_EL1, TCR_EL2);
	SAME(TTBR0_EL1, TTBR0_EL2);
	SAME(MAIR_EL1, MAIR_EL2);
	SAME(VBAR_EL1, VBAR_EL2);
	SAME(AMAIR_EL1, AMAIR_EL2);
	SAME(AFSR0_EL1, AFSR0_EL2);
	SAME(AFSR1_EL1, AFSR1_EL2);
	SAME(CPACR_EL1, CPTR_EL2);
#undef SAME
	/*
	 * A virtual EL2 has bits 11:10 only on a CPU whose CNTKCTL_EL1 keeps them, as QEMU's does,
	 * or with FEAT_NV2p1.
	 */
	check_begin("host", "CNTKCTL_EL1 reads CNTHCTL_EL2, bits 11 to 0");
	expect_eq(sysreg_read(CNTKCTL_EL1) & 0xfff, sysreg_read(CNTHCTL_EL2) & 0xfff,
		  "CNTKCTL_EL1");
	sysreg_write(CNTKCTL_EL1, 0x403);
	expect_eq(sysreg_read(CNTHCTL_EL2) & 0xfff, 0x403,
		  "CNTHCTL_EL2 after a write of 0x403 to CNTKCTL_EL1");
	sysreg_write(CNTHCTL_EL2, 0xc03);
	expect_eq(sysreg_read(CNTKCTL_EL1) & 0xfff, 0xc03,
		  "CNTKCTL_EL1 after a write of 0xc03 to CNTHCTL_EL2");
}

/* Registers that only EL2 has keep what is written. */
static void host_own(void)
{
#define OWN(reg, v) OWN_IF(true, reg, v)
#define OWN_IF(exists, reg, v)                                                                     \
	do {                                                                                       \
		u64 old_;                                                                          \
		check_begin("host", "%s holds its value", #reg);                                   \
		if (!(exists)) {                                                                   \
			test_skip("no such feature");                                              \
			break;                                                                     \
		}                                                                                  \
		old_ = sysreg_read(reg);                                                           \
		sysreg_write(reg, v);                                                              \
		isb();                                                                             \
		expect_eq(sysreg_read(reg), v, #reg);                                              \
		sysreg_write(reg, old_);                                                           \
		isb();                                                                             \
		expect_eq(sysreg_read(reg), old_, #reg);                                           \
	} while (0)
	OWN(VTTBR_EL2, 0x0012000041000000UL);
	OWN(VTCR_EL2, 0x80023559UL);
	OWN(TPIDR_EL2, 0xfedcba9876543210UL);
	OWN(VPIDR_EL2, 0x410fd0c0UL);
	OWN(VMPIDR_EL2, 0x80000307UL);
	OWN(CNTVOFF_EL2, 0x123456789aUL);
	OWN(HPFAR_EL2, 0x12345670UL);
	OWN(HSTR_EL2, 0UL);
	OWN_IF(has_fgt, HFGRTR_EL2, BIT(25) | BIT(55));
	OWN_IF(has_fgt, HFGWTR_EL2, BIT(29));
	OWN_IF(has_fgt, HFGITR_EL2, BIT(42) | BIT(12));
	OWN_IF(has_fgt, HDFGRTR_EL2, BIT(4));
	OWN_IF(has_fgt, HDFGWTR_EL2, BIT(4));
	OWN_IF(has_hcx, HCRX_EL2, HCRX_MSCEN | HCRX_FGTNXS);
	OWN(MDCR_EL2, MDCR_TDA | MDCR_TDRA | MDCR_TDOSA);
	OWN(CNTHCTL_EL2, cnthctl_format(0x403UL));
	OWN(CPTR_EL2, cptr_format(CPTR_FPEN));
	OWN(SP_EL1, 0x123456780UL);
	OWN(TPIDR_EL0, 0x1234UL);
	OWN(TPIDRRO_EL0, 0x4321UL);
#undef OWN
#undef OWN_IF
}

/*
 * MRS can name any general register, and a hypervisor may hold some of them elsewhere than others.
 * x9 and x10 are the test's own; the named one is restored.
 */
#define INTO(n, reg)                                                                               \
	asm volatile("mov x9, x" #n "\n\tmrs x" #n ", " reg "\n\tmov x10, x" #n                    \
		     "\n\tmov x" #n ", x9\n\tmov %0, x10"                                          \
		     : "=r"(got[n])                                                                \
		     :                                                                             \
		     : "x9", "x10");
#define EACH(X, reg)                                                                               \
	X(0, reg) X(1, reg) X(2, reg) X(3, reg) X(4, reg) X(5, reg) \
	X(6, reg) X(7, reg) X(8, reg) X(11, reg) X(12, reg) X(13, reg) \
	X(14, reg) X(15, reg) X(16, reg) X(17, reg) X(18, reg) X(19, reg) \
	X(20, reg) X(21, reg) X(22, reg) X(23, reg) X(24, reg) X(25, reg) \
	X(26, reg) X(27, reg) X(28, reg) X(29, reg) X(30, reg)

static void expect_each(const u64 *got, u64 want)
{
	for (u32 n = 0; n < 31; n++)
		if (n != 9 && n != 10 && got[n] != want)
			test_fail("into x%u: 0x%lx, expected 0x%lx", n, got[n], want);
}

static void host_registers(void)
{
	u64 got[31];

	check_begin("host", "HPFAR_EL2 into each general register");
	sysreg_write(HPFAR_EL2, 0x12345670);
	isb();
	EACH(INTO, "hpfar_el2")
	expect_each(got, 0x12345670);
	check_begin("host", "ID_AA64MMFR0_EL1 into each general register");
	EACH(INTO, "id_aa64mmfr0_el1")
	expect_each(got, sysreg_read(ID_AA64MMFR0_EL1));
	check_begin("host", "OSLSR_EL1 into each general register");
	EACH(INTO, "oslsr_el1")
	expect_each(got, sysreg_read(OSLSR_EL1));
}

/* The host's own exceptions: undefined, alignment of PC, data abort, SVC and HVC at EL2. */
static void host_exceptions(void)
{
	struct trap t;

	check_begin("host", "HVC at EL2 is taken at EL2");
	trap_arm(&t);
	asm volatile("hvc #0x77" ::: "memory");
	trap_disarm();
	expect_eq(t.esr, ESR_OF(EC_HVC, 0x77), "esr");
	check_begin("host", "SVC at EL2 is taken at EL2");
	trap_arm(&t);
	asm volatile("svc #0x78" ::: "memory");
	trap_disarm();
	expect_eq(t.esr, ESR_OF(EC_SVC, 0x78), "esr");
	check_begin("host", "UDF at EL2");
	trap_arm(&t);
	asm volatile(".inst 0" ::: "memory");
	trap_disarm();
	expect_eq(t.esr, ESR_OF(EC_UNKNOWN, 0), "esr");
	check_begin("host", "BRK at EL2");
	trap_arm(&t);
	asm volatile("brk #5" ::: "memory");
	trap_disarm();
	expect_eq(t.esr, ESR_OF(EC_BRK, 5), "esr");
	check_begin("host", "store beyond the address size at EL2");
	trap_arm(&t);
	asm volatile("str xzr, [%0]" ::"r"(1UL << 40) : "memory");
	trap_disarm();
	expect_eq(t.esr, ESR_OF(EC_DABT, 0x44), "esr");
	expect_eq(t.far, 1UL << 40, "far");
	check_begin("host", "FP at EL2 while CPTR_EL2.FPEN is 0");
	trap_arm(&t);
	asm volatile(".inst 0x9e660000" ::: "x0", "memory");
	trap_disarm();
	expect_eq(t.esr, ESR_OF(EC_FP, 1UL << 24 | 0xeUL << 20), "esr");
}

void group_host(void)
{
	host_el0("SVC", el0_svc, ESR_OF(EC_SVC, 0x123), 0, 0);
	host_el0("MRS of an EL1 register", el0_undef, ESR_OF(EC_UNKNOWN, 0), 0, 0);
	host_el0("HVC is undefined", el0_hvc, ESR_OF(EC_UNKNOWN, 0), 0, 0);
	host_el0("store to memory of EL2's", el0_store, ESR_OF(EC_DABT_LOW, 0x4d), 0x40000000,
		 0x40000000);
	host_el0("store to an unmapped address", el0_store, ESR_OF(EC_DABT_LOW, 0x44), 1UL << 40,
		 1UL << 40);
	host_el0("branch to an unmapped address", el0_jump, ESR_OF(EC_IABT_LOW, 0x04), 1UL << 40,
		 1UL << 40);
	host_el0("FP while CPTR_EL2.FPEN is 0", el0_fp, ESR_OF(EC_FP, 1UL << 24 | 0xeUL << 20), 0,
		 0);
	host_el0("counter with CNTHCTL_EL2.EL0VCTEN", el0_counter, ESR_OF(EC_SVC, 2), 0, 0);
	sysreg_write(CNTHCTL_EL2, cnthctl_format(0xc00));
	isb();
	host_el0("counter without CNTHCTL_EL2.EL0VCTEN", el0_counter,
		 ESR_OF(EC_SYS,
			3UL << 20 | 2UL << 17 | 3UL << 14 | 14UL << 10 | 1UL << 5 | 0UL << 1 | 1),
		 0, 0);
	sysreg_write(CNTHCTL_EL2, cnthctl_format(0xc03));
	isb();
	if (e2h0)
		names_apart();
	else
		host_names();
	host_own();
	host_registers();
	host_exceptions();
}

/* ---- call: HVC and back ---------------------------------------------------------------------- */

/* Call it n times; returns the sum of the answers. */
static u64 l2_echo(u64 rounds, u64 b, u64 c)
{
	u64 i, sum = 0;

	(void)b;
	(void)c;
	for (i = 0; i < rounds; i++)
		sum += l2_hvc_arg(i);
	return sum;
}
static u64 l2_current_el(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	return sysreg_read(CurrentEL) | sysreg_read(SPSel) << 8 | sysreg_read(DAIF) << 16;
}

static u64 l2_hvc_max(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	l2_hvc(0xffee);
	return 0;
}

static u64 l2_id(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	return sysreg_read(MIDR_EL1) << 40 ^ sysreg_read(MPIDR_EL1);
}

static void call_echo(struct l2 *l, u64 rounds)
{
	u64 i, kind;

	check_begin("call", "%lu HVCs answered", rounds);
	l2_call(l, l2_echo, rounds, 0, 0);
	for (i = 0; i < rounds; i++) {
		kind = l2_run(l);
		if (!l2_is_hvc(l, kind, 1) || l->x[0] != i) {
			test_fail("HVC %lu: kind %lu esr 0x%lx x0 0x%lx", i, kind, l->esr, l->x[0]);
			return;
		}
		l->x[0] = i * 3;
	}
	expect_eq(l2_finish(l), rounds * (rounds - 1) / 2 * 3, "sum");
}

static void call_gprs(struct l2 *l)
{
	u64 kind, i;

	check_begin("call", "all general registers, both ways");
	l2_call(l, l2_all_gprs, 0, 0, 0);
	kind = l2_run(l);
	expect(l2_is_hvc(l, kind, 2), "kind %lu esr 0x%lx", kind, l->esr);
	for (i = 0; i < 31; i++) {
		expect(l->x[i] == 0x100 + i, "x%lu is 0x%lx", i, l->x[i]);
		l->x[i] = 0x200 + i;
	}
	expect_eq(l2_finish(l), 0, "wrong registers in L2");
}

static void call_smc(struct l2 *l)
{
	check_begin("call", "SMC with HCR_EL2.TSC, ELR at the instruction");
	l2_call(l, l2_smc, 5, 0, 0);
	if (!l2_expect(l, ESR_OF(EC_SMC, 0x1234), "SMC"))
		return;
	expect_eq(*(u32 *)(l->elr - L2_BASE + (u64)_head), 0xd4024683, "instruction at ELR");
	expect_eq(l->x[0], 5, "x0");
	l->x[0] = 6;
	l->elr += 4;
	expect_eq(l2_finish(l), 6, "result");
}

static void call_two(struct l2 *a, struct l2 *b)
{
	u64 i;

	check_begin("call", "two L2s by turns");
	l2_call(a, l2_echo, 50, 0, 0);
	l2_call(b, l2_echo, 50, 0, 0);
	for (i = 0; i < 50; i++) {
		u64 ka = l2_run(a), kb = l2_run(b);

		if (!l2_is_hvc(a, ka, 1) || !l2_is_hvc(b, kb, 1) || a->x[0] != i || b->x[0] != i)
			test_fail("round %lu: esr 0x%lx 0x%lx, x0 0x%lx 0x%lx", i, a->esr, b->esr,
				  a->x[0], b->x[0]);
		a->x[0] = 1;
		b->x[0] = 2;
	}
	expect_eq(l2_finish(a), 50, "sum of the first");
	expect_eq(l2_finish(b), 100, "sum of the second");
}

void group_call(void)
{
	struct l2 *l = &l2s[0];

	check_begin("call", "L2 turns its MMU on");
	l2_reset(l, 1);
	call_echo(l, 1);
	call_echo(l, 1000);
	call_gprs(l);
	check_begin("call", "L2 is at EL1h with DAIF set");
	expect_eq(l2_run_fn(l, l2_current_el, 0, 0, 0), 0x03c00104, "CurrentEL, SPSel, DAIF");
	check_begin("call", "HVC with a large immediate, ELR after it");
	l2_call(l, l2_hvc_max, 0, 0, 0);
	if (l2_expect(l, ESR_OF(EC_HVC, 0xffee), "HVC"))
		expect_eq(*(u32 *)(l->elr - 4 - L2_BASE + (u64)_head), 0xd4000002 | 0xffee << 5,
			  "instruction before ELR");
	expect_eq(l->spsr & 0xffff3fff, SPSR_EL1H, "spsr");
	l2_finish(l);
	call_smc(l);
	check_begin("call", "VPIDR_EL2 and VMPIDR_EL2 are L2's MIDR_EL1 and MPIDR_EL1");
	sysreg_write(VPIDR_EL2, 0x123456);
	sysreg_write(VMPIDR_EL2, 0x80000321);
	expect_eq(l2_run_fn(l, l2_id, 0, 0, 0), 0x123456UL << 40 ^ 0x80000321UL, "MIDR, MPIDR");
	sysreg_write(VPIDR_EL2, sysreg_read(MIDR_EL1));
	sysreg_write(VMPIDR_EL2, sysreg_read(MPIDR_EL1));
	check_begin("call", "a second L2");
	l2_reset(&l2s[1], 2);
	call_two(l, &l2s[1]);
}
