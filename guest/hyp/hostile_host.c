/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own work with each bit of HCR_EL2 and CPTR_EL2 set or clear; its address
 * translation instructions with random values in all registers that they depend on.
 */
#include "hostile.h"

#include "mmu.h"

/* payload.S */
void el0_svc(void);
u64 l2_nop(u64 a, u64 b, u64 c);

static const u32 simd_words[] = {
	0x9e660000, /* FMOV X0, D0 */
	0x04bf5020, /* RDVL X0, #1 */
	0x04bf5820, /* RDSVL X0, #1 */
	SYSREG_WORD(3, 3, 4, 4, 0) | 1U << 21, /* FPCR */
	SYSREG_WORD(3, 4, 1, 2, 0) | 1U << 21, /* ZCR_EL2 */
	SYSREG_WORD(3, 4, 1, 2, 6) | 1U << 21, /* SMCR_EL2 */
	SYSREG_WORD(3, 3, 4, 2, 2) | 1U << 21, /* SVCR */
};

/* Take exceptions of its own, use TLBs, timers and the GIC, with HCR_EL2 as it is now. */
static void work(void)
{
	struct trap t;
	bool undef;
	u32 i;

	trap_arm(&t);
	asm volatile("brk #1\n\thvc #1\n\tat s1e2r, %0\n\tisb" ::"r"(_head) : "memory");
	asm volatile("tlbi vmalle1\n\ttlbi vae2is, xzr\n\tdsb ish\n\tisb" ::: "memory");
	trap_disarm();
	expect(t.count >= 1, "no exception");
	(void)counter_virt();
	(void)counter_phys();
	(void)gic_ack();
	for (i = 0; i < ARRAY_SIZE(simd_words); i++)
		hostile_execute(simd_words[i], 0, &undef);
}

static void host_el0(void)
{
	struct frame f = { .elr = MMU_EL0 + (u64)el0_svc, .spsr = SPSR_EL0T };

	if (e2h0)
		return;
	f.x[0] = 41;
	el0_run(&f);
	expect_eq(f.esr, ESR_OF(EC_SVC, 0x123), "esr of host EL0");
}

/* Where E2H can be cleared, this would become another kind of hypervisor. */
static void own_hcr(void)
{
	bool e2h_is_free = !(FIELD(sysreg_read(ID_AA64MMFR4_EL1), 27, 24) & 8);
	u64 hcr[2] = { HCR_HOST, HCR_L2 };
	u32 bit, i;

	check_begin("hostile", "the hypervisor's own work under each bit of HCR_EL2");
	for (i = 0; i < ARRAY_SIZE(hcr); i++) {
		for (bit = 0; bit < 64; bit++) {
			if (BIT(bit) == HCR_E2H && e2h_is_free)
				continue;
			sysreg_write(HCR_EL2, hcr[i] ^ BIT(bit));
			isb();
			work();
			sysreg_write(HCR_EL2, HCR_HOST);
			isb();
			host_el0();
		}
	}
	hostile_recovered();
}

static void own_cptr(void)
{
	u32 bit;

	check_begin("hostile", "the hypervisor's own work under each bit of CPTR_EL2");
	for (bit = 0; bit <= 65; bit++) {
		sysreg_write(CPTR_EL2, bit == 65 ? 0 : bit == 64 ? ~0UL : BIT(bit));
		isb();
		work();
	}
	sysreg_write(CPTR_EL2, cptr_format(0));
	hostile_recovered();
}

void hostile_host(void)
{
	irq_disable();
	own_hcr();
	own_cptr();
}

/* ---- translations ---------------------------------------------------------------------------- */

static void garbage_regime(struct l2 *l)
{
	u64 r = random_next(&hostile_seed);

	el1_write(SCTLR, hostile_garbage() | (r & 1));
	el1_write(TCR, hostile_garbage());
	el1_write(MAIR, hostile_garbage());
	el1_write(TTBR0, r & 2 ? hostile_garbage() : L2_BASE + (r >> 32 & 0x1f000));
	el1_write(TTBR1, r & 4 ? hostile_garbage() : L2_BASE + (r >> 40 & 0x1f000));
	sysreg_write(VTCR_EL2, r & 8 ? hostile_garbage() : l->vtcr);
	sysreg_write(VTTBR_EL2, r & 0x10 ? hostile_nowhere(r >> 8 & 3) : l->vttbr);
	sysreg_write(HCR_EL2, (HCR_L2 ^ (r & 0x20 ? HCR_VM : 0)) | (r & 0x40 ? HCR_DC : 0) |
				      (r & 0x80 ? HCR_PTW : 0));
	isb();
}

/* An external abort of the walk is an exception; any other fault is reported in PAR_EL1. */
static void translate(u64 va)
{
	struct trap t;

	trap_arm(&t);
	asm volatile("at s1e1r, %0\n\tat s1e1w, %0\n\tat s1e0r, %0\n\tat s1e0w, %0" ::"r"(va)
		     : "memory");
	asm volatile("at s12e1r, %0\n\tat s12e1w, %0\n\tat s12e0r, %0\n\tat s12e0w, %0" ::"r"(va)
		     : "memory");
	trap_disarm();
	expect(!t.count || (ESR_EC(t.esr) == EC_DABT && (t.esr & 0x3c) == 0x14), "esr 0x%lx",
	       t.esr);
}

/* Only some names: QEMU 10.0 crashes by the others at real EL2. */
void group_walk(void)
{
	struct l2 *l = &l2s[0];
	u64 i, n = 100 * dt_arg("rounds", 100);

	hostile_seed = dt_arg("seed", 1);
	check_begin("walk", "%lu translations by tables of garbage", n);
	hostile_sandbox(l);
	l2_load(l);
	for (i = 0; i < n; i++) {
		garbage_regime(l);
		translate(i & 1 ? hostile_garbage()
				: L2_BASE + (random_next(&hostile_seed) & 0x1ffff));
		sysreg_write(HCR_EL2, HCR_HOST);
		isb();
	}
	hostile_recovered();
}
