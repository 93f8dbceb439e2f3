/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Level-sensitive interrupts of the machine whose line falls before the guest has acknowledged
 * them. They are no longer pending (IHI 0069, "Interrupt handling states": a level-sensitive
 * interrupt is pending while its input is asserted), but neither the physical GIC, where the
 * interrupt is active since nidus acknowledged it, nor a list register notices.
 */
#include "arch/barrier.h"
#include "dev/gicv3.h"
#include "state/cpu.h"
#include "state/timers.h"
#include "vgic/internal.h"

u32 vgic_drop_ppis(struct vcpu *vcpu, bool loaded)
{
	struct irq32 *p = &vcpu->vgic.priv;
	u32 lines = vtimer_lines(vcpu, loaded), fallen = vgic_waiting(p) & ~lines;

	/* Not loaded, the physical PPIs behind its interrupts are inactive already (vgic_put). */
	if (loaded)
		irq32_hw_release(p, fallen);
	else
		p->hw &= ~fallen;
	return lines & ~p->edge;
}

u32 vgic_drop_spis(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 kicks = 0;

	for (u32 words = v->want_words; words; words &= words - 1) {
		u32 word = (u32)__builtin_ctz(words);
		struct spi32 *w = &vcpu->vm->vgic.spis->word[word];
		u32 bits = v->want[word] & vgic_waiting(&w->s);

		irq32_hw_resample(&w->s, bits);
		bits &= ~w->s.hw;
		if (bits)
			kicks |= spi_choose(vcpu->vm, word, bits, vcpu->index);
	}
	return kicks;
}

/* As at a flush, before entering vEL1, which an interrupt of vEL2's would take out. */
static void drop_spis(struct vcpu *vcpu)
{
	u32 kicks;

	spin_lock(&vcpu->vm->vgic.lock);
	kicks = vgic_drop_spis(vcpu);
	spin_unlock(&vcpu->vm->vgic.lock);
	vgic_kick_all(vcpu->vm, kicks);
}

/* Whether list register i, which is in use, is for a physical interrupt whose line is low. */
static bool fallen(struct vcpu *vcpu, u32 i)
{
	u32 intid = vcpu->vgic.lr_intid[i];

	if (!(vcpu->vgic.lr_hw >> i & 1) || (vgic_word(vcpu, intid)->edge >> intid % 32 & 1))
		return false;
	if (intid < 32)
		return !(vtimer_lines(vcpu, true) >> intid & 1);
	/* The physical one stays assigned as long as the VM lives. */
	return !gicv3_is_pending(spi_word(vcpu->vm, intid)->s.pintid[intid % 32]);
}

void vgic_check_lines(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	bool any = false, spi = v->lr_waits & v->lr_spi;
	u32 bits;

	isb(); /* list registers may have been written since the exit */
	bits = v->lr_waits & ~lr_empty(); /* mostly the guest is done with it */
	v->waits = 0;
	for (; bits; bits &= bits - 1) {
		u32 i = (u32)__builtin_ctz(bits);

		if ((lr_read(i) & ICH_LR_STATE) != ICH_LR_PENDING)
			continue;
		v->waits |= v->lr_spi >> i & 1 ? VGIC_WAITS_SPI : 1;
		any |= fallen(vcpu, i);
	}
	if (likely(!any))
		return;
	vgic_sync(vcpu);
	(void)vgic_drop_ppis(vcpu, true);
	if (spi)
		drop_spis(vcpu);
}
