/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ERET with every mode of SPSR_EL2 and each of its other bits, with and without TGE; then any value
 * at all.
 */
#include "hostile.h"

#include "mmu.h"

/* payload.S */
extern const char l2_telling_vectors[], hvc_7[];
u64 l2_nop(u64 a, u64 b, u64 c);

#define SPSR_IL BIT(20)
#define SPSR_SS BIT(21)

enum { M_EL0 = 0, M_EL1T = 4, M_EL1H = 5, M_EL2T = 8, M_EL2H = 9, M_EL0_AARCH32 = 16 };

/* The exit, and its syndrome, that must follow. */
struct outcome {
	u64 kind, esr;
};

/*
 * HVC #7 is at the address; it is UNDEFINED at EL0. L2's vectors report its own exceptions by HVC
 * #(0x100 + n).
 */
static struct outcome expected(u64 mode, bool tge, bool il)
{
	u64 own = il ? ESR_OF(EC_ILL, 0) : ESR_OF(EC_HVC, 7);

	switch (mode) {
	case M_EL0:
		if (tge)
			return (struct outcome){ EXIT_SYNC, il ? own : ESR_OF(EC_UNKNOWN, 0) };
		return (struct outcome){ EXIT_SYNC, ESR_OF(EC_HVC, 0x108) };
	case M_EL1T:
	case M_EL1H:
		if (tge)
			break;
		if (il)
			own = ESR_OF(EC_HVC, mode == M_EL1T ? 0x100 : 0x104);
		return (struct outcome){ EXIT_SYNC, own };
	case M_EL2T:
		return (struct outcome){ 0, own };
	case M_EL2H:
		return (struct outcome){ EXIT_HOST_SYNC, own };
	}
	return (struct outcome){ EXIT_HOST_SYNC, ESR_OF(EC_ILL, 0) };
}

static u64 target(u64 mode, bool tge)
{
	if (tge)
		return (u64)hvc_7 + (mode == M_EL0 ? MMU_EL0 : 0);
	return mode == M_EL0 || mode == M_EL1T || mode == M_EL1H ? l2_address(hvc_7) : (u64)hvc_7;
}

static u64 returned(struct l2 *l, u64 spsr, bool tge)
{
	u64 kind;

	l->hcr = tge ? HCR_HOST | HCR_TGE : HCR_L2;
	l->elr = target(spsr & 31, tge);
	l->spsr = spsr;
	kind = hostile_run(l, L2_STUCK_US);
	asm volatile(".arch armv8.2-a\n\tmsr pan, #0" ::: "memory");
	return kind;
}

/*
 * EL0 under TGE without VHE has no address translation, and no program uses it: nidus stops a VM
 * for it.
 */
static bool is_lost(u64 mode, bool tge)
{
	return e2h0 && tge && (mode == M_EL0 || mode == M_EL0_AARCH32);
}

static void one(struct l2 *l, u64 spsr, bool tge)
{
	u64 mode = spsr & 31, kind;
	struct outcome o = expected(mode, tge, spsr & SPSR_IL);

	if (is_lost(mode, tge))
		return;
	kind = returned(l, spsr, tge);
	/* A machine may have EL0 in AArch32 state, where the instructions mean something else. */
	if (mode == M_EL0_AARCH32)
		return;
	expect(kind == o.kind && l->esr == o.esr,
	       "SPSR 0x%lx, TGE %u: exit kind %lu esr 0x%lx, expected %lu 0x%lx", spsr, tge, kind,
	       l->esr, o.kind, o.esr);
}

static void begin(struct l2 *l)
{
	hostile_fresh(l);
	l2_put();
	l->sys[L2_VBAR] = l2_address(l2_telling_vectors);
}

static void modes(struct l2 *l, bool tge)
{
	u64 mode;
	u32 bit;

	check_begin("hostile", "ERET with every SPSR_EL2.M and every other bit, TGE %u", tge);
	hostile_sandbox(l);
	begin(l);
	for (mode = 0; mode < 32; mode++) {
		one(l, mode | 0x3c0, tge);
		one(l, mode, tge);
		for (bit = 5; bit < 64; bit++)
			one(l, mode | BIT(bit) | (bit < 6 || bit > 9 ? 0x3c0 : 0), tge);
	}
	hostile_recovered();
}

/* Half of them with random addresses too; not at EL2, where it would execute anything. */
static void any(struct l2 *l, u64 n)
{
	u64 i, spsr, kind;
	bool tge;

	check_begin("hostile", "ERET with any SPSR_EL2");
	hostile_sandbox(l);
	for (i = 0; i < n; i++) {
		begin(l);
		spsr = random_next(&hostile_seed) & ~SPSR_SS;
		tge = random_next(&hostile_seed) & 1;
		if (i & 1) {
			one(l, spsr, tge);
			continue;
		}
		l->hcr = tge ? HCR_HOST | HCR_TGE : HCR_L2;
		l->spsr = spsr;
		l->elr = hostile_garbage() | BIT(45);
		if (is_lost(spsr & 31, tge))
			continue;
		kind = hostile_run(l, L2_STEP_US);
		expect(kind <= 15, "SPSR 0x%lx, ELR 0x%lx: exit kind %lu", spsr, l->elr, kind);
		asm volatile(".arch armv8.2-a\n\tmsr pan, #0" ::: "memory");
	}
	hostile_recovered();
}

void hostile_erets(void)
{
	modes(&l2s[0], false);
	modes(&l2s[0], true);
	any(&l2s[0], 10 * dt_arg("rounds", 100));
}
