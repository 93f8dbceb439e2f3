/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers of regs.def that exist at this level, and code that sets them all to their initial
 * values.
 */
#include "regs.h"

#define LDR_X1(n) (0xf9400001u | (u32)(n) << 10) /* ldr x1, [x0, #8 * n] */
#define RET 0xd65f03c0u

#define REGS_MAX 256

struct reg regs[REGS_MAX];
u32 regs_count;

static u32 reset_code[2 * REGS_MAX + 2] __attribute__((aligned(4096)));
static u64 first[REGS_MAX];

/* The table's names are macros elsewhere: not here. */
static void add(const char *name, u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, u32 kind, u64 mask,
		u64 fixed)
{
	if (!diff_el2 && (op1 == 4 || op1 == 5))
		return;
	if (regs_count == REGS_MAX)
		test_abort("too many registers");
	regs[regs_count++] = (struct reg){ name,    (u8)op0,  (u8)op1, (u8)crn, (u8)crm,
					   (u8)op2, (u8)kind, mask,    fixed };
}

static bool is_reset(const struct reg *g)
{
	switch (g->kind) {
	case REG_RW:
	case REG_CVAL:
	case REG_VOFF:
	case REG_LR:
	case REG_LOCK:
		return true;
	default:
		return false;
	}
}

void regs_init(void)
{
	u32 i, n = 0;

#define REG(name, op0, op1, crn, crm, op2, kind, mask, fixed)                                      \
	add(#name, op0, op1, crn, crm, op2, REG_##kind, mask, fixed);
#include "regs.def"
#undef REG
	for (i = 0; i < regs_count; i++) {
		const struct reg *g = &regs[i];

		first[i] = g->kind == REG_CVAL ? ~0UL : g->fixed;
		if (!is_reset(g))
			continue;
		reset_code[n++] = LDR_X1(i);
		reset_code[n++] = SYS_INSN(0, g->op0, g->op1, g->crn, g->crm, g->op2, 1);
	}
	reset_code[n++] = INSN_ISB;
	reset_code[n++] = RET;
	for (i = 0; i < n; i += 16)
		asm volatile("dc cvau, %0" ::"r"(reset_code + i) : "memory");
	dsb(ish);
	for (i = 0; i < n; i += 16)
		asm volatile("ic ivau, %0" ::"r"(reset_code + i) : "memory");
	dsb(ish);
	isb();
}

void regs_reset(void)
{
	register u64 *x0 asm("x0") = first;
	register const u32 *x2 asm("x2") = reset_code;

	asm volatile("blr x2" : "+r"(x0), "+r"(x2)::"x1", "x30", "cc", "memory");
}

u32 regs_pick(struct rng *r)
{
	return rng_below(r, regs_count);
}

u32 reg_index(const char *name)
{
	u32 i;

	for (i = 0; i < regs_count; i++)
		if (!strcmp(regs[i].name, name))
			return i;
	test_abort("no register %s", name);
}
