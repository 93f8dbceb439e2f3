/* SPDX-License-Identifier: Apache-2.0 */
/* The timers of a vcpu that has EL2: two in the CPU, two emulated, exchanged with the level. */
#include "vtimer/nested.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "dev/gicv3.h"
#include "mm/machine.h"
#include "state/cpu.h"
#include "state/vel2_regs.h"
#include "state/vm.h"
#include "state/vncr.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

/* ---- where a timer's registers are ---- */

/* Write the registers of a timer in memory, without ISTATUS, which emulate_one() sets. */
static inline void home_write(struct vcpu *vcpu, u32 context, struct timer_regs r)
{
	struct vtimer *vt = &vcpu->vtimer;

	switch (context) {
	case TIMER_V:
		vncr_write(vcpu, VNCR_CNTV_CTL_EL0, r.ctl);
		vncr_write(vcpu, VNCR_CNTV_CVAL_EL0, r.cval);
		break;
	case TIMER_P:
		vncr_write(vcpu, VNCR_CNTP_CTL_EL0, r.ctl);
		vncr_write(vcpu, VNCR_CNTP_CVAL_EL0, r.cval);
		break;
	case TIMER_HV:
		vt->cnthv_ctl = r.ctl;
		vt->cnthv_cval = r.cval;
		break;
	default:
		vt->cnthp_ctl = r.ctl;
		vt->cnthp_cval = r.cval;
		break;
	}
}

static struct timer_regs virt_read(void)
{
	return (struct timer_regs){ sysreg_read(CNTV_CTL_EL02) & (CTL_ENABLE | CTL_IMASK),
				    sysreg_read(CNTV_CVAL_EL02) };
}

static struct timer_regs phys_read(void)
{
	return (struct timer_regs){ sysreg_read(CNTP_CTL_EL02) & (CTL_ENABLE | CTL_IMASK),
				    sysreg_read(CNTP_CVAL_EL02) };
}

/*
 * Load CNT<which>, which holds have: only what differs, and without a spurious firing in between.
 */
#define TIMER_LOAD(which, have, want)                                                              \
	do {                                                                                       \
		u64 ctl_ = (have).ctl;                                                             \
		if ((have).cval != (want).cval) {                                                  \
			if (CTL_FIRES(ctl_)) {                                                     \
				ctl_ = 0;                                                          \
				sysreg_write(which##_CTL_EL02, 0);                                 \
			}                                                                          \
			sysreg_write(which##_CVAL_EL02, (want).cval);                              \
		}                                                                                  \
		if (ctl_ != (want).ctl)                                                            \
			sysreg_write(which##_CTL_EL02, (want).ctl);                                \
	} while (0)

static void virt_load(struct timer_regs have, struct timer_regs want)
{
	TIMER_LOAD(CNTV, have, want);
}

static void phys_load(struct timer_regs have, struct timer_regs want)
{
	TIMER_LOAD(CNTP, have, want);
}

static void offset_load(const struct vcpu *vcpu, u32 context)
{
	u64 offset = timer_offset(vcpu, context);

	if (sysreg_read(CNTVOFF_EL2) != offset)
		sysreg_write(CNTVOFF_EL2, offset);
}

/* ---- emulation ---- */

static void line_set(struct vcpu *vcpu, u32 context, bool level)
{
	struct vtimer *vt = &vcpu->vtimer;
	u32 bit = 1u << timer_ppi[context];

	if (!!(vt->vel2_lines & bit) == level)
		return;
	vt->vel2_lines ^= bit;
	vgic_set_ppi(vcpu, timer_ppi[context], level);
}

/* Whether vEL2 reads its ISTATUS in the page, as its reads do not trap. */
static bool shown_in_page(const struct vcpu *vcpu, u32 context)
{
	return (context == TIMER_V || context == TIMER_P) && !vcpu->timers_trap;
}

/* Record the words of vEL1's timers that emulation is based on. */
static void page_seen(struct vcpu *vcpu)
{
	u64 *seen = vcpu->vtimer.vel2_seen;

	seen[0] = vncr_read(vcpu, VNCR_CNTV_CVAL_EL0);
	seen[1] = vncr_read(vcpu, VNCR_CNTV_CTL_EL0);
	seen[2] = vncr_read(vcpu, VNCR_CNTP_CVAL_EL0);
	seen[3] = vncr_read(vcpu, VNCR_CNTP_CTL_EL0);
}

__attribute__((noinline)) bool vtimer_vel2_seen(const struct vcpu *vcpu)
{
	const u64 *seen = vcpu->vtimer.vel2_seen;

	return !((vncr_read(vcpu, VNCR_CNTV_CVAL_EL0) ^ seen[0]) |
		 (vncr_read(vcpu, VNCR_CNTV_CTL_EL0) ^ seen[1]) |
		 (vncr_read(vcpu, VNCR_CNTP_CVAL_EL0) ^ seen[2]) |
		 (vncr_read(vcpu, VNCR_CNTP_CTL_EL0) ^ seen[3]));
}

/*
 * Set the line and ISTATUS of a timer with registers r; returns when its line will rise, or an
 * ISTATUS that is visible.
 */
static u64 emulate_one(struct vcpu *vcpu, u32 context, struct timer_regs r)
{
	u64 at = timer_due(vcpu, context, r);

	line_set(vcpu, context, !at && CTL_FIRES(r.ctl));
	if (context == TIMER_V)
		vncr_write(vcpu, VNCR_CNTV_CTL_EL0, r.ctl | (at ? 0 : CTL_ISTATUS));
	else if (context == TIMER_P)
		vncr_write(vcpu, VNCR_CNTP_CTL_EL0, r.ctl | (at ? 0 : CTL_ISTATUS));
	return at && (CTL_FIRES(r.ctl) || shown_in_page(vcpu, context)) ? at : TIMER_NEVER;
}

/* ---- whether vEL2's accesses to its guest's timers trap ---- */

#define TIMER_QUIET_ENTRIES 16
#define LENT_MS 10

static void traps_set(struct vcpu *vcpu, bool trap)
{
	vcpu->vtimer.quiet_entries = 0;
	vcpu->timers_trap = trap;
	vcpu->traps_stale = true;
	vcpu_invalidate_traps(vcpu);
}

static void lend_timers(struct vcpu *vcpu)
{
	vcpu->vtimer.lent_until = counter_now() + sysreg_read(CNTFRQ_EL0) / 1000 * LENT_MS;
	traps_set(vcpu, false);
	vtimer_vel2_update(vcpu);
}

/*
 * vEL2 has accessed a timer of vEL1's, which trapped; ctl is the timer's. It could not have waited
 * if vEL2 reads what became of a timer that it has enabled, or if a line is high.
 */
static void note_timer_trap(struct vcpu *vcpu, u32 context, bool reads_ctl, u64 ctl)
{
	struct vtimer *vt = &vcpu->vtimer;

	if (!vcpu->timers_trap || vcpu->nvhe)
		return;
	if (vt->entries != vcpu->account.level_entries) {
		vt->entries = vcpu->account.level_entries;
		vt->armed = 0;
		vt->quiet_entries++;
	}
	if (vt->vel2_lines || (reads_ctl && (vt->armed >> context & 1)))
		vt->quiet_entries = 0;
	if (!reads_ctl && (ctl & CTL_ENABLE))
		vt->armed |= (u8)BIT(context);
	if (vt->quiet_entries >= TIMER_QUIET_ENTRIES)
		lend_timers(vcpu);
}

/* When they trap again, which may be now. */
static u64 timers_lent_until(struct vcpu *vcpu)
{
	struct vtimer *vt = &vcpu->vtimer;

	if (likely(!vt->lent_until))
		return TIMER_NEVER;
	if (counter_now() >= vt->lent_until) {
		vt->lent_until = 0;
		traps_set(vcpu, true);
		return TIMER_NEVER;
	}
	return vt->lent_until;
}

void vtimer_vel2_update(struct vcpu *vcpu)
{
	struct timer_map map = timer_map(vcpu);
	u64 virt, phys, end = timers_lent_until(vcpu);

	vcpu->vtimer.vel2_cntvoff = vncr_read(vcpu, VNCR_CNTVOFF_EL2);
	virt = emulate_one(vcpu, map.emul_virt, timer_home_read(vcpu, map.emul_virt));
	phys = emulate_one(vcpu, map.emul_phys, timer_home_read(vcpu, map.emul_phys));
	page_seen(vcpu);
	/* A level switch seldom touches it: vEL2's next timer tick is the same as before. */
	timer_set_by(&vcpu->vtimer.phys, MIN(MIN(virt, phys), end));
}

void vtimer_vel2_exit(struct vcpu *vcpu)
{
	vtimer_vel2_update(vcpu);
}

/* ---- the CPU's timers ---- */

/*
 * vEL2's CNTHCTL_EL2 is complete in vcpu->sr only while vEL1 runs: these bits are at the same
 * places in CNTKCTL_EL1, which it reaches by that name, as VHE has it.
 */
static u64 in_cntkctl(void)
{
	return CNTHCTL_IN_CNTKCTL | feat.cntkctl_el2;
}

void vtimer_cnthctl_complete(struct vcpu *vcpu)
{
	u64 *sr = vcpu->sr;

	if (vel2_shares_cntkctl(vcpu))
		return;
	sr[SR_CNTHCTL_EL2] =
		(sr[SR_CNTHCTL_EL2] & ~in_cntkctl()) | (sr[SR_CNTKCTL_EL1] & in_cntkctl());
}

/*
 * Whether an enabled timer whose emulation begins needs nothing: its result is not visible, or the
 * software timer comes no later.
 */
static bool emulation_is_current(const struct vcpu *vcpu, u32 context, struct timer_regs r)
{
	const struct timer *t = &vcpu->vtimer.phys;
	u64 offset;

	if (vcpu->vtimer.vel2_lines >> timer_ppi[context] & 1)
		return false;
	if (!CTL_FIRES(r.ctl) && !shown_in_page(vcpu, context))
		return true;
	offset = timer_offset(vcpu, context);
	/* The counter has not wrapped: not now, and not when it gets there. */
	return !(r.cval >> 63) && offset <= counter_now() && t->deadline <= r.cval + offset &&
	       __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE) == pcpu_this();
}

/* Begin the emulation of the two timers that were in the CPU, with lines driven by hardware. */
static __attribute__((noinline)) void emulation_begin(struct vcpu *vcpu, struct timer_map map,
						      struct timer_regs virt,
						      struct timer_regs phys)
{
	u64 at = TIMER_NEVER;

	if ((virt.ctl & CTL_ENABLE) && !emulation_is_current(vcpu, map.emul_virt, virt))
		at = emulate_one(vcpu, map.emul_virt, virt);
	if ((phys.ctl & CTL_ENABLE) && !emulation_is_current(vcpu, map.emul_phys, phys))
		at = MIN(at, emulate_one(vcpu, map.emul_phys, phys));
	if (unlikely(at != TIMER_NEVER))
		timer_set_by(&vcpu->vtimer.phys, at);
}

/* Exchange the timers; instantiated for each direction, with constant contexts. */
static inline __attribute__((always_inline)) void timers_exchange(struct vcpu *vcpu, bool in_vel2)
{
	struct timer_map map = timer_map_of(in_vel2);
	struct timer_regs virt = virt_read(), phys = phys_read();
	struct timer_regs want_virt = timer_home_read(vcpu, map.virt),
			  want_phys = timer_home_read(vcpu, map.phys);
	bool lines = vcpu->vtimer.vel2_lines;

	home_write(vcpu, map.emul_virt, virt);
	home_write(vcpu, map.emul_phys, phys);
	if (map.virt == TIMER_V)
		vcpu->vtimer.vel2_cntvoff = vncr_read(vcpu, VNCR_CNTVOFF_EL2);
	offset_load(vcpu, map.virt);
	virt_load(virt, want_virt);
	phys_load(phys, want_phys);
	if (unlikely(lines)) {
		line_set(vcpu, map.virt, false);
		line_set(vcpu, map.phys, false);
	}
	if ((virt.ctl | phys.ctl) & CTL_ENABLE)
		emulation_begin(vcpu, map, virt, phys);
	if (in_vel2 && !vcpu->timers_trap)
		page_seen(vcpu);
}

void vtimer_level_switch(struct vcpu *vcpu)
{
	if (vcpu->in_vel2)
		timers_exchange(vcpu, true);
	else
		timers_exchange(vcpu, false);
}

void vtimer_vel2_load(struct vcpu *vcpu)
{
	struct timer_map map = timer_map(vcpu);
	struct timer_regs virt = timer_home_read(vcpu, map.virt),
			  phys = timer_home_read(vcpu, map.phys);

	timer_cancel(&vcpu->vtimer.virt_wake);
	offset_load(vcpu, map.virt);
	if (vtimer_has_cntpoff() && sysreg_read(CNTPOFF_EL2) != vcpu->vm->cntoff)
		sysreg_write(CNTPOFF_EL2, vcpu->vm->cntoff);
	/* Disabled since the last vcpu's put. */
	sysreg_write(CNTV_CVAL_EL02, virt.cval);
	sysreg_write(CNTV_CTL_EL02, virt.ctl);
	sysreg_write(CNTP_CVAL_EL02, phys.cval);
	sysreg_write(CNTP_CTL_EL02, phys.ctl);
}

/* The software timer of the emulated ones stays armed: it wakes the vcpu as well. */
void vtimer_vel2_put(struct vcpu *vcpu)
{
	struct timer_map map = timer_map(vcpu);
	struct timer_regs virt = virt_read(), phys = phys_read();
	u64 at = TIMER_NEVER;

	home_write(vcpu, map.virt, virt);
	home_write(vcpu, map.phys, phys);
	sysreg_write(CNTV_CTL_EL02, 0);
	sysreg_write(CNTP_CTL_EL02, 0);
	if (CTL_FIRES(virt.ctl))
		at = timer_due(vcpu, map.virt, virt);
	if (CTL_FIRES(phys.ctl))
		at = MIN(at, timer_due(vcpu, map.phys, phys));
	if (at != TIMER_NEVER)
		timer_set(&vcpu->vtimer.virt_wake, at);
}

void vtimer_vel2_reset(struct vcpu *vcpu)
{
	for (u32 context = TIMER_V; context <= TIMER_HP; context++) {
		home_write(vcpu, context, (struct timer_regs){ 0, 0 });
		line_set(vcpu, context, false);
	}
	page_seen(vcpu);
	vcpu->vtimer.lent_until = 0;
	vcpu->vtimer.quiet_entries = 0;
}

void vtimer_vel2_interrupt(struct vcpu *vcpu, u32 intid)
{
	struct timer_map map = timer_map(vcpu);
	bool is_virt = intid == machine.ppi_virt;
	u64 ctl = is_virt ? sysreg_read(CNTV_CTL_EL02) : sysreg_read(CNTP_CTL_EL02);

	/* An interrupt of the other level's timer, which fired while the timers were exchanged. */
	if (!CTL_FIRES(ctl) || !(ctl & CTL_ISTATUS)) {
		gicv3_deactivate(intid);
		return;
	}
	vgic_inject_ppi_vel2(vcpu, timer_ppi[is_virt ? map.virt : map.phys], intid);
}

/* ---- registers of vEL2 that trap ---- */

static bool timer_in_cpu(const struct vcpu *vcpu, u32 context)
{
	struct timer_map map = timer_map(vcpu);

	return context == map.virt || context == map.phys;
}

static struct timer_regs regs_get(const struct vcpu *vcpu, u32 context)
{
	if (!timer_in_cpu(vcpu, context))
		return timer_home_read(vcpu, context);
	return context == TIMER_HV ? virt_read() : phys_read();
}

static void regs_set(struct vcpu *vcpu, u32 context, struct timer_regs old, struct timer_regs r)
{
	if (!timer_in_cpu(vcpu, context)) {
		home_write(vcpu, context, r);
		if ((old.ctl | r.ctl) & CTL_ENABLE)
			timer_set_by(&vcpu->vtimer.phys, emulate_one(vcpu, context, r));
		page_seen(vcpu);
	} else if (context == TIMER_HV) {
		virt_load(virt_read(), r);
	} else {
		phys_load(phys_read(), r);
	}
}

static enum verdict timer_access(struct vcpu *vcpu, u32 context, enum vtimer_reg reg, bool write,
				 u64 *value)
{
	struct timer_regs r, old;

	if (!vcpu->in_vel2)
		return UNDEF;
	r = old = regs_get(vcpu, context);
	if (write) {
		if (reg == VTIMER_CTL)
			r.ctl = *value & (CTL_ENABLE | CTL_IMASK);
		else if (reg == VTIMER_CVAL)
			r.cval = *value;
		else
			r.cval =
				counter_now() - timer_offset(vcpu, context) + (u64)(s64)(s32)*value;
		regs_set(vcpu, context, old, r);
	} else if (reg == VTIMER_CTL) {
		*value = r.ctl | (timer_due(vcpu, context, r) ? 0 : CTL_ISTATUS);
	} else if (reg == VTIMER_CVAL) {
		*value = r.cval;
	} else {
		*value = (u32)(r.cval - (counter_now() - timer_offset(vcpu, context)));
	}
	if (context == TIMER_V || context == TIMER_P)
		note_timer_trap(vcpu, context, !write && reg == VTIMER_CTL, write ? r.ctl : 0);
	return SKIP;
}

#define TIMER_REGISTER(name, context, reg)                                                         \
	enum verdict emul_##name(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)     \
	{                                                                                          \
		(void)id;                                                                          \
		return timer_access(vcpu, context, reg, write, value);                             \
	}

TIMER_REGISTER(cnthp_ctl_el2, TIMER_HP, VTIMER_CTL)
TIMER_REGISTER(cnthp_cval_el2, TIMER_HP, VTIMER_CVAL)
TIMER_REGISTER(cnthp_tval_el2, TIMER_HP, VTIMER_TVAL)
TIMER_REGISTER(cnthv_ctl_el2, TIMER_HV, VTIMER_CTL)
TIMER_REGISTER(cnthv_cval_el2, TIMER_HV, VTIMER_CVAL)
TIMER_REGISTER(cnthv_tval_el2, TIMER_HV, VTIMER_TVAL)
TIMER_REGISTER(cntp_ctl_el02, TIMER_P, VTIMER_CTL)
TIMER_REGISTER(cntp_cval_el02, TIMER_P, VTIMER_CVAL)
TIMER_REGISTER(cntp_tval_el02, TIMER_P, VTIMER_TVAL)
TIMER_REGISTER(cntv_ctl_el02, TIMER_V, VTIMER_CTL)
TIMER_REGISTER(cntv_cval_el02, TIMER_V, VTIMER_CVAL)
TIMER_REGISTER(cntv_tval_el02, TIMER_V, VTIMER_TVAL)

enum verdict emul_cnthctl_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	u64 have = vcpu->vm->nested.cnthctl, shared = have & in_cntkctl();

	if (!vcpu->in_vel2)
		return UNDEF;
	if (write) {
		vcpu->sr[id] = *value & have;
		sysreg_write(CNTKCTL_EL12, *value & shared);
	} else {
		*value = (vcpu->sr[id] & have & ~shared) | (sysreg_read(CNTKCTL_EL12) & shared);
	}
	return SKIP;
}

/* As the CPU keeps it for any EL1. */
enum verdict emul_cntkctl_el12(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!vcpu->in_vel2)
		return UNDEF;
	if (write)
		vncr_write(vcpu, VNCR_CNTKCTL_EL1,
			   *value & vcpu->vm->nested.cnthctl & in_cntkctl());
	else
		*value = vncr_read(vcpu, VNCR_CNTKCTL_EL1);
	return SKIP;
}
