/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Breakpoints, watchpoints and software step at EL2, at host EL0 and in an L2: at which level they
 * match, and from which instruction on.
 */
#include "hyp.h"

#include "mmu.h"

#define EC_BREAKPT 0x31
#define EC_SOFTSTP 0x33
#define EC_WATCHPT 0x35
#define DFSC_DEBUG 0x22
#define STEP_ISV BIT(24)
#define PSTATE_D BIT(9)
#define SPSR_SS BIT(21)

#define E BIT(0)
#define EL1 BIT(1)
#define EL0 BIT(2)
#define HMC BIT(13)
#define SSC(n) ((u64)(n) << 14)
#define BAS_INSN (15UL << 5)
#define STORES (2UL << 3)
#define BAS_ALL (255UL << 5)

#define BOTH (MDSCR_MDE | MDSCR_KDE)

/* debug.S */
extern const char debug_vectors[], debug_unmask_at[], debug_late_at[], debug_return_at[],
	debug_trap_at[], debug_twice_at[];
void debug_target(void);
void debug_el0(void);
void debug_unmask(u64 mdscr);
void debug_late(u64 mdscr);
void debug_return(u64 mdscr, u64 spsr);
void debug_return_trap(u64 mdscr, u64 spsr);
void debug_return_twice(u64 mdscr, u64 spsr);
u64 l2_nop(u64 a, u64 b, u64 c);
extern struct {
	u64 count, kind, esr, elr, spsr, far;
} debug_seen;

static u64 watched;

static void store(u64 v)
{
	*(volatile u64 *)&watched = v;
}

static void unmask(void)
{
	asm volatile("msr daifclr, #8" ::: "memory");
}

static void mask(void)
{
	asm volatile("msr daifset, #8" ::: "memory");
}

static void all_off(void)
{
	sysreg_write(MDSCR_EL1, 0);
	sysreg_write(DBGBCR0_EL1, 0);
	sysreg_write(DBGBCR1_EL1, 0);
	sysreg_write(DBGWCR0_EL1, 0);
	sysreg_write(DBGBVR0_EL1, 0);
	sysreg_write(DBGWVR0_EL1, 0);
	isb();
}

static u64 old_vectors;

/* EL2's own debug exceptions are taken at EL2: by TGE, or by TDE where there is no host. */
static void begin(void)
{
	all_off();
	memset(&debug_seen, 0, sizeof(debug_seen));
	old_vectors = own_read(VBAR);
	own_write(VBAR, (u64)debug_vectors);
	if (e2h0)
		sysreg_write(MDCR_EL2, MDCR_TDE);
	isb();
}

static void end(void)
{
	mask();
	own_write(VBAR, old_vectors);
	if (e2h0)
		sysreg_write(MDCR_EL2, 0);
	all_off();
}

static void expect_seen(bool seen, u64 esr, u64 elr)
{
	expect_eq(debug_seen.count, seen, "exceptions");
	if (!seen)
		return;
	expect_eq(debug_seen.kind, EXIT_HOST_SYNC, "vector");
	expect_eq(debug_seen.esr & (MASK(31, 24) | 0x7f), esr, "esr");
	if (elr)
		expect_eq(debug_seen.elr, elr, "elr");
}

/* ---- at which level they match ---- */

static const struct state {
	char name[24];
	u64 bits;
	bool el2, el1, el0;
} states[] = {
	{ "HMC 1 SSC 3 PMC 0", HMC | SSC(3), true, false, false },
	{ "HMC 1 SSC 0 PMC 1", HMC | EL1, true, true, false },
	{ "HMC 1 SSC 0 PMC 3", HMC | EL1 | EL0, true, true, true },
	{ "HMC 0 SSC 0 PMC 1", EL1, false, true, false },
	{ "HMC 0 SSC 0 PMC 2", EL0, false, false, true },
	{ "HMC 0 SSC 0 PMC 3", EL1 | EL0, false, true, true },
};

static void break_el2(const struct state *s)
{
	check_begin("debug", "breakpoint %s at EL2", s->name);
	begin();
	sysreg_write(DBGBVR0_EL1, (u64)debug_target);
	sysreg_write(DBGBCR0_EL1, E | BAS_INSN | s->bits);
	sysreg_write(MDSCR_EL1, BOTH);
	isb();
	unmask();
	debug_target();
	mask();
	expect_eq(sysreg_read(DBGBCR0_EL1), E | BAS_INSN | s->bits, "DBGBCR0_EL1");
	end();
	expect_seen(s->el2, ESR_OF(EC_BREAKPT, DFSC_DEBUG), (u64)debug_target);
}

static void watch_el2(const struct state *s)
{
	check_begin("debug", "watchpoint %s at EL2", s->name);
	begin();
	sysreg_write(DBGWVR0_EL1, (u64)&watched);
	sysreg_write(DBGWCR0_EL1, E | STORES | BAS_ALL | s->bits);
	sysreg_write(MDSCR_EL1, BOTH);
	isb();
	unmask();
	store(1);
	mask();
	expect_eq(sysreg_read(DBGWCR0_EL1), E | STORES | BAS_ALL | s->bits, "DBGWCR0_EL1");
	end();
	expect_seen(s->el2, ESR_OF(EC_WATCHPT, 0x40 | DFSC_DEBUG), 0);
}

static void break_host_el0(const struct state *s)
{
	struct frame f = { .elr = MMU_EL0 + (u64)debug_el0, .spsr = SPSR_EL0T };

	check_begin("debug", "breakpoint %s at host EL0", s->name);
	if (!needs_vhe())
		return;
	f.x[1] = MMU_EL0 + (u64)&watched;
	all_off();
	sysreg_write(DBGBVR0_EL1, MMU_EL0 + (u64)debug_el0);
	sysreg_write(DBGBCR0_EL1, E | BAS_INSN | s->bits);
	sysreg_write(MDSCR_EL1, BOTH);
	isb();
	el0_run(&f);
	all_off();
	expect_eq(f.esr, s->el0 ? ESR_OF(EC_BREAKPT - 1, DFSC_DEBUG) : ESR_OF(EC_SVC, 0x321),
		  "esr");
}

static void watch_host_el0(const struct state *s)
{
	struct frame f = { .elr = MMU_EL0 + (u64)debug_el0, .spsr = SPSR_EL0T };

	check_begin("debug", "watchpoint %s at host EL0", s->name);
	if (!needs_vhe())
		return;
	f.x[1] = MMU_EL0 + (u64)&watched;
	all_off();
	sysreg_write(DBGWVR0_EL1, f.x[1]);
	sysreg_write(DBGWCR0_EL1, E | STORES | BAS_ALL | s->bits);
	sysreg_write(MDSCR_EL1, BOTH);
	isb();
	el0_run(&f);
	all_off();
	expect_eq(f.esr & (MASK(31, 26) | 0x7f),
		  (s->el0 ? ESR_OF(EC_WATCHPT - 1, 0x40 | DFSC_DEBUG) : ESR_OF(EC_SVC, 0x21)) &
			  (MASK(31, 26) | 0x7f),
		  "esr");
}

/* What L2 saw. */
static struct {
	u64 count, esr, bcr, bcr1;
} found;

static u64 l2_break(u64 a, u64 b, u64 c)
{
	struct trap t;

	(void)a;
	(void)b;
	(void)c;
	trap_arm(&t);
	unmask();
	debug_target();
	mask();
	trap_disarm();
	found.count = t.count;
	found.esr = t.esr;
	found.bcr = sysreg_read(DBGBCR0_EL1);
	sysreg_write(DBGBCR1_EL1, EL1 | BAS_INSN | HMC);
	return 0;
}

static void break_l2(struct l2 *l, const struct state *s)
{
	check_begin("debug", "breakpoint %s in L2, and what both levels write", s->name);
	memset(&found, 0, sizeof(found));
	all_off();
	l2_load(l); /* its MDSCR_EL1 as well */
	sysreg_write(DBGBVR0_EL1, l2_address((const void *)debug_target));
	sysreg_write(DBGBCR0_EL1, E | BAS_INSN | s->bits);
	sysreg_write(MDSCR_EL1, BOTH);
	isb();
	l2_run_fn(l, l2_break, 0, 0, 0);
	expect_eq(sysreg_read(MDSCR_EL1), BOTH, "MDSCR_EL1");
	expect_eq(sysreg_read(DBGBCR1_EL1), EL1 | BAS_INSN | HMC, "DBGBCR1_EL1");
	expect_eq(sysreg_read(DBGBCR0_EL1), E | BAS_INSN | s->bits, "DBGBCR0_EL1");
	all_off();
	l2_put();
	expect_eq(l->exits, 1, "exits");
	expect_eq(found.count, s->el1, "exceptions");
	expect_eq(found.esr, s->el1 ? ESR_OF(EC_BREAKPT, DFSC_DEBUG) : 0, "esr");
	expect_eq(found.bcr, E | BAS_INSN | s->bits, "DBGBCR0_EL1 in L2");
}

/* ---- from which instruction on ---- */

static void order_write(char what)
{
	if (what == 'M')
		sysreg_write(MDSCR_EL1, BOTH);
	else if (what == 'C')
		sysreg_write(DBGWCR0_EL1, E | STORES | BAS_ALL | HMC | EL1);
	else
		sysreg_write(DBGWVR0_EL1, (u64)&watched);
	isb();
}

static void orders(void)
{
	static const char order[][4] = { "MVC", "MCV", "VMC", "VCM", "CMV", "CVM" };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		check_begin("debug", "a watchpoint's registers and MDSCR_EL1 in order %s",
			    order[i]);
		begin();
		unmask();
		order_write(order[i][0]);
		order_write(order[i][1]);
		order_write(order[i][2]);
		store(2);
		end();
		expect_seen(true, ESR_OF(EC_WATCHPT, 0x40 | DFSC_DEBUG), 0);
	}
	check_begin("debug", "a watchpoint moves while it is enabled");
	begin();
	order_write('C');
	order_write('M');
	sysreg_write(DBGWVR0_EL1, (u64)&found);
	isb();
	sysreg_write(DBGWVR0_EL1, (u64)&watched);
	isb();
	expect_eq(sysreg_read(DBGWVR0_EL1), (u64)&watched, "DBGWVR0_EL1");
	unmask();
	store(3);
	end();
	expect_seen(true, ESR_OF(EC_WATCHPT, 0x40 | DFSC_DEBUG), 0);
}

static void steps(void)
{
	const u64 step = MDSCR_SS | MDSCR_KDE;

	check_begin("debug", "software step begins with PSTATE.D");
	begin();
	debug_unmask(step);
	end();
	expect_seen(true, ESR_OF(EC_SOFTSTP, DFSC_DEBUG), (u64)debug_unmask_at);
	check_begin("debug", "software step begins with MDSCR_EL1");
	begin();
	debug_late(step);
	end();
	expect_seen(true, ESR_OF(EC_SOFTSTP, DFSC_DEBUG), (u64)debug_late_at);
	check_begin("debug", "software step needs KDE");
	begin();
	debug_unmask(MDSCR_SS);
	end();
	expect_seen(false, 0, 0);
	check_begin("debug", "ERET with SPSR.SS steps an instruction");
	begin();
	debug_return(step, SPSR_SS | 0x1c9);
	end();
	expect_seen(true, ESR_OF(EC_SOFTSTP, DFSC_DEBUG | STEP_ISV), (u64)debug_return_at + 4);
	check_begin("debug", "ERET with SPSR.SS steps a read of HPFAR_EL2");
	begin();
	debug_return_trap(step, SPSR_SS | 0x1c9);
	end();
	expect_seen(true, ESR_OF(EC_SOFTSTP, DFSC_DEBUG | STEP_ISV), (u64)debug_trap_at + 4);
	check_begin("debug", "ERET without SPSR.SS steps none");
	begin();
	debug_return(step, 0x1c9);
	end();
	expect_seen(true, ESR_OF(EC_SOFTSTP, DFSC_DEBUG), (u64)debug_return_at);
	check_begin("debug", "ERET from where step is enabled ignores SPSR.SS");
	begin();
	debug_return_twice(step, SPSR_SS | 0x1c9);
	end();
	debug_seen.esr &= ~STEP_ISV; /* 0 where the ERET is emulated */
	expect_seen(true, ESR_OF(EC_SOFTSTP, DFSC_DEBUG), (u64)debug_twice_at);
}

/* ---- whether they are taken at all ---- */

/* With neither TGE nor TDE the target is EL1, and EL2 takes none. */
static void routes(void)
{
	u32 i;

	for (i = 0; i < 4; i++) {
		bool tge = i & 1, tde = i & 2;

		check_begin("debug", "breakpoint and step at EL2 with TGE %d TDE %d", tge, tde);
		begin();
		sysreg_write(MDCR_EL2, tde ? MDCR_TDE : 0);
		sysreg_write(HCR_EL2, tge ? HCR_HOST | HCR_TGE : HCR_HOST & ~HCR_TGE);
		isb();
		sysreg_write(DBGBVR0_EL1, (u64)debug_target);
		sysreg_write(DBGBCR0_EL1, E | BAS_INSN | HMC | EL1);
		sysreg_write(MDSCR_EL1, BOTH);
		isb();
		unmask();
		debug_target();
		mask();
		expect_seen(tge || tde, ESR_OF(EC_BREAKPT, DFSC_DEBUG), (u64)debug_target);
		memset(&debug_seen, 0, sizeof(debug_seen));
		debug_unmask(MDSCR_SS | MDSCR_KDE);
		expect_seen(tge || tde, ESR_OF(EC_SOFTSTP, DFSC_DEBUG), (u64)debug_unmask_at);
		/* Before the controls are restored. */
		sysreg_write(MDSCR_EL1, 0);
		sysreg_write(MDCR_EL2, 0);
		sysreg_write(HCR_EL2, HCR_HOST);
		isb();
		end();
	}
}

/* A hypervisor that writes MDSCR_EL1 for each entry of its guest sets a breakpoint. */
static void at_work(struct l2 *l)
{
	u32 i;

	check_begin("debug", "breakpoint after many entries of L2");
	for (i = 0; i < 300; i++) {
		sysreg_write(MDSCR_EL1, MDSCR_TDCC);
		l2_run_fn(l, l2_nop, 0, 0, 0);
	}
	begin();
	unmask();
	sysreg_write(MDSCR_EL1, BOTH);
	sysreg_write(DBGBVR0_EL1, (u64)debug_target);
	sysreg_write(DBGBCR0_EL1, E | BAS_INSN | HMC | EL1);
	isb();
	debug_target();
	mask();
	expect_seen(true, ESR_OF(EC_BREAKPT, DFSC_DEBUG), (u64)debug_target);
	memset(&debug_seen, 0, sizeof(debug_seen));
	debug_unmask(MDSCR_SS | MDSCR_KDE);
	expect_seen(true, ESR_OF(EC_SOFTSTP, DFSC_DEBUG), (u64)debug_unmask_at);
	end();
}

void group_debug(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	sysreg_write(OSLAR_EL1, 0);
	isb();
	l2_reset(l, 1);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		break_el2(&states[i]);
		watch_el2(&states[i]);
		break_host_el0(&states[i]);
		watch_host_el0(&states[i]);
		break_l2(l, &states[i]);
	}
	orders();
	steps();
	routes();
	at_work(l);
}
