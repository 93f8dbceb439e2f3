/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps with interrupts and timers: SGIs and PPIs by the redistributor, timers that fire and are
 * withdrawn, interrupts acknowledged by polling or taken, at each level, and list registers. No
 * step depends on how long anything takes: a timer's deadline is long past or never comes.
 */
#include "diff.h"

/* SGIs, and the PPIs of timers and the GIC. 22 belongs to no device. */
static const u8 intids[] = { 0, 1, 2, 5, 15, 22, 25, 26, 27, 27, 28, 30, 30 };
#define PRIVATE_MASK 0x5e408027u

#define LOOK 5 /* the argument that says whether to print the state */

static u64 sgi_base(void)
{
	return reset_gicr + GICR_SGI;
}

/* Long enough for whatever is on its way to arrive. */
static void settle(void)
{
	u32 i;

	for (i = 0; i < 300; i++)
		isb();
}

/*
 * Print what is pending, active and signalled at the program's own level. Only in half of all
 * steps, because reading it may change it.
 */
static void say_state(const struct step *s)
{
	settle();
	if (!s->a[LOOK])
		return;
	say(" pending=%x active=%x", read32(sgi_base() + GIC_ISPENDR) & PRIVATE_MASK,
	    read32(sgi_base() + GIC_ISACTIVER) & PRIVATE_MASK);
	say(" isr=%lx", sysreg_read(ISR_EL1) & 0xc0);
	say(" hppir=%lx,%lx", sysreg_read(ICC_HPPIR0_EL1), sysreg_read(ICC_HPPIR1_EL1));
}

/* ---- the redistributor ---- */
enum gic_action {
	ENABLE,
	DISABLE,
	PEND,
	UNPEND,
	ACTIVATE,
	DEACTIVATE,
	GROUP0,
	GROUP1,
	PRIORITY,
	GIC_ACTIONS
};

static const char *const action_name[GIC_ACTIONS] = { "enable",  "disable",  "pend",
						      "unpend",  "activate", "deactivate",
						      "group 0", "group 1",  "priority" };

/*
 * No two INTIDs ever have the same priority, because the order would then be IMPLEMENTATION DEFINED
 * (IHI 0069, "Interrupt prioritization"). Each has three of the 32 levels for itself, the last one
 * two.
 */
#define LEVELS_EACH 3

u8 own_priority(u32 intid, u32 n)
{
	u32 rank = 0, all = 0, level, i;

	for (i = 0; i < 32; i++) {
		all += PRIVATE_MASK >> i & 1;
		rank += i < intid && PRIVATE_MASK >> i & 1;
	}
	level = rank + n % LEVELS_EACH * all;
	return (u8)((level < 32 ? level : rank) << 3);
}

/* a[0]: INTID, a[1]: action, a[2]: priority */
static void gic_gen(struct step *s, struct rng *r)
{
	static const u8 often[] = {
		ENABLE, ENABLE, ENABLE, ENABLE, ENABLE, ENABLE, DISABLE, DISABLE
	};

	s->a[0] = intids[rng_below(r, ARRAY_SIZE(intids))];
	s->a[1] = rng_below(r, GIC_ACTIONS);
	if (rng_once(r, 2))
		s->a[1] = often[rng_below(r, ARRAY_SIZE(often))];
	s->a[2] = own_priority((u32)s->a[0], rng_below(r, 32));
	s->a[LOOK] = rng_once(r, 2);
}

static void gic_name(const struct step *s)
{
	say("INTID %lu: %s", s->a[0], action_name[s->a[1]]);
	if (s->a[1] == PRIORITY)
		say(" %lx", s->a[2]);
}

static void group_set(u32 intid, bool one)
{
	u64 a = sgi_base() + GIC_IGROUPR;
	u32 bit = 1u << intid;

	write32(a, one ? read32(a) | bit : read32(a) & ~bit);
}

static void gic_run(const struct step *s)
{
	static const u16 offset[] = { GIC_ISENABLER, GIC_ICENABLER,  GIC_ISPENDR,
				      GIC_ICPENDR,   GIC_ISACTIVER, GIC_ICACTIVER };
	u32 intid = (u32)s->a[0];

	if (s->a[1] <= DEACTIVATE)
		write32(sgi_base() + offset[s->a[1]], 1u << intid);
	else if (s->a[1] == PRIORITY)
		write8(sgi_base() + GIC_IPRIORITYR + intid, (u8)s->a[2]);
	else
		group_set(intid, s->a[1] == GROUP1);
	while (read32(reset_gicr + GICR_CTLR) & BIT(3))
		cpu_relax();
	dsb(sy);
	say_state(s);
	if (!s->a[LOOK])
		return;
	say(" enabled=%x group=%x priority=%x", read32(sgi_base() + GIC_ISENABLER) & PRIVATE_MASK,
	    read32(sgi_base() + GIC_IGROUPR) & PRIVATE_MASK,
	    read8(sgi_base() + GIC_IPRIORITYR + intid));
}

/* ---- SGIs ---- */
/* a[0]: context, a[1]: INTID, a[2]: by SGI0R */
static void sgi_gen(struct step *s, struct rng *r)
{
	s->a[0] = rng_once(r, 3) ? rng_context(r) : AT_HOST;
	s->a[1] = intids[rng_below(r, 5)];
	s->a[2] = rng_once(r, 4);
	s->a[LOOK] = rng_once(r, 2);
}

static void sgi_name(const struct step *s)
{
	say("%s: SGI %lu by ICC_SGI%uR_EL1", context_name[s->a[0]], s->a[1], s->a[2] ? 0 : 1);
}

static void sgi_run(const struct step *s)
{
	u64 x[1] = { s->a[1] << 24 | 1 }; /* the one CPU has affinity 0 */

	code_begin();
	code_emit(s->a[2] ? SYS_INSN(0, 3, 0, 12, 11, 7, 0) : SYS_INSN(0, 3, 0, 12, 11, 5, 0));
	code_emit(INSN_ISB);
	code_run((enum context)s->a[0], x, 1);
	say_state(s);
}

/* ---- the CPU interface ---- */
enum { ACK1, ACK0, ACK_END1, ACK_END0, END, DEACT, HPPIR, RPR, CPU_ACTIONS };

static const char *const cpu_name[CPU_ACTIONS] = { "acknowledge 1",         "acknowledge 0",
						   "acknowledge and end 1", "acknowledge and end 0",
						   "end the last",          "deactivate the last",
						   "highest pending",       "running priority" };

#define R_IAR1 SYS_INSN(1, 3, 0, 12, 12, 0, 1)
#define R_IAR0 SYS_INSN(1, 3, 0, 12, 8, 0, 1)
#define W_EOI1 SYS_INSN(0, 3, 0, 12, 12, 1, 1)
#define W_EOI0 SYS_INSN(0, 3, 0, 12, 8, 1, 1)
#define W_DIR SYS_INSN(0, 3, 0, 12, 11, 1, 1)
#define R_HPPIR0 SYS_INSN(1, 3, 0, 12, 8, 2, 2)
#define R_HPPIR1 SYS_INSN(1, 3, 0, 12, 12, 2, 1)
#define R_RPR SYS_INSN(1, 3, 0, 12, 11, 3, 1)

/*
 * What was acknowledged and not ended, at the program's level and in its guest: ending anything
 * else, or in another order, is UNPREDICTABLE. Only what was ended may be deactivated.
 */
#define HELD_MAX 16
static struct {
	u32 count;
	u32 intid[HELD_MAX];
	bool group0[HELD_MAX];
	u32 ended; /* INTID_SPURIOUS: none */
} held[2];

void gic_reset(void)
{
	memset(held, 0, sizeof(held));
	held[0].ended = held[1].ended = INTID_SPURIOUS;
}

static void hold(u32 g, u64 intid, bool group0)
{
	if (intid >= INTID_SPURIOUS - 3 || held[g].count == HELD_MAX)
		return;
	held[g].intid[held[g].count] = (u32)intid;
	held[g].group0[held[g].count++] = group0;
}

/* a[0]: context, a[1]: action */
static void cpu_gen(struct step *s, struct rng *r)
{
	s->a[0] = diff_el2 && rng_once(r, 2) ? AT_GUEST : AT_HOST;
	s->a[1] = rng_below(r, CPU_ACTIONS);
	s->a[LOOK] = rng_once(r, 2);
}

static void cpu_name_say(const struct step *s)
{
	say("%s: %s", context_name[s->a[0]], cpu_name[s->a[1]]);
}

static void cpu_emit(u64 action, bool group0)
{
	switch (action) {
	case ACK1:
	case ACK_END1:
		code_emit(R_IAR1);
		break;
	case ACK0:
	case ACK_END0:
		code_emit(R_IAR0);
		break;
	case END:
		code_emit(group0 ? W_EOI0 : W_EOI1);
		break;
	case DEACT:
		code_emit(W_DIR);
		break;
	case HPPIR:
		code_emit(R_HPPIR0);
		code_emit(R_HPPIR1);
		break;
	case RPR:
		code_emit(R_RPR);
		break;
	}
	code_emit(INSN_DSB);
	if (action == ACK_END1)
		code_emit(W_EOI1);
	if (action == ACK_END0)
		code_emit(W_EOI0);
	code_emit(INSN_ISB);
}

static void cpu_run(const struct step *s)
{
	u64 x[3] = { 0 };
	u32 g = s->a[0] == AT_GUEST;
	bool group0 = false;

	if (s->a[1] == END) {
		if (!held[g].count)
			return;
		x[1] = held[g].ended = held[g].intid[--held[g].count];
		group0 = held[g].group0[held[g].count];
	}
	if (s->a[1] == DEACT) {
		if (held[g].ended == INTID_SPURIOUS)
			return;
		x[1] = held[g].ended;
		held[g].ended = INTID_SPURIOUS;
	}
	settle();
	code_begin();
	cpu_emit(s->a[1], group0);
	code_run((enum context)s->a[0], x, 3);
	say(" x1=%lx x2=%lx", x[1], x[2]);
	if (s->a[1] == ACK1 || s->a[1] == ACK0)
		hold(g, x[1], s->a[1] == ACK0);
	if (s->a[1] == ACK_END1 || s->a[1] == ACK_END0)
		held[g].ended = x[1] < INTID_SPURIOUS - 3 ? (u32)x[1] : INTID_SPURIOUS;
	say_state(s);
}

/* ---- interrupts that are taken ---- */
/*
 * a[0]: context, a[1]: SPSR's I and F, a[2]: at the program's own level: unmasked by DAIFClr
 * instead of the ERET
 */
static void open_gen(struct step *s, struct rng *r)
{
	s->a[0] = rng_context(r);
	s->a[1] = rng_once(r, 4) ? rng_once(r, 2) ? 0x80 : 0x40 : 0;
	s->a[2] = rng_once(r, 2);
	s->a[LOOK] = rng_once(r, 2);
}

static void open_name(const struct step *s)
{
	say("%s: with PSTATE.%s clear%s", context_name[s->a[0]],
	    s->a[1] == 0x80 ? "F" : s->a[1] == 0x40 ? "I" : "{I,F}", s->a[2] ? ", by DAIFClr" : "");
}

static void open_run(const struct step *s)
{
	u64 x[1] = { 0 }, spsr = context_spsr((enum context)s->a[0]);
	u32 i, clear = 3 & ~(u32)(s->a[1] >> 6);
	bool by_msr = s->a[2] && (s->a[0] == AT_HOST || s->a[0] == AT_GUEST);

	settle();
	code_begin();
	if (by_msr)
		code_emit(0xd50340ffu | clear << 8); /* msr daifclr */
	else
		spsr = (spsr & ~0xc0UL) | s->a[1];
	for (i = 0; i < 12; i++)
		code_emit(i & 1 ? INSN_ISB : INSN_NOP);
	if (by_msr)
		code_emit(0xd50343dfu); /* msr daifset, #3 */
	code_run_at((enum context)s->a[0], spsr, 0, x, 1);
	say_state(s);
}

/* ---- routing ---- */
/*
 * Send an SGI, then take it: a[0]: AT_HOST, a[1]: INTID, a[2]: Group 0, a[3]: HCR_EL2, a[4]: by
 * DAIFClr
 */
static void route_gen(struct step *s, struct rng *r)
{
	u32 routes = rng_below(r, 16);

	s->a[0] = AT_HOST;
	s->a[1] = intids[rng_below(r, 5)];
	s->a[2] = rng_once(r, 2);
	s->a[3] = HCR_ALWAYS | HCR_API | HCR_APK | (routes & 1 ? HCR_IMO : 0) |
		  (routes & 2 ? HCR_FMO : 0) | (routes & 4 ? HCR_AMO : 0) |
		  (routes > 12 ? HCR_TGE : 0);
	s->a[4] = rng_once(r, 2);
	s->a[LOOK] = rng_once(r, 2);
}

static void route_name(const struct step *s)
{
	say("SGI %lu of Group %u with HCR_EL2 = %lx, and PSTATE.{I,F} clear%s", s->a[1],
	    s->a[2] ? 0 : 1, s->a[3], s->a[4] ? ", by DAIFClr" : "");
}

static void route_run(const struct step *s)
{
	struct step open = { .a = { AT_HOST, 0, s->a[4], 0, 0, s->a[LOOK] } };

	group_set((u32)s->a[1], !s->a[2]);
	write32(sgi_base() + GIC_ISENABLER, 1u << s->a[1]);
	run_hcr = s->a[3];
	hcr_write(run_hcr);
	sgi_run(s);
	open_run(&open);
}

/* ---- timers ---- */
struct timer {
	const char *name;
	u8 context, op1, crm;
	u8 intid;
};

static const struct timer timers[] = {
	{ "CNTP_EL0", AT_HOST, 3, 2, 0 },       { "CNTV_EL0", AT_HOST, 3, 3, 0 },
	{ "CNTHP_EL2", AT_HOST, 4, 2, 26 },     { "CNTHV_EL2", AT_HOST, 4, 3, 28 },
	{ "CNTP_EL02", AT_HOST, 5, 2, 30 },     { "CNTV_EL02", AT_HOST, 5, 3, 27 },
	{ "guest's CNTP", AT_GUEST, 3, 2, 30 }, { "guest's CNTV", AT_GUEST, 3, 3, 27 },
};

static const char *const when_name[] = { "over", "far" };

/*
 * a[0]: timer, a[1]: CTL, a[2]: deadline past or far away, a[3]: write CTL before CVAL, a[4]:
 * enable its PPI or not, first or last
 */
static void timer_gen(struct step *s, struct rng *r)
{
	s->a[0] = rng_below(r, diff_el2 ? ARRAY_SIZE(timers) : 2);
	s->a[1] = rng_once(r, 2) ? 1 : rng_below(r, 4);
	s->a[2] = rng_once(r, 3);
	s->a[3] = rng_below(r, 3);
	s->a[LOOK] = rng_once(r, 2);
}

static void timer_name(const struct step *s)
{
	say("%s: CTL %lu%s%s%s", timers[s->a[0]].name, s->a[1], s->a[3] == 2 ? "" : ", CVAL ",
	    s->a[3] == 2 ? "" : when_name[s->a[2]], s->a[3] == 1 ? ", CTL first" : "");
}

static void timer_run(const struct step *s)
{
	const struct timer *t = &timers[s->a[0]];
	u32 ctl = SYS_INSN(0, 3, t->op1, 14, t->crm, 1, 0),
	    cval = SYS_INSN(0, 3, t->op1, 14, t->crm, 2, 1);
	u64 x[3] = { s->a[1], s->a[2] ? 1UL << 60 : 0, 0 };

	code_begin();
	if (s->a[3] == 1)
		code_emit(ctl);
	if (s->a[3] != 2)
		code_emit(cval);
	if (s->a[3] != 1)
		code_emit(ctl);
	code_emit(INSN_ISB);
	code_emit(SYS_INSN(1, 3, t->op1, 14, t->crm, 1, 2));
	code_run((enum context)t->context, x, 3);
	say(" ctl=%lx", x[2]);
	say_state(s);
}

/* ---- the virtual CPU interface ---- */
/* a[0]: which list register, a[1]: value */
static void lr_gen(struct step *s, struct rng *r)
{
	static const u8 vintids[] = { 1, 3, 27, 30, 40 };
	u64 v = rng_next(r), state = 1 + rng_below(r, 3), n = rng_below(r, 4);

	s->a[0] = n;
	/*
	 * No two list registers hold the same virtual INTID, nor do two active ones with the HW bit
	 * hold the same physical one.
	 */
	s->a[1] = state << 62 | (u64)!rng_once(r, 4) << 60 | (v & 0xf8) << 48 |
		  (8 * vintids[v >> 8 & 3] + n);
	if (rng_once(r, 3))
		s->a[1] = (s->a[1] & ~BIT(63)) | BIT(62) | BIT(61) | (u64)(n & 1 ? 27 : 30) << 32;
	else if (rng_once(r, 3))
		s->a[1] |= BIT(41);
	if (rng_once(r, 6))
		s->a[1] = 0;
}

static void lr_name(const struct step *s)
{
	say("ICH_LR%lu_EL2 = %lx", s->a[0], s->a[1]);
}

static void say_lists(void)
{
	say(" lr=%lx,%lx,%lx,%lx", sysreg_read(ICH_LR0_EL2), sysreg_read(ICH_LR1_EL2),
	    sysreg_read(ICH_LR2_EL2), sysreg_read(ICH_LR3_EL2));
	say(" misr=%lx eisr=%lx elrsr=%lx ap=%lx,%lx hcr=%lx vmcr=%lx", sysreg_read(ICH_MISR_EL2),
	    sysreg_read(ICH_EISR_EL2), sysreg_read(ICH_ELRSR_EL2), sysreg_read(ICH_AP0R0_EL2),
	    sysreg_read(ICH_AP1R0_EL2), sysreg_read(ICH_HCR_EL2), sysreg_read(ICH_VMCR_EL2));
}

static void lr_run(const struct step *s)
{
	switch (s->a[0]) {
	case 0:
		sysreg_write(ICH_LR0_EL2, s->a[1]);
		break;
	case 1:
		sysreg_write(ICH_LR1_EL2, s->a[1]);
		break;
	case 2:
		sysreg_write(ICH_LR2_EL2, s->a[1]);
		break;
	default:
		sysreg_write(ICH_LR3_EL2, s->a[1]);
	}
	isb();
	say_lists();
}

/* Write what a guest needs to see interrupts at all; a[0], a[1]: ICH_HCR_EL2, ICH_VMCR_EL2 */
static void vif_gen(struct step *s, struct rng *r)
{
	u64 v = rng_next(r);

	/* without VGrp0DIE, for which QEMU 10.0 checks group 1 */
	s->a[0] = 1 | (rng_once(r, 3) ? v & 0x5cde : 0);
	s->a[1] = 0xf84c000bUL | (rng_once(r, 3) ? v >> 16 & 0x210 : 0);
	if (rng_once(r, 4))
		s->a[1] = (s->a[1] & ~0xf8000000UL) | (v & 0xf8000000UL);
	s->a[LOOK] = rng_once(r, 2);
}

static void vif_name(const struct step *s)
{
	say("ICH_HCR_EL2 = %lx, ICH_VMCR_EL2 = %lx", s->a[0], s->a[1]);
}

static void vif_run(const struct step *s)
{
	sysreg_write(ICH_VMCR_EL2, s->a[1]);
	sysreg_write(ICH_HCR_EL2, s->a[0]);
	isb();
	say_lists();
	say_state(s);
}

const struct op ops_gic[] = {
	{ "gic", 10, true, gic_gen, gic_name, gic_run },
	{ "sgi", 5, true, sgi_gen, sgi_name, sgi_run },
	{ "cpuif", 8, true, cpu_gen, cpu_name_say, cpu_run },
	{ "open", 8, true, open_gen, open_name, open_run },
	{ "route", 4, false, route_gen, route_name, route_run },
	{ "timer", 12, true, timer_gen, timer_name, timer_run },
	{ "list", 7, false, lr_gen, lr_name, lr_run },
	{ "vif", 4, false, vif_gen, vif_name, vif_run },
	{ 0 },
};
