/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a guest of the guest hypervisor, runs it, and checks its exit. */
#include "hyp.h"

#include "lib/log.h"
#include "mmu.h"

#define STACK 8192

struct l2 l2s[4];
static struct l2 *loaded[GUEST_CPUS_MAX];
static u8 stacks[ARRAY_SIZE(l2s)][STACK] __attribute__((aligned(4096)));

void check_begin(const char *group, const char *fmt, ...)
{
	static char names[2][128];
	static u32 which;
	char rest[96];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	which ^= 1;
	snprintf(names[which], sizeof(names[which]), "%s: %s", group, rest);
	test_begin(names[which]);
}

bool needs_vhe(void)
{
	if (e2h0)
		test_skip("with VHE alone");
	return !e2h0;
}

/* ZCR_EL1 and SMCR_EL1 are inaccessible while CPTR_EL2 traps SVE and SME. */
static u64 simd_reach(u64 cptr)
{
	u64 old = sysreg_read(CPTR_EL2);

	sysreg_write(CPTR_EL2, cptr);
	isb();
	return old;
}

static void bank_save(struct l2 *l)
{
	u64 cptr;

#define X(name, el12, el1) l->sys[L2_##name] = e2h0 ? sysreg_read(el1) : sysreg_read(el12);
	L2_BANK(X)
#undef X
	cptr = simd_reach(cptr_format(CPTR_FPEN | CPTR_ZEN | CPTR_SMEN));
	if (has_sve)
		l->zcr = el1_read(ZCR);
	if (has_sme)
		l->smcr = el1_read(SMCR);
	simd_reach(cptr);
}

static void bank_load(const struct l2 *l)
{
	u64 cptr;

#define X(name, el12, el1)                                                                         \
	if (e2h0)                                                                                  \
		sysreg_write(el1, l->sys[L2_##name]);                                              \
	else                                                                                       \
		sysreg_write(el12, l->sys[L2_##name]);
	L2_BANK(X)
#undef X
	cptr = simd_reach(cptr_format(CPTR_FPEN | CPTR_ZEN | CPTR_SMEN));
	if (has_sve)
		el1_write(ZCR, l->zcr);
	if (has_sme)
		el1_write(SMCR, l->smcr);
	simd_reach(cptr);
}

void l2_put(void)
{
	struct l2 **in = &loaded[cpu_self()->index];

	if (*in)
		bank_save(*in);
	*in = NULL;
}

void l2_load(struct l2 *l)
{
	u32 cpu = cpu_self()->index;

	if (loaded[cpu] == l)
		return;
	l2_put();
	bank_load(l);
	loaded[cpu] = l;
}

static u64 control_format(enum l2_control c, u64 v)
{
	return c == CTL_CPTR ? cptr_format(v) : c == CTL_CNTHCTL ? cnthctl_format(v) : v;
}

static void controls_load(const struct l2 *l)
{
#define X(name, reg, exists)                                                                       \
	if (exists)                                                                                \
		sysreg_write(reg, control_format(CTL_##name, l->control[CTL_##name]));
	L2_CONTROLS(X)
#undef X
}

/*
 * ICH_HCR_EL2 stays: a maintenance interrupt is level-sensitive, and L1 has not acknowledged it
 * yet.
 */
static void controls_host(void)
{
	sysreg_write(CPTR_EL2, cptr_format(0));
	sysreg_write(CNTHCTL_EL2, cnthctl_format(0xc03));
	sysreg_write(MDCR_EL2, 0);
}

void controls_reset(void)
{
#define X(name, reg, exists)                                                                       \
	if (exists)                                                                                \
		sysreg_write(reg, 0);
	L2_CONTROLS(X)
#undef X
	controls_host();
	isb();
}

u64 l2_run(struct l2 *l)
{
	u64 kind;

	l2_load(l);
	sysreg_write(VTCR_EL2, l->vtcr);
	sysreg_write(VTTBR_EL2, l->vttbr);
	sysreg_write(CNTVOFF_EL2, l->cntvoff);
	controls_load(l);
	sysreg_write(VBAR_EL2, (u64)hyp_vectors);
	sysreg_write(HCR_EL2, l->hcr);
	isb();
	kind = l2_enter(l);
	l->hcr_exit = sysreg_read(HCR_EL2);
	l->control[CTL_ICH_HCR] = sysreg_read(ICH_HCR_EL2);
	sysreg_write(HCR_EL2, HCR_HOST);
	sysreg_write(VBAR_EL2, own_vectors());
	controls_host();
	isb();
	l->spsr &= ~SPSR_ALLINT;
	l->exits++;
	return kind;
}

/* L2's first function: turn on its own MMU, with its own stage 1. */
static u64 l2_boot(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	mmu_enable();
	return 0;
}

void l2_reset_cpu(struct l2 *l, u32 index)
{
	memset(l->x, 0, sizeof(l->x));
	memset(l->sys, 0, sizeof(l->sys));
	memset(l->control, 0, sizeof(l->control));
	memset(&l->gcpu, 0, sizeof(l->gcpu));
	if (loaded[cpu_self()->index] == l)
		loaded[cpu_self()->index] = NULL;
	l->hcr = HCR_L2;
	l->cntvoff = 0;
	l->eret = 0;
	l->zcr = 15;
	l->smcr = BIT(31) | BIT(30) | 15; /* FA64, EZT0 */
	l->control[CTL_CNTHCTL] = CNTHCTL_EL1PCTEN | CNTHCTL_EL1PTEN;
	l->control[CTL_CPTR] = CPTR_FPEN | CPTR_ZEN | CPTR_SMEN;
	l->control[CTL_HFGRTR] = l->control[CTL_HFGWTR] = HFGXTR_NSMPRI_EL1 | HFGXTR_NTPIDR2_EL0;
	l->control[CTL_HCRX] = HCRX_MSCEN;
	l->sys[L2_SCTLR] = 0x30d00800;
	l->sys[L2_VBAR] = l2_address(vectors);
	l->sys[L2_SP1] = l2_address(stacks[index]) + STACK;
	l->tpidr = l2_address(&l->gcpu);
	l->gcpu.index = index;
}

void l2_boot_mmu(struct l2 *l)
{
	l2_run_fn(l, l2_boot, 0, 0, 0);
}

void l2_reset(struct l2 *l, u32 vmid)
{
	l2_reset_cpu(l, (u32)(l - l2s));
	stage2_init(l, 12, 1, 39, vmid);
	stage2_map_image(l);
	stage2_flush(l);
	l2_boot_mmu(l);
}

static void call(struct l2 *l, u64 fn, u64 ret, u64 spsr, const u64 arg[3])
{
	memset(l->x, 0, sizeof(l->x));
	memcpy(l->x, arg, 3 * sizeof(arg[0]));
	l->x[30] = ret;
	l->elr = fn;
	l->spsr = spsr;
	l->eret = 0;
	l->exits = 0;
}

void l2_call(struct l2 *l, u64 (*fn)(u64, u64, u64), u64 a, u64 b, u64 c)
{
	call(l, l2_address(fn), l2_address(l2_return), SPSR_EL1H, (u64[]){ a, b, c });
}

bool l2_is_hvc(const struct l2 *l, u64 kind, u32 imm)
{
	return kind == EXIT_SYNC && l->esr == ESR_OF(EC_HVC, imm);
}

static void unexpected(const struct l2 *l, u64 kind, const char *wanted)
{
	test_fail("exit kind %lu esr 0x%lx elr 0x%lx far 0x%lx hpfar 0x%lx, expected %s", kind,
		  l->esr, l->elr, l->far, l->hpfar, wanted);
}

u64 l2_finish(struct l2 *l)
{
	u64 kind = l2_run(l);

	if (!l2_is_hvc(l, kind, L2_DONE))
		unexpected(l, kind, "the end of the function");
	return l->x[0];
}

u64 l2_run_fn(struct l2 *l, u64 (*fn)(u64, u64, u64), u64 a, u64 b, u64 c)
{
	l2_call(l, fn, a, b, c);
	return l2_finish(l);
}

bool l2_expect(struct l2 *l, u64 esr, const char *what)
{
	u64 kind = l2_run(l);

	if (kind == EXIT_SYNC && l->esr == esr)
		return true;
	unexpected(l, kind, what);
	print("expected esr 0x%lx\n", esr);
	return false;
}

void l2_expect_trap(struct l2 *l, u64 esr)
{
	u64 at = l->elr;

	if (!l2_expect(l, esr, "a trap"))
		return;
	expect_eq(l->elr, at, "elr");
	expect_eq(l->spsr & 0xffff3fff, SPSR_EL1H, "spsr");
	l->elr = at + 4;
	l->x[0] = 0x1234567890;
	expect_eq(l2_finish(l), 0x1234567890, "x0 after the trap");
}
