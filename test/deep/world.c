/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds the two nidus: their boot, their vectors, their schedulers. */
#include "world.h"

#include <string.h>

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/idspace.h"
#include "arch/irq.h"
#include "guests.h"
#include "arch/simd.h"
#include "state/vel2_regs.h"

const struct below *const belows[NIDUS] = { &l0_below, &l1_below };
static u8 home_mem[NIDUS][2][HOME_SIZE] __attribute__((aligned(4096)));
u8 *home[NIDUS][2] = { { home_mem[0][0], home_mem[0][1] }, { home_mem[1][0], home_mem[1][1] } };
u64 pages[NIDUS][512] __attribute__((aligned(4096)));
u8 action[NIDUS], mode;
int inject_at, inject_seen;
bool b_uses;
static u32 home_of; /* whose home is to be given */
static bool injecting, irq_to_vel2;
static u64 (*run_exit[NIDUS])(struct vcpu *vcpu, u64 kind);

static struct vcpu *loaded(u32 n)
{
	return belows[n]->cpu->loaded;
}

bool live(u32 n, u32 v)
{
	return belows[n]->vcpu[v].simd.cpu;
}

/* ---- vectors.S ------------------------------------------------------------------------------- */

static bool fast(u32 n)
{
	if (mode == MODE_FULL)
		return false;
	return mode != (n == L0 ? MODE_L0_CHAOS : MODE_L1_CHAOS);
}

static void leave(u32 n, const struct vcpu *vcpu)
{
	m.x0 = vcpu->gpr[0];
	if (n == L0) {
		machine_eret();
		return;
	}
	m.pc = PC_L1;
	machine_eret_el1(0);
}

static u64 sync(u32 n, struct vcpu *vcpu)
{
	u64 esr = n == L0 ? m.reg[R_ESR_EL2] : *machine_route(R_ESR_EL2, false).place;
	exit_fast_fn *fn = fast(n) && vcpu->fast ? vcpu->fast[ESR_EC(esr)].fast[vcpu->in_vel2] : NULL;
	enum verdict verdict;

	if (!fn)
		return run_exit[n](vcpu, EXIT_SYNC);
	verdict = fn(vcpu, esr);
	if (verdict == DONE || verdict == DONE_GPRS)
		return 0;
	return belows[n]->run_continue(vcpu, verdict, EXIT_SYNC);
}

static void run(u32 n, u32 v)
{
	const struct below *b = belows[n];

	b->cpu->need_resched = false;
	b->load(&b->vcpu[v]);
	if (b->run(&b->vcpu[v]) != RUN_PREEMPT)
		model_fail("a run loop ends by itself");
}

/* l0's scheduler: the other VM's turn, then l1 continues. */
static void l0_other(void)
{
	const struct below *b = belows[L0];

	b->put(&b->vcpu[0]);
	run(L0, 1);
	b_acts();
	action[L0] = ACT_RESCHED;
	machine_exit_for_good(EXIT_IRQ, 0);
	b->put(&b->vcpu[1]);
	run(L0, 0);
}

/* l1's scheduler: the other vcpu's turn. */
static void l1_other(void)
{
	const struct below *b = belows[L1];
	u32 v = (u32)(loaded(L1) - b->vcpu);

	m.pc = PC_L1;
	b->put(&b->vcpu[v]);
	run(L1, 1 - v);
	now = v ? v_level : WHO_W;
}

void vectors(u32 n, enum exit_kind kind)
{
	const struct below *b = belows[n];
	struct vcpu *vcpu = loaded(n);
	u64 end;

	vcpu->gpr[0] = m.x0;
	end = kind == EXIT_SYNC ? sync(n, vcpu)
				: b->run_continue(vcpu, b->fast_irq(vcpu), EXIT_IRQ);
	if (!end)
		leave(n, vcpu);
	else if (end != RUN_PREEMPT)
		model_fail("a run loop ends with %lu", end - 1);
	else if (n == L1)
		l1_other();
	else if (vcpu == &b->vcpu[0])
		l0_other();
}

void guest_exit(enum exit_kind kind, u64 esr)
{
	u64 offset;

	machine_exit(kind, esr);
	if (m.pc >> 16 != WHO_L1)
		return;
	offset = m.pc - VBAR(WHO_L1);
	if (offset != 0x400 && offset != 0x480)
		model_fail("l1 is entered at offset %#lx of its vectors", offset);
	m.pc = PC_L1;
	vectors(L1, offset == 0x400 ? EXIT_SYNC : EXIT_IRQ);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static bool here(void)
{
	return !injecting && inject_seen++ == inject_at;
}

void l0_interrupt_point(void)
{
	if (!here())
		return;
	injecting = true;
	m.pc = PC_L1;
	action[L0] = ACT_RESCHED;
	b_uses = true;
	machine_exit(EXIT_IRQ, 0);
	if (m.pc != PC_L1)
		model_fail("l1 goes on elsewhere after an interrupt of l0's");
	injecting = false;
}

void chaos_point(u32 n)
{
	if (mode != (n == L0 ? MODE_L0_CHAOS : MODE_L1_CHAOS) || !here())
		return;
	injecting = true;
	belows[n]->chaos_section();
	injecting = false;
}

static void acked(u32 n)
{
	u8 what = action[n];

	action[n] = ACT_NOTHING;
	if (what == ACT_HOST)
		belows[n]->chaos_section();
	if (what == ACT_RESCHED)
		belows[n]->cpu->need_resched = true;
	if (what == ACT_TO_VEL2)
		irq_to_vel2 = loaded(n)->vgic.stale = true;
}

static bool take_irq_to_vel2(void)
{
	bool was = irq_to_vel2;

	irq_to_vel2 = false;
	return was;
}

void world_begin(void)
{
	injecting = irq_to_vel2 = false;
	action[L0] = action[L1] = ACT_NOTHING;
	inject_seen = 0;
	exits = 0;
	memset(saves, 0, sizeof(saves));
	memset(loads, 0, sizeof(loads));
	for (u32 n = 0; n < NIDUS; n++)
		*belows[n]->chaos = !fast(n) && mode != MODE_FULL;
}

/* ---- what below.h requires of the model ------------------------------------------------------ */

static void enter(u32 n, struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind))
{
	run_exit[n] = handle;
	leave(n, vcpu);
}

#define FOR(p, n)                                                                                  \
	void p##_model_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu * vcpu, u64 kind));      \
	void p##_model_chaos(void);                                                                \
	void p##_model_acked(void);                                                                \
	bool p##_model_irq_to_vel2(void);                                                          \
	u64 p##_model_page(void);                                                                  \
	u64 p##_model_home(void);                                                                  \
	noreturn void p##_model_never(const char *what);                                           \
	noreturn void p##_model_check(const char *file, int line, const char *what);               \
	void *p##_memset(void *to, int c, size_t n_);                                              \
	int p##_snprintf(char *to, size_t size, const char *fmt, ...);                             \
	void p##_model_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu * vcpu, u64 kind))       \
	{                                                                                          \
		enter(n, vcpu, handle);                                                            \
	}                                                                                          \
	void p##_model_chaos(void)                                                                 \
	{                                                                                          \
		chaos_point(n);                                                                    \
	}                                                                                          \
	void p##_model_acked(void)                                                                 \
	{                                                                                          \
		acked(n);                                                                          \
	}                                                                                          \
	bool p##_model_irq_to_vel2(void)                                                           \
	{                                                                                          \
		return take_irq_to_vel2();                                                         \
	}                                                                                          \
	u64 p##_model_page(void)                                                                   \
	{                                                                                          \
		return (u64)pages[n];                                                              \
	}                                                                                          \
	u64 p##_model_home(void)                                                                   \
	{                                                                                          \
		return (u64)home[n][home_of];                                                      \
	}                                                                                          \
	noreturn void p##_model_never(const char *what)                                            \
	{                                                                                          \
		model_fail(#p " calls %s(), which nothing here leads to", what);                   \
	}                                                                                          \
	noreturn void p##_model_check(const char *file, int line, const char *what)                \
	{                                                                                          \
		model_fail(#p ": CHECK(%s) failed at %s:%d", what, file, line);                    \
	}                                                                                          \
	void *p##_memset(void *to, int c, size_t n_)                                               \
	{                                                                                          \
		return memset(to, c, n_);                                                          \
	}                                                                                          \
	int p##_snprintf(char *to, size_t size, const char *fmt, ...)                              \
	{                                                                                          \
		(void)to;                                                                          \
		(void)size;                                                                        \
		(void)fmt;                                                                         \
		return 0;                                                                          \
	}
FOR(l0, L0)
FOR(l1, L1)

/* ---- boot ------------------------------------------------------------------------------------ */

static void features(u32 n)
{
	struct feat *f = belows[n]->feat;
	bool sve = n == L0 || setup->vl1, sme = n == L0 || setup->svl1;

	memset(f, 0, sizeof(*f));
	f->fpmr = f->fgt = f->nv2 = true;
	f->pmu = n == L0;
	f->ecv = n == L0; /* so l1 lets L2 have L3's timers in memory */
	f->sve = sve;
	f->sme = sme;
	f->sme_fa64 = sme && setup->fa64;
	f->sme2 = sme && setup->sme2;
	f->amu = n == L0;
	f->cpacr_tcpac = setup->tcpac;
}

#define ID(reg, lsb, value) id->v[IDX_##reg] |= (u64)(value) << (lsb)

/* The ID registers that traps/idreg.c shows a hypervisor, as far as they matter here. */
static void identify(struct idregs *id, const struct vm_config *c)
{
	memset(id, 0, sizeof(*id));
	ID(ID_AA64PFR0_EL1, 24, 1);
	ID(ID_AA64PFR0_EL1, 32, !!c->sve);
	ID(ID_AA64PFR1_EL1, 24, !c->sme ? 0 : setup->sme2 ? 2 : 1);
	ID(ID_AA64MMFR0_EL1, 56, 1);
	ID(ID_AA64MMFR0_EL1, 60, 1);
	ID(ID_AA64MMFR1_EL1, 8, 1);
	ID(ID_AA64MMFR2_EL1, 24, c->deep ? 2 : 0);
}

static void make_vcpu(u32 n, u32 v, u8 vl, u8 svl, enum who who)
{
	const struct below *b = belows[n];
	struct vm_config *c = &b->config[v];
	struct vcpu *vcpu = &b->vcpu[v];

	memset(vcpu, 0, sizeof(*vcpu));
	*c = (struct vm_config){ .sve = vl ? 64U << vl : 0, .sme = svl ? 64U << svl : 0 };
	c->deep = n == L0 && !v;
	memset(&b->vm[v], 0, sizeof(b->vm[v]));
	b->vm[v].config = c;
	vcpu->vm = &b->vm[v];
	vcpu->index = (u8)v;
	identify(&b->vm[v].id_regs, c);
	if (!v) {
		b->vel2_bits_init(&b->vm[v].nested, &b->vm[v].id_regs);
		if (b->vel2_init(vcpu))
			model_fail("no page");
	}
	home_of = v;
	memset(home[n][v], T_JUNK, HOME_SIZE);
	if (b->simd_vcpu_init(vcpu))
		model_fail("no home");
	b->reset(vcpu, CODE(who), 0);
}

static void boot_nidus(u32 n)
{
	memset(belows[n]->cpu, 0, sizeof(*belows[n]->cpu));
	memset(pages[n], 0, sizeof(pages[n]));
	features(n);
	if (!belows[n]->simd_boot())
		model_fail("a CPU like the boot CPU is refused");
	belows[n]->traps_boot();
}

void world_boot(const struct setup *s)
{
	setup = s;
	mode = MODE_FAST;
	world_begin();
	memset(&m, 0, sizeof(m));
	memset(&m.d, T_JUNK, sizeof(m.d));
	m.d.svcr = SVCR_SM | SVCR_ZA;
	m.at_el2 = true;
	m.daif = DAIF_I | DAIF_F;
	boot_nidus(L0);
	make_vcpu(L0, 0, s->vl1, s->svl1, WHO_L1);
	make_vcpu(L0, 1, s->vl[G_B], s->svl[G_B], WHO_B);
	run(L0, 0);
	boot_nidus(L1);
	l1_write(R_VBAR_EL2, VBAR(WHO_L1));
	make_vcpu(L1, 0, s->vl[G_V], s->svl[G_V], WHO_L2);
	make_vcpu(L1, 1, s->vl[G_W], s->svl[G_W], WHO_W);
	run(L1, 0);
	guests_boot();
}
