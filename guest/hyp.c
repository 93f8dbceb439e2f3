/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest hypervisor that checks its own machine: what it prints at EL2 on the bare machine is what
 * it must print at virtual EL2, byte for byte. It uses VHE unless there is none, or the word e2h0
 * says not to. Words on the command line select groups of tests; none: all but hostile, storm,
 * doom, walk, ends, races, nv, vncr and bench. seed=N and rounds=N are for the random ones.
 */
#include "hyp/hyp.h"

const char guest_name[] = "hyp";

bool has_sve, has_sme, has_sme2, has_fa64, has_pauth, has_hcx, has_fgt;

static const struct group {
	char name[12];
	bool by_name; /* only when asked for */
	void (*run)(void);
} groups[] = {
	{ "host", false, group_host },
	{ "call", false, group_call },
	{ "bank", false, group_bank },
	{ "exception", false, group_exception },
	{ "trap", false, group_trap },
	{ "stage2", false, group_stage2 },
	{ "mmio", false, group_mmio },
	{ "tlb", false, group_tlb },
	{ "at", false, group_at },
	{ "irq", false, group_irq },
	{ "timer", false, group_timer },
	{ "simd", false, group_simd },
	{ "eret", false, group_eret },
	{ "debug", false, group_debug },
	{ "smp", false, group_smp },
	{ "hostile", true, group_hostile },
	{ "storm", true, group_storm },
	{ "doom", true, group_doom },
	{ "walk", true, group_walk },
	{ "ends", true, group_ends },
	{ "races", true, group_races },
	{ "nv", true, group_nv },
	{ "vncr", true, group_vncr },
	{ "bench", true, group_bench },
};

static void detect(void)
{
	u64 pfr0 = sysreg_read(ID_AA64PFR0_EL1), pfr1 = sysreg_read(ID_AA64PFR1_EL1);
	u64 isar1 = sysreg_read(ID_AA64ISAR1_EL1), isar2 = sysreg_read(ID_AA64ISAR2_EL1);

	has_sve = FIELD(pfr0, 35, 32);
	has_sme = FIELD(pfr1, 27, 24);
	has_sme2 = FIELD(pfr1, 27, 24) >= 2;
	has_fa64 = has_sme && FIELD(sysreg_read(ID_AA64SMFR0_EL1), 63, 63);
	has_pauth = FIELD(isar1, 11, 4) || FIELD(isar2, 15, 12);
	has_hcx = FIELD(sysreg_read(ID_AA64MMFR1_EL1), 43, 40);
	has_fgt = FIELD(sysreg_read(ID_AA64MMFR0_EL1), 59, 56);
}

/* Whether it runs without VHE, because of the machine or the word e2h0. */
static void choose_format(void)
{
	struct mmu_registers r;

	if (e2h0 || !dt_flag("e2h0"))
		return;
	mmu_e2h0(&r);
	e2h0 = true;
	asm volatile("dc civac, %0\n\tdsb sy" ::"r"(&e2h0) : "memory");
	el2_to_e2h0(&r, HCR_HOST);
	if (sysreg_read(HCR_EL2) & HCR_E2H)
		test_abort("HCR_EL2.E2H can't be 0");
}

void guest_main(void)
{
	bool named = false;
	u32 i;

	if (sysreg_read(CurrentEL) != 2 << 2)
		test_abort("started at EL%lu, not EL2", sysreg_read(CurrentEL) >> 2);
	if ((u64)_head & 0xffff)
		test_abort("loaded at 0x%lx, not a multiple of 64 KiB", (u64)_head);
	choose_format();
	detect();
	gic_dist_init();
	gic_cpu_init();
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		named |= dt_flag(groups[i].name);
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if (named ? dt_flag(groups[i].name) : !groups[i].by_name) {
			stage2_reset();
			groups[i].run();
		}
	}
}
