/* SPDX-License-Identifier: Apache-2.0 */
/* What the guests do: L2 and L3 of V, W, and B. */
#include "guests.h"

#include <string.h>

#include "arch/esr.h"
#include "arch/hcr.h"
#include "check.h"
#include "arch/simd.h"

#define ALL_OPEN (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN)
#define HCR_L2 (HCR_E2H | HCR_RW | HCR_VM | HCR_IMO | HCR_FMO)

struct truth truth[GUESTS];
u64 now, v_level;
u32 traps;
static bool booting;

tag own(u32 g)
{
	return (tag)(T_OWN + g);
}

u32 guest_of(enum who who)
{
	return who == WHO_W ? G_W : who == WHO_B ? G_B : G_V;
}

static struct truth *mine(void)
{
	return &truth[guest_of(now)];
}

static u32 level_of(enum who who)
{
	return who == WHO_L3;
}

/* ---- their lengths --------------------------------------------------------------------------- */

/* The largest of a guest's VM, limited by the machine below. */
static u32 full(u32 g, bool sm)
{
	u32 vm = sm ? setup->svl[g] : setup->vl[g];

	return g == G_B ? vm : MIN(vm, sm ? setup->svl1 : setup->vl1);
}

/* The length that its levels request. */
static u32 asked(enum who who, const u8 *len)
{
	return who == WHO_L3 ? segs_of(MIN(len[0], len[1])) : segs_of(len[0]);
}

u32 exp_svl(enum who who)
{
	u32 g = guest_of(who);

	return MIN(full(g, true), asked(who, truth[g].smcr));
}

u32 exp_len(enum who who)
{
	u32 g = guest_of(who);
	bool sm = truth[g].d.svcr & SVCR_SM;

	if (!full(g, sm))
		return 1;
	return sm ? exp_svl(who) : MIN(full(g, false), asked(who, truth[g].zcr));
}

/* FA64 and ZT0 are permitted along with the length, at each level. */
static bool extras(enum who who)
{
	const struct truth *t = &truth[guest_of(who)];

	return t->smcr[0] == LEN_LONG && (who != WHO_L3 || t->smcr[1] == LEN_LONG);
}

/* Above the length: its value or zero; lengths may change twice between two entries. */
static void exp_cut(tag *segs, u32 len)
{
	for (u32 i = len; i < SEGS; i++)
		segs[i] = T_ANY;
}

/* Use the lengths that the running guest has now, from here on. */
static void cut_all(void)
{
	struct truth *t = mine();

	exp_cut(t->d.vec, exp_len(now));
	if (t->d.svcr & SVCR_ZA)
		exp_cut(t->d.za, exp_svl(now));
}

/* ---- instructions that use SIMD -------------------------------------------------------------- */

/* V is at another level from here on. */
static void switched(enum who level)
{
	now = v_level = level;
	m.pc = CODE(level);
	cut_all();
}

static u64 read_own(enum reg r)
{
	u64 v = 0;

	if (guest_access(r, false, &v) != COMPLETES)
		model_fail("a guest can't read a register of its own");
	return v;
}

/* L2 has taken an exception of L3's. */
static void l2_takes(u64 ec, u64 elr)
{
	if (m.pc != VBAR(WHO_L2) + 0x400)
		model_fail("L2 is entered at %#lx", m.pc);
	switched(WHO_L2);
	if (ESR_EC(read_own(R_ESR_EL2)) != ec || read_own(R_ELR_EL2) != elr ||
	    (read_own(R_SPSR_EL2) & PSTATE_M) != PSTATE_EL1H)
		model_fail("L2 takes an exception of L3's with ESR_EL2 %#lx, ELR_EL2 %#lx",
			   read_own(R_ESR_EL2), read_own(R_ELR_EL2));
}

/* Its own EL1 has taken an exception, and calls itself EL2h or EL1h. */
static void own_takes(u64 ec)
{
	bool hyp = now == WHO_L2;

	m.pc = CODE(now);
	if (ESR_EC(read_own(hyp ? R_ESR_EL2 : R_ESR_EL1)) != ec)
		model_fail("a guest gets exception %#lx instead of %#lx",
			   read_own(hyp ? R_ESR_EL2 : R_ESR_EL1), ec);
	if ((read_own(hyp ? R_SPSR_EL2 : R_SPSR_EL1) & PSTATE_M) !=
	    (hyp ? PSTATE_EL2H : PSTATE_EL1H))
		model_fail("%s has an exception at its own level from SPSR %#lx",
			   hyp ? "L2" : "a guest at EL1", read_own(hyp ? R_SPSR_EL2 : R_SPSR_EL1));
}

/* Whether L3's instruction is taken to L2. */
static bool is_l2s(u64 need)
{
	return now == WHO_L3 && (truth[G_V].cptr & need) != need;
}

/*
 * Traps that one instruction may take: l0's and l1's claims come with the first. But what L2 has
 * opened for itself l1 finds out only by a trap; if l1's registers are not live then, there is
 * another.
 */
static u32 traps_allowed(void)
{
	return mode > MODE_FULL ? 4 : now == WHO_L2 ? 2 : 1;
}

/* An instruction of the running guest exits; returns how it ends for now. */
static enum ends exit_of(u64 esr, bool *again)
{
	u64 at = CODE(now);

	m.pc = at;
	traps++;
	if (traps > traps_allowed())
		model_fail("an instruction of a guest traps %u times", traps);
	guest_exit(EXIT_SYNC, esr);
	*again = m.pc == at;
	if (m.pc == at || m.pc == at + 4)
		return COMPLETES;
	if (m.pc == VBAR(now) + 0x200)
		return RAISES;
	if (now == WHO_L3 && m.pc >> 16 == WHO_L2)
		return TO_L2;
	model_fail("a guest goes on at %#lx after a trap", m.pc);
}

static bool has(u64 ec)
{
	u32 g = guest_of(now);

	return ec == EC_SVE ? full(g, false) : ec == EC_SME ? full(g, true) : true;
}

/* Whether the instruction is executed; if not, it was an exception, and of the right level. */
static bool may(u64 need, u64 ec)
{
	struct route route;
	bool again, l2s = is_l2s(need);
	enum ends ends;

	traps = 0;
	while ((route = machine_simd(need, ec)).outcome == EXITS) {
		ends = exit_of(route.esr, &again);
		if ((ends == TO_L2) != (l2s && has(ec)) || (ends == RAISES) != !has(ec))
			model_fail("a trapped instruction is %s",
				   ends == TO_L2    ? "given to L2, which does not trap it"
				   : ends == RAISES ? "UNDEFINED to a VM that has it"
				   : l2s && has(ec) ? "kept from L2, which traps it"
						    : "executed by a VM that has it not");
		if (ends == TO_L2)
			l2_takes(ESR_EC(route.esr) == EC_FP_ASIMD      ? EC_FP_ASIMD
				 : truth[G_V].cptr & need & ~CPTR_FPEN ? EC_FP_ASIMD
								       : ec,
				 CODE(WHO_L3));
		if (ends == RAISES)
			own_takes(EC_UNKNOWN);
		if (!again)
			return false;
	}
	if (route.outcome == ALLOWED && (l2s || !has(ec)))
		model_fail("a guest uses SIMD that %s", l2s ? "L2 traps" : "it has not");
	return route.outcome == ALLOWED;
}

/* Its value in this place is now the only right one. */
static void write_tag(tag *exp)
{
	struct truth *t = mine();

	((tag *)&m.d)[exp - (tag *)&t->d] = *exp = own(guest_of(now));
}

static void write_za(struct data *x)
{
	for (u32 i = 0; i < exp_svl(now); i++)
		write_tag(&x->za[i]);
	exp_cut(x->za, exp_svl(now));
	if (setup->sme2 && extras(now))
		write_tag(&x->zt0);
}

static void write_vectors(struct data *x, bool sm)
{
	for (u32 i = 0; i < exp_len(now); i++)
		write_tag(&x->vec[i]);
	exp_cut(x->vec, exp_len(now));
	write_tag(&x->pred);
	if (!sm || (setup->fa64 && extras(now)))
		write_tag(&x->ffr);
}

void guest_use(void)
{
	struct data *x = &mine()->d;
	bool sm = x->svcr & SVCR_SM, sve = full(guest_of(now), false);
	u64 field = sm ? CPTR_SMEN : CPTR_ZEN;

	if (!may(CPTR_FPEN | (sve ? field : 0), !sve ? EC_FP_ASIMD : sm ? EC_SME : EC_SVE))
		return;
	if (sve)
		write_vectors(x, sm);
	else
		write_tag(&x->vec[0]);
	if ((x->svcr & SVCR_ZA) && machine_simd(CPTR_FPEN | CPTR_SMEN, EC_SME).outcome == ALLOWED)
		write_za(x);
	for (u32 i = 0; i < 3; i++)
		write_tag(&x->status[i]);
}

void guest_svcr(u64 bit)
{
	struct data *x = &mine()->d;

	if (!may(CPTR_FPEN | CPTR_SMEN, EC_SME))
		return;
	machine_set_svcr(&m.d, m.d.svcr ^ bit);
	machine_set_svcr(x, x->svcr ^ bit);
	if (bit == SVCR_SM)
		write_tag(&x->status[0]);
}

void guest_lengths(void)
{
	struct truth *t = mine();
	u32 l = level_of(now);

	if (!may(CPTR_FPEN | CPTR_ZEN, EC_SVE))
		return;
	t->zcr[l] ^= LEN_LONG;
	m.reg[R_ZCR_EL1] = t->zcr[l];
	if (machine_simd(CPTR_FPEN | CPTR_SMEN, EC_SME).outcome == ALLOWED) {
		t->smcr[l] ^= LEN_LONG;
		m.reg[R_SMCR_EL1] = machine_smcr(t->smcr[l]);
	}
	machine_narrow();
	cut_all();
}

/* ---- other registers ------------------------------------------------------------------------- */

enum ends guest_access(enum reg r, bool write, u64 *v)
{
	struct route route = machine_route(r, write);
	enum ends ends;
	bool again;

	traps = 0;
	if (route.outcome == UNDEFINED)
		return ABSENT;
	if (route.outcome == ALLOWED) {
		if (write)
			*route.place = *v;
		*v = *route.place;
		return COMPLETES;
	}
	m.x0 = *v;
	ends = exit_of(route.esr, &again);
	if (again)
		model_fail("an access of a guest's to a register is to be executed again");
	*v = m.x0;
	m.pc = ends == COMPLETES ? CODE(now) : m.pc;
	return ends;
}

static void write_own(enum reg r, u64 v)
{
	if (guest_access(r, true, &v) != COMPLETES)
		model_fail("a guest can't write a register of its own");
}

/* The setup has the first this many of them. */
static u64 l2_value(u32 i)
{
	static const u64 values[] = {
		ALL_OPEN,
		ALL_OPEN & ~CPTR_ZEN,
		(ALL_OPEN & ~CPTR_FPEN) | CPTR_TCPAC,
		ALL_OPEN & ~CPTR_SMEN,
	};

	return values[setup->svl[G_V] && setup->cptrs == 2 ? 3 * i : i];
}

static u64 cptr_bits(void)
{
	return CPTR_FPEN | CPTR_TCPAC | (full(G_V, false) ? CPTR_ZEN : 0) |
	       (full(G_V, true) ? CPTR_SMEN : 0);
}

/* Each of them once, where the VM lacks some fields. */
u64 next_cptr(u64 value)
{
	u64 have = cptr_bits();
	u32 i = 0;

	while ((l2_value(i) & have) != value)
		i++;
	do
		i = (i + 1) % setup->cptrs;
	while (i && (l2_value(i) & have) == (l2_value(0) & have));
	return l2_value(i) & have;
}

/* CPTR_EL2, by the name that HCR_EL2.E2H gives it. */
void l2_cptr(void)
{
	truth[G_V].cptr = next_cptr(truth[G_V].cptr);
	write_own(R_CPACR_EL1, truth[G_V].cptr);
}

/* ZCR_EL2 or SMCR_EL2 by these names, which exit: read it, then write another length. */
static void change_length(enum reg r, u64 field, u64 ec, u8 *len)
{
	bool smcr = r == R_SMCR_EL2;
	u64 v = ~0UL, want = smcr ? machine_smcr(*len) : *len;
	enum ends ends = guest_access(r, false, &v);

	if ((ends == RAISES) != !(truth[G_V].cptr & field))
		model_fail("L2's access to ZCR_EL2 or SMCR_EL2 ends as %d, its CPTR_EL2 is %#lx",
			   ends, truth[G_V].cptr);
	if (ends == RAISES) {
		own_takes(ec);
		return;
	}
	if (v != want)
		model_fail("L2 reads %#lx from ZCR_EL2 or SMCR_EL2 instead of %#lx", v, want);
	*len ^= LEN_LONG;
	write_own(r, smcr ? machine_smcr(*len) : *len);
	cut_all();
}

void l2_zcr(void)
{
	change_length(R_ZCR_EL2, CPTR_ZEN, EC_SVE, &truth[G_V].zcr[0]);
}

void l2_smcr(void)
{
	change_length(R_SMCR_EL2, CPTR_SMEN, EC_SME, &truth[G_V].smcr[0]);
}

/* In its page, of which it does not know. */
void l2_lengths_of_l3(void)
{
	struct truth *t = &truth[G_V];

	if (read_own(R_ZCR_EL12) != t->zcr[1] || read_own(R_SMCR_EL12) != machine_smcr(t->smcr[1]))
		model_fail("L2 reads L3's ZCR_EL1 %#lx, SMCR_EL1 %#lx", read_own(R_ZCR_EL12),
			   read_own(R_SMCR_EL12));
	t->zcr[1] ^= LEN_LONG;
	write_own(R_ZCR_EL12, t->zcr[1]);
	if (full(G_V, true)) {
		t->smcr[1] ^= LEN_LONG;
		write_own(R_SMCR_EL12, machine_smcr(t->smcr[1]));
	}
	if (exits)
		model_fail("L2's access to ZCR_EL12 exits");
}

static u64 hcr_of_l2(void)
{
	return HCR_L2 | (truth[G_V].tvm ? HCR_TVM : 0);
}

void l2_trap(void)
{
	truth[G_V].tvm = !truth[G_V].tvm;
	write_own(R_HCR_EL2, hcr_of_l2());
}

/*
 * One of each kind: memory, an EL1 register, a trap that l1 sets; an access to memory takes no
 * exit.
 */
void l2_registers(void)
{
	if (read_own(R_HCR_EL2) != hcr_of_l2())
		model_fail("L2 reads HCR_EL2 %#lx", read_own(R_HCR_EL2));
	if (read_own(R_CPACR_EL12) != (ALL_OPEN & cptr_bits()) ||
	    read_own(R_VBAR_EL12) != VBAR(WHO_L3))
		model_fail("L2 reads L3's CPACR_EL1 %#lx, VBAR_EL1 %#lx", read_own(R_CPACR_EL12),
			   read_own(R_VBAR_EL12));
	read_own(R_CNTV_CTL_EL02);
	read_own(R_CNTP_CTL_EL02);
	read_own(R_MDSCR_EL1);
	if (exits)
		model_fail("L2's access to a register in its memory exits");
	if (read_own(R_CPTR_EL2) != truth[G_V].cptr || read_own(R_VBAR_EL2) != VBAR(WHO_L2))
		model_fail("L2 reads CPTR_EL2 %#lx, VBAR_EL2 %#lx", read_own(R_CPTR_EL2),
			   read_own(R_VBAR_EL2));
}

/* At EL1 there is no EL2, and its own registers are the CPU's except for what L2 traps. */
void l3_registers(void)
{
	static const enum reg el2[] = { R_HCR_EL2, R_SPSR_EL2, R_CPTR_EL2, R_ZCR_EL12 };
	u64 v = 0;

	for (u32 i = 0; i < ARRAY_SIZE(el2); i++)
		if (guest_access(el2[i], false, &v) != ABSENT)
			model_fail("L3 has registers of EL2");
	if (read_own(R_VBAR_EL1) != VBAR(WHO_L3))
		model_fail("L3 reads VBAR_EL1 %#lx", read_own(R_VBAR_EL1));
	if (exits)
		model_fail("L3's access to a register of its own exits");
	v = 0;
	if ((guest_access(R_SCTLR_EL1, true, &v) == TO_L2) != truth[G_V].tvm)
		model_fail("L3's write of SCTLR_EL1 is%s L2's", truth[G_V].tvm ? " not" : "");
	if (truth[G_V].tvm)
		l2_takes(EC_SYS64, CODE(WHO_L3));
}

void l2_eret(void)
{
	write_own(R_SPSR_EL2, PSTATE_EL1H);
	write_own(R_ELR_EL2, CODE(WHO_L3));
	if (!(m.reg[R_HCR_EL2] & HCR_NV))
		model_fail("L2's ERET does not trap");
	m.pc = CODE(WHO_L2);
	guest_exit(EXIT_SYNC, ESR(EC_ERET, 0UL));
	if (m.pc != CODE(WHO_L3) || (m.pstate & PSTATE_M) != PSTATE_EL1H)
		model_fail("L2's ERET to L3 goes to %#lx", m.pc);
	switched(WHO_L3);
}

void l3_hvc(void)
{
	m.pc = CODE(WHO_L3) + 4;
	guest_exit(EXIT_SYNC, ESR(EC_HVC64, 0UL));
	l2_takes(EC_HVC64, CODE(WHO_L3) + 4);
}

void guest_undefined(void)
{
	u64 v = 0;

	if (guest_access(R_PMCR_EL0, false, &v) != RAISES)
		model_fail("a guest reads PMCR_EL0");
	own_takes(EC_UNKNOWN);
}

/* ---- how they begin -------------------------------------------------------------------------- */

void l1_write(enum reg r, u64 v)
{
	void l1_model_write(enum reg r_, u64 v_);

	l1_model_write(r, v);
}

static void lengths_boot(enum reg zcr, enum reg smcr, u32 l)
{
	struct truth *t = mine();
	u32 g = guest_of(now);

	t->zcr[l] = LEN_LONG;
	t->smcr[l] = LEN_LONG;
	if (full(g, false))
		write_own(zcr, LEN_LONG);
	if (full(g, true))
		write_own(smcr, machine_smcr(LEN_LONG));
}

/* An ordinary guest. */
static void plain_boot(void)
{
	write_own(R_CPACR_EL1, ALL_OPEN);
	write_own(R_VBAR_EL1, VBAR(now));
	if (full(guest_of(now), false))
		may(CPTR_FPEN | CPTR_ZEN, EC_SVE);
	if (full(guest_of(now), true))
		may(CPTR_FPEN | CPTR_SMEN, EC_SME);
	lengths_boot(R_ZCR_EL1, R_SMCR_EL1, 0);
}

void b_acts(void)
{
	u64 was = now;

	now = WHO_B;
	m.pc = CODE(WHO_B);
	if (booting)
		plain_boot();
	check_guest();
	if (b_uses)
		guest_use();
	check_guest();
	m.pc = CODE(WHO_B);
	now = was;
}

static void l2_boot(void)
{
	now = v_level = WHO_L2;
	m.pc = CODE(WHO_L2);
	truth[G_V].cptr = ALL_OPEN & cptr_bits();
	write_own(R_CPACR_EL1, truth[G_V].cptr);
	write_own(R_VBAR_EL2, VBAR(WHO_L2));
	write_own(R_HCR_EL2, HCR_L2);
	write_own(R_CPACR_EL12, ALL_OPEN & cptr_bits());
	write_own(R_VBAR_EL12, VBAR(WHO_L3));
	lengths_boot(R_ZCR_EL2, R_SMCR_EL2, 0);
	lengths_boot(R_ZCR_EL12, R_SMCR_EL12, 1);
	write_own(R_SMCR_EL12, machine_smcr(LEN_LONG));
	write_own(R_ZCR_EL12, LEN_LONG);
}

/* L1's interrupt, and the turn of the other vcpu. */
static void other(void)
{
	action[L0] = ACT_TO_VEL2;
	action[L1] = ACT_RESCHED;
	m.pc = CODE(now);
	guest_exit(EXIT_IRQ, 0);
}

void guests_boot(void)
{
	memset(truth, 0, sizeof(truth));
	for (u32 g = 0; g < GUESTS; g++)
		exp_cut(truth[g].d.vec, 1);
	booting = true;
	l2_boot();
	b_uses = false;
	action[L0] = ACT_RESCHED;
	m.pc = CODE(now);
	guest_exit(EXIT_IRQ, 0);
	if (setup->two) {
		other();
		plain_boot();
		m.pc = CODE(now);
		other();
	}
	booting = false;
}
