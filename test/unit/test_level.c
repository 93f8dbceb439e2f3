/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The level switch: nested ERETs against AArch64.ExceptionReturn, exceptions against
 * AArch64.TakeException, each register's place on both sides, and what is not accessed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/idspace.h"
#include "arch/sysreg.h"
#include "nested/level.h"
#include "nested/pauth.h"
#include "nested/shadow.h"
#include "nested/vncr.h"
#include "traps/reflect.h"
#include "state/vncr.h"
#include "state/cpu.h"
#include "nested/inject.h"
#include "simd/simd_state.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/nested.h"
#include "vtimer/nested.h"
#include "traps/identity.h"

#define VBAR 0xffff800008012800UL
#define PC 0xffff800010abcdecUL
#define ELR 0x0000aaaac0de1230UL
#define TGE (1UL << 27)

static struct vm_config config;
static struct vm vm;
static struct vcpu vcpu;
static struct cpu cpu;
static u64 page[VNCR_WORDS] __attribute__((aligned(4096)));
static struct shadow shadow;
static unsigned machine_loads, shadow_loads, finds;
static char order[8]; /* what happened at a switch: m or s, v (the VM's stage 2), g, t */
static bool auth_ok;
static u64 seed;

struct cpu *cpu_this(void)
{
	return &cpu;
}

static void note(char c)
{
	size_t n = strlen(order);

	assert_true(n + 1 < sizeof(order));
	order[n] = c;
}

void identity_load(struct vcpu *v)
{
	(void)v;
	machine_loads++;
	note('m');
}

#define OWN_STAGE2 0x40001000UL
#define SHADOW_STAGE2 0x40002000UL

static void on_vttbr(u64 vttbr)
{
	assert_true(vttbr == OWN_STAGE2 || vttbr == SHADOW_STAGE2);
	note(vttbr == OWN_STAGE2 ? 'v' : 's');
}

static bool not_ready; /* the shadow for L2 has work to do first */

bool shadow_ready(struct vcpu *v)
{
	assert_false(v->in_vel2);
	if (not_ready)
		return false;
	finds++;
	v->shadow.ref[0] = v->shadow.mine = &shadow;
	return true;
}

void shadow_load(struct vcpu *v, struct shadow *s)
{
	assert_ptr_equal(v, &vcpu);
	assert_ptr_equal(s, &shadow);
	shadow_loads++;
	note('s');
}

void vgic_level_switch(struct vcpu *v)
{
	(void)v;
	note('g');
}

void vtimer_level_switch(struct vcpu *v)
{
	(void)v;
	note('t');
}

bool pauth_eret(struct vcpu *v, const struct exit *exit, u64 *elr)
{
	(void)v;
	assert_true(exit->esr & 2);
	*elr ^= 1UL << 54;
	return auth_ok;
}

static u64 random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&feat, 0, sizeof(feat));
	memset(&vm, 0, sizeof(vm));
	vm.config = &config;
	vm.e2h_said = true; /* not tested here */
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&cpu, 0, sizeof(cpu));
	memset(page, 0, sizeof(page));
	memset(order, 0, sizeof(order));
	machine_loads = shadow_loads = finds = 0;
	not_ready = false;
	seed = 88172645463325252UL;
	vm.nested.hcr = ~0UL;
	vcpu.vm = &vm;
	vcpu.vncr = page;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vcpu.pstate = 5;
	vcpu.pc = PC;
	fake_set("VBAR_EL12", VBAR);
	vm.stage2.vttbr = OWN_STAGE2;
	shadow.s2.vttbr = SHADOW_STAGE2;
	fake_on_write("VTTBR_EL2", on_vttbr);
	return 0;
}

/* ---- ERET ---- */

/* The bits of an AArch64 SPSR that a VM without MTE's checks, NMI and GCS can set. */
#define FLAGS                                                                                      \
	(0xf0000000UL | 1UL << 25 | 1UL << 24 | 1UL << 23 | 1UL << 22 | 1UL << 21 | 1UL << 20 |    \
	 1UL << 12 | 3UL << 10 | 15UL << 6)
/* PSTATE.{SSBS,BTYPE,UAO,DIT,TCO} are UNKNOWN after an illegal return; SS is 0 or SPSR's. */
#define UNKNOWN (1UL << 12 | 3UL << 10 | 1UL << 23 | 1UL << 24 | 1UL << 25 | 1UL << 21)

/* IllegalExceptionReturn() at EL2 of a PE without AArch32, EL3 and GCS. */
static bool illegal(u64 spsr, bool tge)
{
	u32 el = (u32)(spsr >> 2) & 3;

	if (spsr & 0x10) /* AArch32 */
		return true;
	if (el == 3) /* no such EL, or above this one */
		return true;
	if (spsr & 2)
		return true;
	if (el == 0 && (spsr & 1))
		return true;
	return el == 1 && tge;
}

static void check_eret(u64 spsr, bool tge, u64 from)
{
	struct exit exit = { .esr = 0x6a000000 };
	u32 el = (u32)(spsr >> 2) & 3;
	bool bad = illegal(spsr, tge), l2 = !bad && el != 2 && !tge;
	u64 want, care = ~0UL;
	bool steps = random64() & 1, kde = random64() & 1, tde = random64() & 1;

	/*
	 * DebugExceptionReturnSS(): PSTATE.SS comes from SPSR only while MDSCR_EL1.SS is set, not
	 * if a step is possible where the ERET is (masked here), and only if one is possible where
	 * it goes: L2's EL0, its EL1 with KDE and D clear, both if the step is taken to EL2. The
	 * CPU does the rest.
	 */
	vcpu.debug_live = steps || (random64() & 1);
	vcpu.sr[SR_MDSCR_EL1] = 1UL << 15 | (u64)kde << 13 | steps;
	vcpu.sr[SR_MDCR_EL2] = tde ? 1UL << 8 : 0;
	vm.nested.mdcr = ~0UL;
	from |= 1UL << 9;
	fake_set("MDSCR_EL1", vcpu.sr[SR_MDSCR_EL1]);
	page[0x78 / 8] = (random64() & ~TGE) | (tge ? TGE : 0);
	vcpu.in_vel2 = true;
	vcpu.pc = PC;
	vcpu.pstate = from;
	vcpu.pc_dirty = false;
	memset(order, 0, sizeof(order));
	fake_set("SPSR_EL12", spsr);
	fake_set("ELR_EL12", ELR);
	if (bad) {
		want = (spsr & FLAGS & ~UNKNOWN) | 1UL << 20 | (from & 0x1f);
		care = ~UNKNOWN;
	} else {
		/* vEL2 is EL1 to the CPU. */
		want = (spsr & FLAGS) | (el == 2 ? 4 | (spsr & 1) : spsr & 0xf);
		if (!steps || (l2 && el && !tde && !(kde && !(spsr & 1UL << 9))))
			want &= ~(1UL << 21);
	}
	if (level_eret(&vcpu, &exit) != RESUME)
		fail_msg("SPSR %#lx: no RESUME", spsr);
	if ((vcpu.pstate & care) != want || vcpu.pc != ELR || !vcpu.pc_dirty || vcpu.in_vel2 == l2)
		fail_msg("SPSR %#lx, TGE %d, from %#lx: pstate %#lx (want %#lx), pc %#lx, %s", spsr,
			 tge, from, vcpu.pstate, want, vcpu.pc, vcpu.in_vel2 ? "vEL2" : "L2");
	if (strcmp(order, l2 ? "sgt" : ""))
		fail_msg("SPSR %#lx, TGE %d: did \"%s\"", spsr, tge, order);
}

/*
 * Every mode with every flag alone and all flags, TGE or not, from both of vEL2's stack pointers.
 */
static void every_spsr(void **state)
{
	(void)state;
	for (u32 tge = 0; tge < 2; tge++)
		for (u64 from = 4; from < 6; from++)
			for (u64 m = 0; m < 32; m++) {
				for (u32 bit = 5; bit < 64; bit++)
					check_eret(m | 1UL << bit, tge, from);
				check_eret(m, tge, from);
				check_eret(m | ~31UL, tge, from);
				for (u32 n = 0; n < 50; n++)
					check_eret((random64() & ~31UL) | m, tge, from);
			}
}

/* Until L2's shadow is ready, the ERET has no effect at all: it will be executed again. */
static void eret_waits(void **state)
{
	struct exit exit = { .esr = 0x6a000003 };

	(void)state;
	fake_set("SPSR_EL12", 5);
	fake_set("ELR_EL12", ELR);
	auth_ok = not_ready = true;
	fake_set("TTBR0_EL12", 0x1000);
	page[0x200 / 8] = 0x2000;
	for (int n = 0; n < 3; n++) {
		assert_int_equal(level_eret(&vcpu, &exit), RESUME);
		assert_false(level_eret_vel1(&vcpu));
		assert_int_equal(fake_get("TTBR0_EL12"), 0x1000);
		assert_int_equal(page[0x200 / 8], 0x2000);
		assert_true(vcpu.in_vel2);
		assert_int_equal(vcpu.pc, PC);
		assert_false(vcpu.pc_dirty);
		assert_string_equal(order, "");
		assert_int_equal(finds, 0);
	}
	/* One that does not go to L2 does not need it. */
	fake_set("SPSR_EL12", 9);
	assert_int_equal(level_eret(&vcpu, &exit), RESUME);
	assert_int_equal(vcpu.pc, ELR ^ 1UL << 54);
	fake_set("SPSR_EL12", 5);
	not_ready = false;
	assert_int_equal(level_eret(&vcpu, &exit), RESUME);
	assert_false(vcpu.in_vel2);
}

static void eret_authenticates(void **state)
{
	struct exit exit = { .esr = 0x6a000003 }; /* ERETAB */

	(void)state;
	fake_set("SPSR_EL12", 5);
	fake_set("ELR_EL12", ELR);
	auth_ok = false;
	assert_int_equal(level_eret(&vcpu, &exit), INJECT);
	assert_true(vcpu.in_vel2);
	assert_int_equal(vcpu.pc, PC);
	auth_ok = true;
	assert_int_equal(level_eret(&vcpu, &exit), RESUME);
	assert_false(vcpu.in_vel2);
	assert_int_equal(vcpu.pc, ELR ^ 1UL << 54);
}

/* ---- an L2 that is a hypervisor ---- */

/*
 * VNCR_EL2 is that of nidus's page except while L2 runs with HCR_EL2.{NV,NV2} = {1,1}, if the VM
 * has these; what CurrentEL tells L2 does not affect what vEL2 is told.
 */
static void registers_in_memory(void **state)
{
	struct exit exit = { .esr = 0x6a000000 };

	(void)state;
	for (u32 i = 0; i < 8; i++) {
		bool has = i & 4, both = has && (i & 3) == 3;
		u64 own = ptr_pa(page).a;

		setup(NULL);
		vm.nested.hcr = has ? ~0UL : ~(HCR_NV | HCR_NV2);
		page[0x78 / 8] = (i & 1 ? HCR_NV : 0) | (i & 2 ? HCR_NV2 : 0);
		page[0xb0 / 8] = 0x123456000;
		fake_set("VNCR_EL2", own);
		fake_set("SPSR_EL12", 5);
		level_eret(&vcpu, &exit);
		assert_false(vcpu.in_vel2);
		assert_int_equal(fake_get("VNCR_EL2"), both ? vncr_window(&vcpu) : own);
		assert_int_not_equal(vncr_window(&vcpu), own);
		vcpu.pstate = 5;
		level_take(&vcpu, VECTOR_SYNC, 0x5a000007);
		assert_true(vcpu.in_vel2);
		assert_int_equal(fake_get("SPSR_EL12"), 5);
		assert_int_equal(fake_get("VNCR_EL2"), own);
		/* A vcpu that comes back to a CPU while L2 runs. */
		memset(order, 0, sizeof(order));
		fake_set("SPSR_EL12", 5);
		level_eret(&vcpu, &exit);
		fake_set("VNCR_EL2", 0x1000);
		level_load(&vcpu);
		assert_int_equal(fake_get("VNCR_EL2"), both ? vncr_window(&vcpu) : own);
	}
}

/* ---- places ---- */

/*
 * Accessor, index in vcpu->sr, and where FEAT_NV2 has vEL1's (DDI 0487); CNTKCTL_EL1's place is
 * nidus's own.
 */
static const struct home {
	const char *reg;
	u32 sr, slot;
} homes[] = {
	{ "SCTLR_EL12", SR_SCTLR_EL1, 0x110 },     { "CPACR_EL12", SR_CPACR_EL1, 0x100 },
	{ "TTBR0_EL12", SR_TTBR0_EL1, 0x200 },     { "TTBR1_EL12", SR_TTBR1_EL1, 0x210 },
	{ "TCR_EL12", SR_TCR_EL1, 0x120 },         { "MAIR_EL12", SR_MAIR_EL1, 0x140 },
	{ "AMAIR_EL12", SR_AMAIR_EL1, 0x148 },     { "VBAR_EL12", SR_VBAR_EL1, 0x250 },
	{ "CONTEXTIDR_EL12", SR_CONTEXTIDR_EL1, 0x108 }, { "ESR_EL12", SR_ESR_EL1, 0x138 },
	{ "FAR_EL12", SR_FAR_EL1, 0x220 },         { "AFSR0_EL12", SR_AFSR0_EL1, 0x128 },
	{ "AFSR1_EL12", SR_AFSR1_EL1, 0x130 },     { "ELR_EL12", SR_ELR_EL1, 0x230 },
	{ "SPSR_EL12", SR_SPSR_EL1, 0x160 },       { "SP_EL1", SR_SP_EL1, 0x240 },
	{ "CNTKCTL_EL12", SR_CNTKCTL_EL1, 0xff8 },
};

static const char *const shared[] = {
	"SP_EL0",   "TPIDR_EL0", "TPIDRRO_EL0",   "TPIDR_EL1",     "TPIDR2_EL0",
	"PAR_EL1",  "MDSCR_EL1", "APIAKeyLo_EL1", "APIBKeyHi_EL1", "APGAKeyLo_EL1",
	"CPTR_EL2", "ZCR_EL2",   "ZCR_EL12",      "SMCR_EL12",
};

static void registers_move(void **state)
{
	struct exit exit = { .esr = 0x6a000000 };

	(void)state;
	feat.pauth = feat.sme = feat.sve = feat.el1_impdef = true;
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		fake_set(homes[i].reg, 0xa000 + i);
		page[homes[i].slot / 8] = 0xb000 + i;
	}
	fake_set("SPSR_EL12", 5);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		fake_set(shared[i], 0xc000 + i);
	level_eret(&vcpu, &exit);
	assert_false(vcpu.in_vel2);
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		u64 a = homes[i].sr == SR_SPSR_EL1 ? 5 : 0xa000 + i;

		if (fake_get(homes[i].reg) != 0xb000 + i || vcpu.sr[homes[i].sr] != a)
			fail_msg("to L2: %s has %#lx, vEL2's in memory is %#lx", homes[i].reg,
				 fake_get(homes[i].reg), vcpu.sr[homes[i].sr]);
		fake_set(homes[i].reg, 0xd000 + i); /* L2 writes it */
	}
	vcpu.pstate = 5;
	level_take(&vcpu, VECTOR_IRQ, 0);
	assert_true(vcpu.in_vel2);
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		u32 sr = homes[i].sr;

		if (page[homes[i].slot / 8] != 0xd000 + i)
			fail_msg("to vEL2: L2's %s is %#lx in the page", homes[i].reg,
				 page[homes[i].slot / 8]);
		if (sr != SR_SPSR_EL1 && sr != SR_ELR_EL1 && fake_get(homes[i].reg) != 0xa000 + i)
			fail_msg("to vEL2: %s has %#lx", homes[i].reg, fake_get(homes[i].reg));
	}
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (fake_writes(shared[i]))
			fail_msg("%s was written", shared[i]);
	assert_string_equal(order, "sgtvgt");
	assert_true(vcpu.traps_stale);
}

/*
 * They have an effect only when an exception is taken or returned from: written even if they are
 * equal.
 */
static bool takes_effect_later(u32 sr)
{
	return sr == SR_VBAR_EL1 || sr == SR_ESR_EL1 || sr == SR_FAR_EL1 || sr == SR_ELR_EL1 ||
	       sr == SR_SPSR_EL1 || sr == SR_SP_EL1;
}

/*
 * Registers that are equal on both sides are not written: writing TCR_EL1 flushes a TLB in an
 * emulator.
 */
static void equal_is_not_written(void **state)
{
	struct exit exit = { .esr = 0x6a000000 };

	(void)state;
	feat.el1_impdef = true;
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		u64 v = homes[i].sr == SR_SPSR_EL1 ? 5 : 0xe000 + i;

		fake_set(homes[i].reg, v);
		page[homes[i].slot / 8] = v;
	}
	level_eret(&vcpu, &exit);
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++)
		if (fake_writes(homes[i].reg) && !takes_effect_later(homes[i].sr))
			fail_msg("%s was written", homes[i].reg);
}

/*
 * Walks of the level that ran complete before a register of its regime changes, in both directions.
 */
static void walks_end_first(void **state)
{
	struct exit exit = { .esr = 0x6a000000 };

	(void)state;
	fake_set("SPSR_EL12", 5);
	fake_set("TTBR0_EL12", 0x1000);
	page[0x200 / 8] = 0x2000;
	fake_walks = true;
	level_eret(&vcpu, &exit);
	assert_int_equal(fake_get("TTBR0_EL12"), 0x2000);
	fake_walks = true;
	level_take(&vcpu, VECTOR_IRQ, 0);
	assert_int_equal(fake_get("TTBR0_EL12"), 0x1000);
	assert_int_equal(fake_walk_races, 0);
}

/* Fields that the VM lacks stay open in the CPU, and L1 never reads them: ZEN 17:16, SMEN 25:24. */
static void hidden_fields(void **state)
{
	struct exit exit = { .esr = 0x6a000000 };

	(void)state;
	vcpu.cpacr_hidden = 0x03030000;
	page[0x100 / 8] = 0x00300000;
	fake_set("SPSR_EL12", 5);
	level_eret(&vcpu, &exit);
	assert_int_equal(fake_get("CPACR_EL12"), 0x03330000);
	level_take(&vcpu, VECTOR_IRQ, 0);
	assert_int_equal(page[0x100 / 8], 0x00300000);
}

static void identity(void **state)
{
	(void)state;
	page[0x088 / 8] = 0xdeadbeef410fd0c1;
	page[0x050 / 8] = 0x80000103;
	vcpu.in_vel2 = false;
	level_load(&vcpu);
	assert_int_equal(fake_get("VPIDR_EL2"), 0x410fd0c1);
	assert_int_equal(fake_get("VMPIDR_EL2"), 0x80000103);
	assert_int_equal(fake_get("VNCR_EL2"), (u64)page);
	/*
	 * Entries of the VM's own translations become this vcpu's at its load: a switch to vEL2
	 * does not check.
	 */
	assert_string_equal(order, "ms");
	vcpu.in_vel2 = true;
	level_load(&vcpu);
	assert_string_equal(order, "msm");
	assert_int_equal(fake_writes("VNCR_EL2"), 1);
}

/*
 * If L2 has an identity of its own a switch exchanges it; otherwise the registers are not accessed.
 */
static void identity_switches(void **state)
{
	struct exit exit = { .esr = 0x6a000000 };

	(void)state;
	vm.id_regs.v[IDX_MIDR_EL1] = 0x410fd0c1;
	vcpu.vmpidr = 0x80000001;
	vm.stage2.vtcr = 0x80023558;
	for (u32 own = 0; own < 4; own++) {
		u64 midr = own == 1 ? 0x410fd493 : 0x410fd0c1,
		    mpidr = own == 2 ? 0x80000102 : 0x80000001;

		page[0x088 / 8] = midr;
		page[0x050 / 8] = mpidr;
		fake_set("VPIDR_EL2", 0x410fd0c1);
		fake_set("VMPIDR_EL2", 0x80000001);
		fake_set("VTCR_EL2", 0x80023558);
		/* Another key of L1's: another shadow, which may have more address bits. */
		page[0x020 / 8]++;
		shadow.s2.vtcr = own == 3 ? 0x80023550 : 0x80023558;
		memset(order, 0, sizeof(order));
		fake_set("SPSR_EL12", 5);
		level_eret(&vcpu, &exit);
		assert_int_equal(fake_get("VPIDR_EL2"), midr);
		assert_int_equal(fake_get("VMPIDR_EL2"), mpidr);
		assert_int_equal(fake_get("VTCR_EL2"), shadow.s2.vtcr);
		level_take(&vcpu, VECTOR_IRQ, 0);
		assert_int_equal(fake_get("VPIDR_EL2"), 0x410fd0c1);
		assert_int_equal(fake_get("VMPIDR_EL2"), 0x80000001);
		assert_int_equal(fake_get("VTCR_EL2"), 0x80023558);
		if (!own)
			assert_int_equal(fake_writes("VPIDR_EL2") + fake_writes("VMPIDR_EL2") +
						 fake_writes("VTCR_EL2"), 0);
	}
}

/*
 * L2's machine is looked up only if a word of L1's that it depends on differs from the last switch.
 */
static void found_once(void **state)
{
	static const u32 slots[] = { 0x020, 0x040, 0x050, 0x078, 0x088, 0x0a0,
				     0x1b8, 0x1c0, 0x1c8, 0x1d0, 0x1d8 };
	static const u32 trapped[] = { SR_MDCR_EL2, SR_CNTHCTL_EL2 };
	struct exit exit = { .esr = 0x6a000000 };
	unsigned want = 0;

	(void)state;
	for (u32 i = 0; i < 3 * (ARRAY_SIZE(slots) + ARRAY_SIZE(trapped)); i++) {
		u32 n = i / 3;

		/* Every third time; the other two use it unchanged. */
		if (i % 3 == 0) {
			want++;
			if (n < ARRAY_SIZE(slots))
				page[slots[n] / 8] ^= 1;
			else
				vcpu.sr[trapped[n - ARRAY_SIZE(slots)]] ^= 1UL << 11;
		}
		memset(order, 0, sizeof(order));
		fake_set("SPSR_EL12", 5);
		level_eret(&vcpu, &exit);
		vcpu.traps.vel1.valid = true; /* traps_update() */
		if (finds != want)
			fail_msg("switch %u: found %u times, not %u", i, finds, want);
		level_take(&vcpu, VECTOR_IRQ, 0);
	}
	/* vEL2's CNTKCTL_EL1 is part of its CNTHCTL_EL2. */
	fake_set("CNTKCTL_EL12", 0x300);
	memset(order, 0, sizeof(order));
	fake_set("SPSR_EL12", 5);
	level_eret(&vcpu, &exit);
	assert_int_equal(finds, want + 1);
	assert_int_equal(vcpu.sr[SR_CNTHCTL_EL2] & 0x3ff, 0x300);
}

/* ---- fast paths ---- */

#define EVERYTHING (sizeof(vcpu) + sizeof(page))

static void remember(u8 *to)
{
	memcpy(to, &vcpu, sizeof(vcpu));
	memcpy(to + sizeof(vcpu), page, sizeof(page));
}

static void recall(const u8 *from)
{
	memcpy(&vcpu, from, sizeof(vcpu));
	memcpy(page, from + sizeof(vcpu), sizeof(page));
	memset(order, 0, sizeof(order));
}

static void random_homes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		fake_set(homes[i].reg, random64());
		page[homes[i].slot / 8] = random64();
		vcpu.sr[homes[i].sr] = random64();
	}
}

static u64 sum_of_registers(void)
{
	u64 sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(homes); i++)
		sum = sum * 31 + fake_get(homes[i].reg);
	return sum;
}

static void same_memory(const u8 *want, const char *what, u64 spsr)
{
	if (memcmp(&vcpu, want, sizeof(vcpu)) || memcmp(page, want + sizeof(vcpu), sizeof(page)))
		fail_msg("%s, SPSR %#lx: memory is not what the long way leaves", what, spsr);
}

/* An ERET on the fast path has the effect of one on the slow path, or none. */
static void short_eret(void **state)
{
	static u8 before[EVERYTHING], after[EVERYTHING];
	struct exit exit = { .esr = 0x6a000000 };
	u32 taken = 0;

	(void)state;
	feat.el1_impdef = true;
	for (u32 n = 0; n < 5000; n++) {
		u64 spsr = (random64() & ~31UL) | (n % 32), regs, pc, pstate;

		setup(NULL);
		feat.el1_impdef = true;
		seed = n + 1;
		random_homes();
		page[0x78 / 8] = random64();
		fake_set("SPSR_EL12", spsr);
		fake_set("ELR_EL12", ELR);
		remember(before);
		level_eret(&vcpu, &exit);
		regs = sum_of_registers();
		pc = vcpu.pc;
		pstate = vcpu.pstate;
		vcpu.pc_dirty = vcpu.traps_stale = false; /* the fast path's caller does these */
		remember(after);
		setup(NULL);
		feat.el1_impdef = true;
		recall(before);
		seed = n + 1;
		random_homes();
		recall(before);
		fake_set("SPSR_EL12", spsr);
		fake_set("ELR_EL12", ELR);
		if (!level_eret_vel1(&vcpu)) {
			assert_true(illegal(spsr, page[0x78 / 8] & TGE) || !(spsr & 0xc) ||
				    (spsr & 8) || (page[0x78 / 8] & TGE));
			same_memory(before, "nothing done", spsr);
			continue;
		}
		taken++;
		assert_false(vcpu.in_vel2);
		assert_int_equal(fake_get("ELR_EL2"), pc);
		assert_int_equal(fake_get("SPSR_EL2"), pstate);
		assert_int_equal(sum_of_registers(), regs);
		same_memory(after, "ERET", spsr);
	}
	assert_true(taken > 100);
}

/* One to vEL2 or its host EL0 as well, unless something may have to be done before the entry. */
static void short_eret_within(void **state)
{
	static u8 before[EVERYTHING], after[EVERYTHING];
	struct exit exit = { .esr = 0x6a000000 };
	u32 taken = 0;

	(void)state;
	for (u32 n = 0; n < 5000; n++) {
		u64 spsr = (random64() & ~31UL) | (n % 32), hcr = random64(), regs;
		bool tge = hcr & TGE, el2 = (spsr & 0x1e) == 8, el0 = (spsr & 0x1f) == 0 && tge;
		bool open = tge || (hcr & (HCR_IMO | HCR_FMO)) == (HCR_IMO | HCR_FMO);
		bool can;

		setup(NULL);
		seed = n + 1;
		random_homes();
		page[0x78 / 8] = hcr;
		page[VNCR_ICH_HCR_EL2 / 8] = n % 5 == 0; /* En */
		vcpu.timers_polled = n % 7 == 0;
		can = (el2 || el0) && open && n % 5 && n % 7;
		fake_set("SPSR_EL12", spsr);
		fake_set("ELR_EL12", ELR);
		remember(before);
		regs = sum_of_registers();
		assert_int_equal(level_eret_within(&vcpu), can);
		if (!can) {
			same_memory(before, "nothing done", spsr);
			continue;
		}
		taken++;
		assert_int_equal(fake_get("ELR_EL2"), vcpu.pc);
		assert_int_equal(fake_get("SPSR_EL2"), vcpu.pstate);
		assert_int_equal(sum_of_registers(), regs);
		remember(after);
		recall(before);
		level_eret(&vcpu, &exit);
		vcpu.pc_dirty = false;
		same_memory(after, "ERET", spsr);
	}
	assert_true(taken > 100);
}

static void fast_hvc_of_l2(void **state)
{
	static u8 before[EVERYTHING], after[EVERYTHING];
	u32 taken = 0;

	(void)state;
	for (u32 n = 0; n < 1000; n++) {
		u64 pstate = (random64() & 0xf3f01fc0) | (n & 1 ? 5 : 4), regs, pc, new;

		setup(NULL);
		seed = n + 1;
		vcpu.in_vel2 = false;
		vcpu.pstate = pstate;
		vcpu.exit = (struct exit){ .esr = 0x5a000000 | (n & 0xffff) };
		random_homes();
		page[0x78 / 8] = random64() & ~HCR_HCD;
		if (n % 8 == 0)
			page[0x78 / 8] |= HCR_HCD;
		remember(before);
		level_reflect(&vcpu);
		regs = sum_of_registers();
		pc = vcpu.pc;
		new = vcpu.pstate;
		vcpu.pc_dirty = vcpu.traps_stale = false;
		remember(after);
		setup(NULL);
		seed = n + 1;
		random_homes();
		recall(before);
		fake_set("ELR_EL2", PC);
		fake_set("SPSR_EL2", pstate);
		if (!level_hvc(&vcpu, vcpu.exit.esr)) {
			assert_true(page[0x78 / 8] & HCR_HCD);
			same_memory(before, "nothing done", pstate);
			continue;
		}
		taken++;
		assert_int_equal(fake_get("ELR_EL2"), pc);
		assert_int_equal(fake_get("SPSR_EL2"), new);
		assert_int_equal(sum_of_registers(), regs);
		same_memory(after, "HVC", pstate);
	}
	assert_int_equal(taken, 875);
}

/*
 * The same for other traps that L1 may want: an ERET, SCTLR_EL2, ID_AA64PFR0_EL1, WFI, ICC_SGI1R_EL1,
 * FP, SVE, SME.
 */
static void short_trap(void **state)
{
	static const u32 traps[] = { 0x6a000000, 0x62310401, 0x62300009, 0x06000000,
				     0x623a3016, 0x1fe00000, 0x66000000, 0x76000000 };
	static u8 before[EVERYTHING], after[EVERYTHING];
	u32 taken[ARRAY_SIZE(traps)] = { 0 }, left[ARRAY_SIZE(traps)] = { 0 };

	(void)state;
	for (u32 n = 0; n < 4000; n++) {
		u64 pstate = (random64() & 0xf3f01fc0) | (n & 1 ? 5 : 4), regs, pc, new;
		u32 i = n / 2 % ARRAY_SIZE(traps);
		bool wanted;

		setup(NULL);
		vm.nested.cptr = vm.nested.ich_hcr = ~0UL;
		seed = n + 1;
		vcpu.in_vel2 = false;
		vcpu.pstate = pstate;
		vcpu.exit = (struct exit){ .esr = traps[i], .spsr = pstate };
		random_homes();
		page[0x78 / 8] = random64();
		page[VNCR_ICH_HCR_EL2 / 8] = random64();
		vcpu.sr[SR_CPTR_EL2] = random64();
		wanted = reflect_wanted(&vcpu, &vcpu.exit);
		remember(before);
		level_reflect(&vcpu);
		regs = sum_of_registers();
		pc = vcpu.pc;
		new = vcpu.pstate;
		vcpu.pc_dirty = vcpu.traps_stale = false;
		remember(after);
		setup(NULL);
		vm.nested.cptr = vm.nested.ich_hcr = ~0UL;
		seed = n + 1;
		random_homes();
		recall(before);
		fake_set("ESR_EL2", vcpu.exit.esr);
		fake_set("ELR_EL2", PC);
		fake_set("SPSR_EL2", pstate);
		assert_int_equal(level_trap(&vcpu, vcpu.exit.esr), wanted);
		if (!wanted) {
			same_memory(before, "nothing done", pstate);
			left[i]++;
			continue;
		}
		taken[i]++;
		assert_int_equal(fake_get("ELR_EL2"), pc);
		assert_int_equal(fake_get("SPSR_EL2"), new);
		assert_int_equal(sum_of_registers(), regs);
		same_memory(after, "a trap", pstate);
	}
	for (u32 i = 0; i < ARRAY_SIZE(traps); i++)
		if (taken[i] < 30 || left[i] < 30)
			fail_msg("trap %u: %u are L1's, %u are not", i, taken[i], left[i]);
}

/* The same for an abort that L1's tables have as well. */
static void short_abort(void **state)
{
	static u8 before[EVERYTHING], after[EVERYTHING];

	(void)state;
	for (u32 n = 0; n < 1000; n++) {
		u64 pstate = (random64() & 0xf3f01fc0) | (n & 1 ? 5 : 4), regs, pc, new;
		struct reflection r = { .esr = (n & 2 ? 0x92000000 : 0x82000000) | (n & 0x3ff),
					.far = random64(),
					.hpfar = random64() };

		setup(NULL);
		seed = n + 1;
		vcpu.in_vel2 = false;
		vcpu.pstate = pstate;
		vcpu.exit = (struct exit){ .esr = r.esr ^ 1 };
		random_homes();
		remember(before);
		vcpu.reflection = r;
		level_reflect_abort(&vcpu);
		regs = sum_of_registers();
		pc = vcpu.pc;
		new = vcpu.pstate;
		vcpu.pc_dirty = vcpu.traps_stale = false;
		vcpu.reflection = (struct reflection){ 0 };
		remember(after);
		setup(NULL);
		seed = n + 1;
		random_homes();
		recall(before);
		fake_set("ELR_EL2", PC);
		fake_set("SPSR_EL2", pstate);
		level_abort(&vcpu, &r);
		assert_int_equal(fake_get("ELR_EL2"), pc);
		assert_int_equal(fake_get("SPSR_EL2"), new);
		assert_int_equal(fake_get("FAR_EL12"), r.far);
		assert_int_equal(vcpu.sr[SR_HPFAR_EL2], r.hpfar);
		assert_int_equal(sum_of_registers(), regs);
		same_memory(after, "abort", pstate);
	}
}

/* ---- exceptions ---- */

/* PSTATE of vEL2's handler, AArch64.TakeException with target EL2. */
static u64 reference_pstate(u64 old, u64 sctlr, bool tge)
{
	u64 p = 5 | 15UL << 6 | (old & 0xf0000000UL) | (old & 1UL << 24) | (old & 1UL << 22);

	p |= (sctlr >> 44 & 1) << 12;
	if (tge && !(sctlr >> 23 & 1)) /* ELIsInHost(EL0) and not SPAN */
		p |= 1UL << 22;
	if (feat.mte)
		p |= 1UL << 25;
	return p;
}

struct source {
	const char *name;
	bool in_vel2;
	u64 mode, spsr_mode, offset;
};

static const struct source sources[] = {
	{ "vEL2h", true, 5, 9, 0x200 },       { "vEL2t", true, 4, 8, 0x000 },
	{ "host EL0", true, 0, 0, 0x400 },    { "L2 EL1h", false, 5, 5, 0x400 },
	{ "L2 EL1t", false, 4, 4, 0x400 },    { "L2 EL0", false, 0, 0, 0x400 },
	/* The width that matters is that of the EL below EL2. */
	{ "L2 AArch32 EL0", false, 0x10, 0x10, 0x400 },
};

static void take_one(const struct source *s, enum vector kind, bool tge, u64 sctlr, u64 flags)
{
	u64 esr = random64();

	memset(order, 0, sizeof(order));
	page[0x78 / 8] = tge ? TGE : 0;
	vcpu.in_vel2 = s->in_vel2;
	vcpu.pc = PC;
	vcpu.pstate = flags | s->mode;
	vcpu.pc_dirty = false;
	vcpu.sr[SR_VBAR_EL1] = VBAR | 0x7f; /* the low bits are RES0 */
	vcpu.sr[SR_SCTLR_EL1] = sctlr;
	vcpu.sr[SR_ESR_EL1] = 0x111;
	vcpu.sr[SR_FAR_EL1] = 0x222;
	vcpu.sr[SR_HPFAR_EL2] = 0x333;
	fake_set("VBAR_EL12", s->in_vel2 ? VBAR | 0x7f : 0x1234000);
	fake_set("SCTLR_EL12", s->in_vel2 ? sctlr : ~sctlr);
	fake_set("ESR_EL12", 0x111);
	fake_set("FAR_EL12", 0x222);
	level_take(&vcpu, kind, esr);
	if (!vcpu.in_vel2 || !vcpu.pc_dirty || vcpu.pc != VBAR + s->offset + (u64)kind ||
	    vcpu.pstate != reference_pstate(flags, sctlr, tge))
		fail_msg(
			"%s, kind %#x, TGE %d, SCTLR %#lx: pc %#lx, pstate %#lx from %#lx (want %#lx)",
			s->name, kind, tge, sctlr, vcpu.pc, vcpu.pstate, flags,
			reference_pstate(flags, sctlr, tge));
	if (fake_get("SPSR_EL12") != (flags | s->spsr_mode) || fake_get("ELR_EL12") != PC)
		fail_msg("%s: SPSR %#lx, ELR %#lx", s->name, fake_get("SPSR_EL12"),
			 fake_get("ELR_EL12"));
	/* IRQ and FIQ have no syndrome. */
	if (fake_get("ESR_EL12") != (kind == VECTOR_IRQ || kind == VECTOR_FIQ ? 0x111 : esr))
		fail_msg("%s, kind %#x: ESR %#lx", s->name, kind, fake_get("ESR_EL12"));
	assert_int_equal(fake_get("FAR_EL12"), 0x222);
	assert_int_equal(vcpu.sr[SR_HPFAR_EL2], 0x333);
	assert_string_equal(order, s->in_vel2 ? "" : "vgt");
}

static void every_exception(void **state)
{
	static const enum vector kinds[] = { VECTOR_SYNC, VECTOR_IRQ, VECTOR_FIQ, VECTOR_SERROR };

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(sources); s++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			for (u32 n = 0; n < 64; n++) {
				feat.mte = n & 8;
				/* TGE = 1: there is no L2. */
				take_one(&sources[s], kinds[k], sources[s].in_vel2 && (n & 1),
					 (n & 2 ? 1UL << 23 : 0) | (n & 4 ? 1UL << 44 : 0),
					 random64() & FLAGS & (n & 16 ? ~0UL : 0));
			}
}

/*
 * A step behind an emulated instruction: to EL2 from vEL2 and host EL0, and from L2 with L1's TDE,
 * else to L2's EL1; the class says whether it came from below. ISS: ISV, IFSC 0x22.
 */
static void step_one(const struct source *s, bool tde)
{
	bool el0 = !(s->mode & 0xc), el2 = s->in_vel2 || tde;
	u64 offset = s->mode & 0x10 ? 0x600 : el0 ? 0x400 : s->mode & 1 ? 0x200 : 0;

	memset(order, 0, sizeof(order));
	vcpu.in_vel2 = s->in_vel2;
	vcpu.pc = PC;
	vcpu.pstate = s->mode;
	vcpu.sr[SR_MDCR_EL2] = tde ? 1UL << 8 : 0;
	vcpu.sr[SR_VBAR_EL1] = VBAR;
	page[0x78 / 8] = 0;
	fake_set("VBAR_EL12", s->in_vel2 ? VBAR : 0x1234000);
	level_step(&vcpu);
	assert_int_equal(fake_get("ESR_EL12") >> 26, el0 || (el2 && !s->in_vel2) ? 0x32 : 0x33);
	assert_int_equal(fake_get("ESR_EL12") & MASK(25, 0), 1UL << 25 | 1UL << 24 | 0x22);
	assert_int_equal(vcpu.in_vel2, el2);
	assert_int_equal(vcpu.pc, el2 ? VBAR + s->offset : 0x1234000 + offset);
	assert_int_equal(fake_get("ELR_EL12"), PC);
	assert_int_equal(fake_get("SPSR_EL12"), s->spsr_mode);
	assert_true(vcpu.pc_dirty);
}

static void stepped(void **state)
{
	(void)state;
	vm.nested.mdcr = ~0UL;
	for (size_t s = 0; s < ARRAY_SIZE(sources); s++)
		for (u32 tde = 0; tde < 2; tde++)
			step_one(&sources[s], tde);
	/* There is nothing above an EL1 guest. */
	vcpu.has_vel2 = false;
	step_one(&(struct source){ "EL1h", false, 5, 5, 0 }, false);
	step_one(&(struct source){ "EL0", false, 0, 0, 0 }, false);
	vcpu.has_vel2 = true;
}

/* Exceptions that nidus injects into vEL2 by itself (UNDEF and the like) look the same. */
static void injected_at_vel2(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (u32 tge = 0; tge < 2; tge++) {
			const struct source *s = &sources[i];

			page[0x78 / 8] = tge ? TGE : 0;
			vcpu.pc = PC;
			vcpu.pstate = s->mode;
			inject_undef(&vcpu);
			if (vcpu.pc != VBAR + s->offset || fake_get("SPSR_EL12") != s->spsr_mode ||
			    vcpu.pstate != reference_pstate(s->mode, 0, tge))
				fail_msg("%s, TGE %u: pc %#lx, SPSR %#lx, pstate %#lx", s->name,
					 tge, vcpu.pc, fake_get("SPSR_EL12"), vcpu.pstate);
		}
}

/* ---- reflection ---- */

static void reflect_syndrome(void **state)
{
	/* Exceptions that have an address: aborts, PC alignment, watchpoints. */
	static const struct {
		u64 esr;
		bool far;
	} cases[] = {
		{ 0x5a000007, false }, { 0x5e000000, false }, { 0x62301234, false },
		{ 0x06000000, false }, { 0x82000010, true },  { 0x92000010, true },
		{ 0x8a000000, true },  { 0xd2000022, true },  { 0xca000022, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		vcpu.in_vel2 = false;
		vcpu.sr[SR_VBAR_EL1] = VBAR;
		vcpu.sr[SR_FAR_EL1] = 0x77;
		vcpu.exit = (struct exit){ .esr = cases[i].esr, .far = 0xfafa, .hpfar = 0xbad0 };
		level_reflect(&vcpu);
		assert_int_equal(fake_get("ESR_EL12"), cases[i].esr);
		if (fake_get("FAR_EL12") != (cases[i].far ? 0xfafaUL : 0x77UL))
			fail_msg("ESR %#lx: FAR %#lx", cases[i].esr, fake_get("FAR_EL12"));
		/* L1 must not see an IPA of the machine's own stage 2. */
		assert_int_equal(vcpu.sr[SR_HPFAR_EL2], 0);
		assert_int_equal(vcpu.pc, VBAR + 0x400);
		assert_int_equal(fake_get("ELR_EL12"), PC);
	}
}

/* Which syndrome vEL2 gets is the verdict's to say. */
static void reflect_or_abort(void **state)
{
	(void)state;
	vcpu.in_vel2 = false;
	vcpu.exit = (struct exit){ .esr = 0x92000007, .far = 1, .hpfar = 2 };
	vcpu.reflection = (struct reflection){ .esr = 0x92000046, .far = 0x1230, .hpfar = 0x45670 };
	level_reflect_abort(&vcpu);
	assert_int_equal(fake_get("ESR_EL12"), 0x92000046);
	assert_int_equal(fake_get("FAR_EL12"), 0x1230);
	assert_int_equal(vcpu.sr[SR_HPFAR_EL2], 0x45670);
	vcpu.in_vel2 = false;
	vcpu.exit.esr = 0x5a000000;
	level_reflect(&vcpu);
	assert_int_equal(fake_get("ESR_EL12"), 0x5a000000);
	assert_int_equal(vcpu.sr[SR_HPFAR_EL2], 0x45670);
}

/* ---- virtual interrupts by HCR_EL2 ---- */

#define VSE (1UL << 8)

static void l2_with_vse(u64 hardware)
{
	vcpu.in_vel2 = false;
	page[0x78 / 8] = VSE | HCR_AMO;
	vcpu.traps.vel1.t.hcr = cpu.traps.hcr = VSE | HCR_VM;
	fake_set("HCR_EL2", hardware);
}

/*
 * L2 took the virtual SError: L1's bit is cleared, at a switch and when another vcpu gets the CPU.
 */
static void vse_taken(void **state)
{
	(void)state;
	l2_with_vse(HCR_VM);
	level_take(&vcpu, VECTOR_IRQ, 0);
	assert_int_equal(page[0x78 / 8], HCR_AMO);
	assert_int_equal(cpu.traps.hcr, HCR_VM);
	l2_with_vse(HCR_VM);
	level_put(&vcpu);
	assert_int_equal(page[0x78 / 8], HCR_AMO);
	/*
	 * The CPU's value is known: the next vcpu's level switch draws no wrong conclusion from it.
	 */
	assert_int_equal(cpu.traps.hcr, HCR_VM);
}

static void vse_waits(void **state)
{
	(void)state;
	l2_with_vse(HCR_VM | VSE);
	level_put(&vcpu);
	/* It is not pending in the CPU. */
	assert_int_equal(fake_get("HCR_EL2"), HCR_VM);
	assert_int_equal(cpu.traps.hcr, HCR_VM);
	level_take(&vcpu, VECTOR_IRQ, 0);
	assert_int_equal(page[0x78 / 8], VSE | HCR_AMO);
	/* The vcpu left before L2 was ever entered: the CPU has vEL2's controls. */
	l2_with_vse(HCR_VM);
	cpu.traps.hcr = HCR_VM;
	level_take(&vcpu, VECTOR_IRQ, 0);
	assert_int_equal(page[0x78 / 8], VSE | HCR_AMO);
	/* At vEL2 the bit is not in force. */
	l2_with_vse(HCR_VM);
	vcpu.in_vel2 = true;
	level_put(&vcpu);
	assert_int_equal(page[0x78 / 8], VSE | HCR_AMO);
}

/* WFI of L2: VF, VI and VSE wake it. */
static void wakes_l2(void **state)
{
	(void)state;
	for (u32 bit = 0; bit < 64; bit++) {
		bool want = bit >= 6 && bit <= 8;

		fake_set("HCR_EL2", 1UL << bit);
		vcpu.in_vel2 = false;
		if (level_interrupt_pending(&vcpu) != want)
			fail_msg("HCR_EL2 bit %u", bit);
		vcpu.in_vel2 = true;
		assert_false(level_interrupt_pending(&vcpu));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_spsr, setup),
		cmocka_unit_test_setup(eret_authenticates, setup),
		cmocka_unit_test_setup(registers_in_memory, setup),
		cmocka_unit_test_setup(registers_move, setup),
		cmocka_unit_test_setup(equal_is_not_written, setup),
		cmocka_unit_test_setup(eret_waits, setup),
		cmocka_unit_test_setup(hidden_fields, setup),
		cmocka_unit_test_setup(walks_end_first, setup),
		cmocka_unit_test_setup(identity, setup),
		cmocka_unit_test_setup(identity_switches, setup),
		cmocka_unit_test_setup(found_once, setup),
		cmocka_unit_test_setup(short_eret, setup),
		cmocka_unit_test_setup(short_eret_within, setup),
		cmocka_unit_test_setup(fast_hvc_of_l2, setup),
		cmocka_unit_test_setup(short_abort, setup),
		cmocka_unit_test_setup(short_trap, setup),
		cmocka_unit_test_setup(every_exception, setup),
		cmocka_unit_test_setup(stepped, setup),
		cmocka_unit_test_setup(injected_at_vel2, setup),
		cmocka_unit_test_setup(reflect_syndrome, setup),
		cmocka_unit_test_setup(reflect_or_abort, setup),
		cmocka_unit_test_setup(vse_taken, setup),
		cmocka_unit_test_setup(vse_waits, setup),
		cmocka_unit_test_setup(wakes_l2, setup),
	};

	return cmocka_run_group_tests_name("level", tests, NULL, NULL);
}
