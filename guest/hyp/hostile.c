/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor out of its mind: garbage in every register of EL2 that it survives on the bare machine, one at a
 * time and together, L2s of garbage, floods. After each it must still work.
 */
#include "hyp.h"

#include "timer.h"

/* payload.S */
u64 l2_nop(u64 a, u64 b, u64 c);

static u64 seed;

static u64 l2_seven(u64 a, u64 b, u64 c)
{
	(void)b;
	(void)c;
	return l2_hvc_arg(a) + 7;
}

/* An ordinary L2 still works. */
static void recovered(void)
{
	struct l2 *l = &l2s[0];

	sysreg_write(ICH_LR0_EL2, 0);
	sysreg_write(ICH_LR1_EL2, 0);
	sysreg_write(ICH_AP1R0_EL2, 0);
	sysreg_write(ICH_AP0R0_EL2, 0);
	sysreg_write(ICH_VMCR_EL2, 0);
	stage2_reset();
	l2_reset(l, 1);
	l2_call(l, l2_seven, 1, 0, 0);
	expect(l2_is_hvc(l, l2_run(l), 1), "an ordinary L2 after it: esr 0x%lx", l->esr);
	l->x[0] = 3;
	expect_eq(l2_finish(l), 10, "an ordinary L2's result");
}

/* ---- every register alone -------------------------------------------------------------------- */

static void ones(void)
{
#define ONES_IF(exists, reg, v)                                                                               \
	do {                                                                                       \
		u64 old_;                                                       \
		check_begin("hostile", "%s of %s", (v) ? "ones" : "zeroes", #reg);                 \
		if (!(exists)) {                                                                   \
			test_skip("no such feature");                                              \
			break;                                                                     \
		}                                                                                  \
		old_ = sysreg_read(reg);                                                           \
		sysreg_write(reg, v);                                                              \
		isb();                                                                             \
		(void)sysreg_read(reg);                                                            \
		sysreg_write(reg, old_);                                                           \
		isb();                                                                             \
	} while (0)
#define EACH(reg) EACH_IF(true, reg)
#define EACH_IF(exists, reg)                                                                       \
	ONES_IF(exists, reg, ~0UL);                                                                \
	ONES_IF(exists, reg, 0UL)
	EACH(VTTBR_EL2);
	EACH(VTCR_EL2);
	EACH(VPIDR_EL2);
	EACH(VMPIDR_EL2);
	EACH(HSTR_EL2);
	EACH(HACR_EL2);
	EACH(CPTR_EL2);
	EACH(MDCR_EL2);
	EACH(CNTHCTL_EL2);
	EACH(CNTVOFF_EL2);
	EACH_IF(has_hcx, HCRX_EL2);
	EACH_IF(has_fgt, HFGRTR_EL2);
	EACH_IF(has_fgt, HFGWTR_EL2);
	EACH_IF(has_fgt, HFGITR_EL2);
	EACH_IF(has_fgt, HDFGRTR_EL2);
	EACH_IF(has_fgt, HDFGWTR_EL2);
	EACH(ICH_VMCR_EL2);
	EACH(ICH_LR0_EL2);
	EACH(ICH_LR1_EL2);
	EACH(ICH_LR2_EL2);
	EACH(ICH_LR3_EL2);
	EACH(ICH_AP0R0_EL2);
	EACH(ICH_AP1R0_EL2);
	EACH(ICH_HCR_EL2);
	EACH(ESR_EL2);
	EACH(FAR_EL2);
	EACH(HPFAR_EL2);
	EACH(ELR_EL2);
	EACH(SPSR_EL2);
	EACH(AFSR0_EL2);
	EACH(AFSR1_EL2);
	EACH(AMAIR_EL2);
	EACH(CONTEXTIDR_EL2);
	EACH(TPIDR_EL2);
	EACH(TTBR1_EL2);
	EACH(SP_EL1);
	EACH(CNTHP_CVAL_EL2);
	EACH(CNTHV_CVAL_EL2);
	EACH(SCTLR_EL12);
	EACH(TCR_EL12);
	EACH(TTBR0_EL12);
	EACH(TTBR1_EL12);
	EACH(MAIR_EL12);
	EACH(AMAIR_EL12);
	EACH(VBAR_EL12);
	EACH(ESR_EL12);
	EACH(FAR_EL12);
	EACH(ELR_EL12);
	EACH(SPSR_EL12);
	EACH(CPACR_EL12);
	EACH(CONTEXTIDR_EL12);
	EACH(CNTKCTL_EL12);
	EACH(CNTV_CVAL_EL02);
	EACH(CNTP_CVAL_EL02);
#undef EACH
#undef EACH_IF
#undef ONES_IF
	check_begin("hostile", "after ones and zeroes");
	recovered();
}

/* ---- an L2 of garbage ------------------------------------------------------------------------ */

/* It runs, if at all, on memory that it can't change, and for a millisecond at most. */
static void bounded_run(struct l2 *l)
{
	u64 kind;

	timer_set_cval(TIMER_PHYS, counter_phys() + ticks_us(200));
	timer_set_ctl(TIMER_PHYS, TIMER_ENABLE);
	kind = l2_run(l);
	timer_set_ctl(TIMER_PHYS, 0);
	if (kind > EXIT_SERROR)
		test_fail("exit kind %lu", kind);
}

static void garbage_begin(struct l2 *l)
{
	u64 off;

	stage2_reset();
	l2_reset_cpu(l, 0);
	stage2_init(l, 12, 1, 39, 1);
	for (off = 0; off < 0x20000; off += 0x1000)
		stage2_map(l, L2_BASE + off, (u64)_head + off, 3, S2_RO | S2_NORMAL | S2_AF);
	stage2_flush(l);
	l2_call(l, l2_nop, 0, 0, 0);
}

enum what { G_VTTBR, G_VTCR, G_HCR, G_CONTROLS, G_EL1, G_RETURN, G_ICH, G_ALL, G_COUNT };
static const char what_names[G_COUNT][32] = {
	"VTTBR_EL2", "VTCR_EL2", "HCR_EL2", "the trap controls", "the EL1 bank", "ELR and SPSR",
	"the list registers", "all together",
};

static u64 garbage(void)
{
	u64 v = random_next(&seed);

	switch (random_next(&seed) & 3) {
	case 0:
		return v & random_next(&seed);
	case 1:
		return v | random_next(&seed);
	case 2:
		return v & 1 ? ~0UL : 1UL << (v >> 1 & 63);
	}
	return v;
}

/* Tables at nothing at all: beyond all memory, or in the hypervisor's own text. */
static u64 garbage_vttbr(void)
{
	u64 vmid = garbage() << 48;

	switch (random_next(&seed) % 3) {
	case 0:
		return vmid | (garbage() & MASK(47, 45)) | 1UL << 44;
	case 1:
		return vmid | (u64)_head;
	}
	return vmid | (dt.ram + GIB(200));
}

static void garbage_control(struct l2 *l)
{
	u32 i;

	for (i = 0; i < CTL_ICH_HCR; i++)
		l->control[i] = garbage();
	l->control[CTL_MDCR] &= ~MASK(4, 0);
	l->cntvoff = garbage();
}

static void garbage_bank(struct l2 *l)
{
	u32 i;

	l2_put();
	for (i = 0; i < L2_BANK_COUNT; i++)
		l->sys[i] = garbage();
	for (i = 0; i < 31; i++)
		l->x[i] = garbage();
	l->sys[L2_MDSCR] = 0;
}

static void garbage_ich(struct l2 *l)
{
	sysreg_write(ICH_LR0_EL2, garbage() & ~BIT(61));
	sysreg_write(ICH_LR1_EL2, garbage() & ~BIT(61));
	sysreg_write(ICH_LR2_EL2, garbage() & ~BIT(61));
	sysreg_write(ICH_LR3_EL2, garbage() & ~BIT(61));
	sysreg_write(ICH_VMCR_EL2, garbage());
	sysreg_write(ICH_AP0R0_EL2, garbage());
	sysreg_write(ICH_AP1R0_EL2, garbage());
	l->control[CTL_ICH_HCR] = garbage();
}

static void garbage_one(struct l2 *l, u32 what)
{
	switch (what) {
	case G_VTTBR:
		l->vttbr = garbage_vttbr();
		break;
	case G_VTCR:
		l->vtcr = garbage();
		break;
	case G_HCR: /* interrupts stay the hypervisor's, else nothing ends the run; nor does it run nested */
		l->hcr = (garbage() & ~(HCR_TGE | HCR_NV | HCR_NV1 | HCR_NV2)) | HCR_E2H | HCR_IMO |
			 HCR_FMO | HCR_AMO | HCR_VM | HCR_TSC | HCR_RW;
		break;
	case G_CONTROLS:
		garbage_control(l);
		break;
	case G_EL1:
		garbage_bank(l);
		break;
	case G_RETURN: /* a host address would be run */
		l->elr = garbage() | 1UL << 45;
		l->spsr = garbage() & ~MASK(9, 6);
		l->spsr |= 0x3c0;
		break;
	case G_ICH:
		garbage_ich(l);
		break;
	}
}

static void l2_garbage(u32 what, u64 n)
{
	struct l2 *l = &l2s[0];
	u64 i;
	u32 k;

	check_begin("hostile", "%lu L2s with garbage in %s", n, what_names[what]);
	gic_enable(PPI_PTIMER_HYP);
	for (i = 0; i < n; i++) {
		if (i % 16 == 0)
			garbage_begin(l);
		l2_reset_cpu(l, 0);
		l->hcr = HCR_L2;
		l2_call(l, l2_nop, 0, 0, 0);
		garbage_one(l, what);
		for (k = 0; what == G_ALL && k < G_ALL; k++)
			if (random_next(&seed) & 1)
				garbage_one(l, k);
		bounded_run(l);
		sysreg_write(VTTBR_EL2, 0);
		sysreg_write(VTCR_EL2, 0);
	}
	controls_reset();
	gic_disable(PPI_PTIMER_HYP);
	recovered();
}

/* Each bit of HCR_EL2 alone on top of what L2 needs. */
static void hcr_bits(void)
{
	struct l2 *l = &l2s[0];
	u32 bit;

	check_begin("hostile", "each bit of HCR_EL2 flipped");
	gic_enable(PPI_PTIMER_HYP);
	garbage_begin(l);
	for (bit = 0; bit < 64; bit++) {
		u64 b = BIT(bit);

		if (b & (HCR_TGE | HCR_IMO | HCR_E2H | HCR_TSC | HCR_NV | HCR_NV1 | HCR_NV2))
			continue;
		l2_reset_cpu(l, 0);
		l2_call(l, l2_nop, 0, 0, 0);
		l->hcr = HCR_L2 ^ b;
		if (b == HCR_VM) /* without stage 2 it would run on memory of the hypervisor's */
			l->hcr |= HCR_VM;
		bounded_run(l);
	}
	gic_disable(PPI_PTIMER_HYP);
	recovered();
}

/* ---- floods ---------------------------------------------------------------------------------- */

static void floods(void)
{
	struct l2 *l = &l2s[0];
	u64 i, kind;

	check_begin("hostile", "1000 maintenance interrupts in a row");
	gic_enable(PPI_MAINTENANCE);
	l2_call(l, l2_nop, 0, 0, 0);
	l->control[CTL_ICH_HCR] = 3; /* En, UIE, and no list register */
	for (i = 0; i < 1000; i++) {
		kind = l2_run(l);
		if (kind != EXIT_IRQ)
			test_fail("round %lu: kind %lu esr 0x%lx", i, kind, l->esr);
	}
	l->control[CTL_ICH_HCR] = 1;
	l2_finish(l);
	gic_disable(PPI_MAINTENANCE);
	check_begin("hostile", "2000 VMIDs");
	for (i = 1; i <= 2000; i++) {
		l->vttbr = (l->vttbr & MASK(47, 0)) | (i & 0xff) << 48;
		l2_run_fn(l, l2_nop, 0, 0, 0);
	}
	check_begin("hostile", "1000 invalidations of everything");
	for (i = 0; i < 1000; i++) {
		asm volatile("tlbi alle1is\n\tdsb ish" ::: "memory");
		asm volatile("tlbi alle1\n\tdsb ish" ::: "memory");
		stage2_flush(l);
	}
	recovered();
	check_begin("hostile", "translations of garbage");
	for (i = 0; i < 1000; i++) {
		asm volatile("at s1e2r, %0\n\tisb" ::"r"(garbage()) : "memory");
		asm volatile("at s1e0w, %0\n\tisb" ::"r"(garbage()) : "memory");
		asm volatile("tlbi vae1is, %0\n\tdsb ish" ::"r"(garbage()) : "memory");
		asm volatile("tlbi ipas2e1is, %0\n\tdsb ish" ::"r"(garbage()) : "memory");
		asm volatile("tlbi vae2is, %0\n\tdsb ish" ::"r"(garbage()) : "memory");
	}
	recovered();
}

void group_hostile(void)
{
	u64 n = dt_arg("rounds", 100);
	u32 what;

	seed = dt_arg("seed", 1);
	check_begin("hostile", "an L2 boots");
	recovered();
	ones();
	hcr_bits();
	floods();
	for (what = 0; what < G_COUNT; what++)
		l2_garbage(what, n);
}
