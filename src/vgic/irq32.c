/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes of the state of 32 interrupts. */
#include "dev/gicv3.h"
#include "vgic/internal.h"

static u32 priorities_read(const struct irq32 *b, u32 bits)
{
	u32 v = 0;

	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		v |= (u32)b->prio[n] << n % 4 * 8;
	}
	return v;
}

u64 irq32_read(const struct irq32 *b, const struct vgic_op *op, u32 bits)
{
	switch (op->reg) {
	case VGIC_GROUP:
		return b->group & bits;
	case VGIC_ENABLE:
	case VGIC_DISABLE:
		return b->enabled & bits;
	case VGIC_PEND:
	case VGIC_UNPEND:
		return irq32_pending(b, irq32_line(b)) & bits;
	case VGIC_ACTIVATE:
	case VGIC_DEACTIVATE:
		return b->active & bits;
	case VGIC_PRIORITY:
		return priorities_read(b, bits);
	case VGIC_CONFIG:
		return b->edge & bits;
	}
	return 0;
}

static void priorities_write(struct irq32 *b, u64 data, u32 bits)
{
	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		__atomic_store_n(&b->prio[n], (u8)(data >> n % 4 * 8) & lr_caps.prio_mask,
				 __ATOMIC_RELAXED);
	}
}

static void activate(struct irq32 *b, u32 bits)
{
	/*
	 * A waiting physical interrupt is now behind the active instance; if its line is high it
	 * fires again.
	 */
	b->latch |= bits & b->hw & b->edge;
	irq32_set(&b->active, b->active | bits);
	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		b->aprio[n] = b->prio[n];
	}
}

u32 irq32_write(struct irq32 *b, const struct vgic_op *op, u32 bits)
{
	u32 set = (u32)op->data & bits, over = 0;

	switch (op->reg) {
	case VGIC_GROUP:
		irq32_set(&b->group, (b->group & ~bits) | set);
		break;
	case VGIC_ENABLE:
		b->enabled |= set;
		break;
	case VGIC_DISABLE:
		b->enabled &= ~set;
		break;
	case VGIC_PEND:
		b->latch |= set;
		break;
	case VGIC_UNPEND: /* a level-sensitive one whose line is high stays pending */
		b->latch &= ~set;
		over = set & b->hw & ~b->active;
		break;
	case VGIC_ACTIVATE:
		activate(b, set & ~b->active);
		break;
	case VGIC_DEACTIVATE:
		over = set & b->hw & b->active;
		irq32_set(&b->active, b->active & ~set);
		b->acked &= ~set;
		break;
	case VGIC_PRIORITY:
		priorities_write(b, op->data, bits);
		break;
	case VGIC_CONFIG:
		b->edge = (b->edge & ~bits) | set;
		break;
	}
	return over;
}

void irq32_hw_arrive(struct irq32 *b, u32 bits)
{
	/*
	 * It can only be active already by ISPENDR or ISACTIVER. The physical interrupt then ends
	 * with that instance; a line still high makes it fire again, so only an edge has to be
	 * remembered.
	 */
	b->latch |= bits & b->active & b->edge;
	b->hw |= bits;
}

void irq32_hw_resample(struct irq32 *b, u32 bits)
{
	for (bits &= b->hw & ~b->active & ~b->edge; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		if (!gicv3_is_pending(b->pintid[n]))
			irq32_hw_release(b, 1u << n);
	}
}

u32 irq32_hw_pending(const struct irq32 *b, u32 bits)
{
	u32 v = 0;

	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		if (gicv3_is_pending(b->pintid[n]))
			v |= 1u << n;
	}
	return v;
}

bool vgic_op_needs_fold(const struct vgic_op *op)
{
	switch (op->reg) {
	case VGIC_PEND:
	case VGIC_UNPEND:
	case VGIC_ACTIVATE:
	case VGIC_DEACTIVATE:
		return true;
	}
	return op->write;
}
