/* SPDX-License-Identifier: Apache-2.0 */
/* State of a vcpu's timers. */
#include "state/timers.h"

#include "arch/sysreg.h"
#include "dev/timer.h"
#include "state/ppi.h"

static bool cntpoff_works;

const u8 timer_ppi[] = {
	[TIMER_V] = GUEST_PPI_VIRT,
	[TIMER_P] = GUEST_PPI_PHYS,
	[TIMER_HV] = GUEST_PPI_HYP_VIRT,
	[TIMER_HP] = GUEST_PPI_HYP_PHYS,
};

bool vtimer_has_cntpoff(void)
{
	return cntpoff_works;
}

void vtimer_set_cntpoff(bool works)
{
	cntpoff_works = works;
}

u64 timer_due(const struct vcpu *vcpu, u32 context, struct timer_regs r)
{
	u64 now, count, at;

	if (!(r.ctl & CTL_ENABLE))
		return TIMER_NEVER;
	now = counter_now();
	count = now - timer_offset(vcpu, context);
	if (count >= r.cval)
		return 0;
	return __builtin_add_overflow(now, r.cval - count, &at) ? TIMER_NEVER : at;
}

/* Whether the condition of a timer in memory is met; its counter lags behind by the VM's offset. */
static bool met(const struct vcpu *vcpu, u64 ctl, u64 cval)
{
	return CTL_FIRES(ctl) && counter_now() - vcpu->vm->cntoff >= cval;
}

static u32 vel2_lines(const struct vcpu *vcpu, bool loaded)
{
	struct timer_map map = timer_map(vcpu);
	bool virt, phys;

	if (loaded) {
		virt = CTL_HIGH(sysreg_read(CNTV_CTL_EL02));
		phys = CTL_HIGH(sysreg_read(CNTP_CTL_EL02));
	} else {
		struct timer_regs v = timer_home_read(vcpu, map.virt),
				  p = timer_home_read(vcpu, map.phys);

		virt = CTL_FIRES(v.ctl) && !timer_due(vcpu, map.virt, v);
		phys = CTL_FIRES(p.ctl) && !timer_due(vcpu, map.phys, p);
	}
	return (u32)virt << timer_ppi[map.virt] | (u32)phys << timer_ppi[map.phys];
}

u32 vtimer_lines(const struct vcpu *vcpu, bool loaded)
{
	const struct vtimer *vt = &vcpu->vtimer;
	bool virt, phys = false;

	if (unlikely(vcpu->has_vel2))
		return vel2_lines(vcpu, loaded);
	virt = loaded ? CTL_HIGH(sysreg_read(CNTV_CTL_EL02))
		      : met(vcpu, vt->cntv_ctl, vt->cntv_cval);
	if (cntpoff_works)
		phys = loaded ? CTL_HIGH(sysreg_read(CNTP_CTL_EL02))
			      : met(vcpu, vt->cntp_ctl, vt->cntp_cval);
	return (u32)virt << GUEST_PPI_VIRT | (u32)phys << GUEST_PPI_PHYS;
}

/* 50 us, and up to 6.4 ms. */
#define POLLS_A_SECOND 20000
#define POLL_DOUBLINGS 7

void timers_poll_soon(struct vcpu *vcpu, u8 *polls)
{
	struct timer *t = &vcpu->vtimer.phys;
	u64 after = sysreg_read(CNTFRQ_EL0) / POLLS_A_SECOND << *polls;

	if (!__atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE) && *polls < POLL_DOUBLINGS)
		(*polls)++;
	timer_set_by(t, counter_now() + after);
}
