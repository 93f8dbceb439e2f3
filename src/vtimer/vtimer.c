/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's generic timers: the virtual one in hardware, the physical one in hardware or
 * emulated.
 */
#include "vtimer/vtimer.h"

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "mm/machine.h"
#include "state/cpu.h"
#include "state/ppi.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vtimer/nested.h"

/* When the counter that EL1 sees reaches cval; a sum beyond 64 bits is never. */
static u64 deadline(const struct vcpu *vcpu, u64 cval)
{
	u64 sum;

	return __builtin_add_overflow(cval, vcpu->vm->cntoff, &sum) ? ~0UL : sum;
}

static void virt_due(struct timer *t)
{
	/* The vcpu only needs to run: CNTV is past its deadline and fires by itself once loaded. */
	vcpu_request(container_of(t, struct vcpu, vtimer.virt_wake), REQ_TIMER);
}

static void phys_due(struct timer *t)
{
	vcpu_request(container_of(t, struct vcpu, vtimer.phys), REQ_TIMER);
}

void vtimer_reset(struct vcpu *vcpu)
{
	struct vtimer *vt = &vcpu->vtimer;

	if (vt->virt_wake.fn) {
		timer_cancel(&vt->virt_wake);
		timer_cancel(&vt->phys);
	}
	timer_init(&vt->virt_wake, virt_due);
	timer_init(&vt->phys, phys_due);
	vt->cntv_ctl = vt->cntv_cval = 0;
	vt->cntp_ctl = vt->cntp_cval = 0;
	/* The redistributor outlives a CPU_OFF: its input must not stay high. */
	if (vt->phys_line)
		vgic_set_ppi(vcpu, GUEST_PPI_PHYS, false);
	vt->phys_line = false;
	if (vcpu->has_vel2)
		vtimer_vel2_reset(vcpu);
}

void vtimer_load(struct vcpu *vcpu)
{
	struct vtimer *vt = &vcpu->vtimer;

	if (unlikely(vcpu->has_vel2)) {
		vtimer_vel2_load(vcpu);
		return;
	}
	timer_cancel(&vt->virt_wake);
	if (sysreg_read(CNTVOFF_EL2) != vcpu->vm->cntoff)
		sysreg_write(CNTVOFF_EL2, vcpu->vm->cntoff);
	sysreg_write(CNTV_CVAL_EL02, vt->cntv_cval);
	sysreg_write(CNTV_CTL_EL02, vt->cntv_ctl);
	if (!vtimer_has_cntpoff())
		return;
	timer_cancel(&vt->phys);
	if (sysreg_read(CNTPOFF_EL2) != vcpu->vm->cntoff)
		sysreg_write(CNTPOFF_EL2, vcpu->vm->cntoff);
	sysreg_write(CNTP_CVAL_EL02, vt->cntp_cval);
	sysreg_write(CNTP_CTL_EL02, vt->cntp_ctl);
}

void vtimer_put(struct vcpu *vcpu)
{
	struct vtimer *vt = &vcpu->vtimer;

	if (unlikely(vcpu->has_vel2)) {
		vtimer_vel2_put(vcpu);
		return;
	}
	vt->cntv_ctl = sysreg_read(CNTV_CTL_EL02) & (CTL_ENABLE | CTL_IMASK);
	vt->cntv_cval = sysreg_read(CNTV_CVAL_EL02);
	sysreg_write(CNTV_CTL_EL02, 0);
	if (CTL_FIRES(vt->cntv_ctl))
		timer_set(&vt->virt_wake, deadline(vcpu, vt->cntv_cval));
	if (!vtimer_has_cntpoff())
		return;
	vt->cntp_ctl = sysreg_read(CNTP_CTL_EL02) & (CTL_ENABLE | CTL_IMASK);
	vt->cntp_cval = sysreg_read(CNTP_CVAL_EL02);
	sysreg_write(CNTP_CTL_EL02, 0);
	if (CTL_FIRES(vt->cntp_ctl))
		timer_set(&vt->phys, deadline(vcpu, vt->cntp_cval));
}

void vtimer_interrupt(struct vcpu *vcpu, u32 intid)
{
	if (unlikely(vcpu->has_vel2)) {
		vtimer_vel2_interrupt(vcpu, intid);
		return;
	}
	vgic_inject_ppi_hw(vcpu, intid == machine.ppi_virt ? GUEST_PPI_VIRT : GUEST_PPI_PHYS,
			   intid);
}

/* ---- the emulated physical timer ---- */

static u64 phys_count(const struct vcpu *vcpu)
{
	return counter_now() - vcpu->vm->cntoff;
}

static bool phys_met(const struct vcpu *vcpu)
{
	return (vcpu->vtimer.cntp_ctl & CTL_ENABLE) && phys_count(vcpu) >= vcpu->vtimer.cntp_cval;
}

/* Set the line from the registers, and the software timer to its next change. */
void vtimer_update(struct vcpu *vcpu)
{
	struct vtimer *vt = &vcpu->vtimer;
	bool line;

	if (unlikely(vcpu->has_vel2)) {
		vtimer_vel2_update(vcpu);
		return;
	}
	if (vtimer_has_cntpoff())
		return;
	line = phys_met(vcpu) && !(vt->cntp_ctl & CTL_IMASK);
	if (line != vt->phys_line) {
		vt->phys_line = line;
		vgic_set_ppi(vcpu, GUEST_PPI_PHYS, line);
	}
	if (CTL_FIRES(vt->cntp_ctl) && !line)
		timer_set(&vt->phys, deadline(vcpu, vt->cntp_cval));
	else
		timer_cancel(&vt->phys);
}

u64 vtimer_phys_read(struct vcpu *vcpu, enum vtimer_reg reg)
{
	const struct vtimer *vt = &vcpu->vtimer;

	switch (reg) {
	case VTIMER_CTL:
		return vt->cntp_ctl | (phys_met(vcpu) ? CTL_ISTATUS : 0);
	case VTIMER_CVAL:
		return vt->cntp_cval;
	case VTIMER_TVAL:
		return (u32)(vt->cntp_cval - phys_count(vcpu));
	case VTIMER_COUNT:
		break;
	}
	return phys_count(vcpu);
}

void vtimer_phys_write(struct vcpu *vcpu, enum vtimer_reg reg, u64 v)
{
	struct vtimer *vt = &vcpu->vtimer;

	switch (reg) {
	case VTIMER_CTL:
		vt->cntp_ctl = v & (CTL_ENABLE | CTL_IMASK);
		break;
	case VTIMER_CVAL:
		vt->cntp_cval = v;
		break;
	case VTIMER_TVAL:
		vt->cntp_cval = phys_count(vcpu) + (u64)(s64)(s32)v;
		break;
	case VTIMER_COUNT:
		return;
	}
	vtimer_update(vcpu);
}
