/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register layout that the distributor and SGI_base share: an access decoded into an operation.
 * As on QEMU's bare machine, a reserved register, or one accessed at a size that it doesn't
 * support, is RAZ/WI: 4 bytes everywhere, also 1 for priorities, also 8 for GICD_IROUTER.
 */
#include "vgic/internal.h"

/* Registers with a bit for each interrupt, 0x80 bytes of each from GICD_IGROUPR on. */
static const u8 bitmaps[] = {
	VGIC_GROUP,  VGIC_ENABLE,   VGIC_DISABLE,    VGIC_PEND,
	VGIC_UNPEND, VGIC_ACTIVATE, VGIC_DEACTIVATE,
};

/* Extract the odd bits of v. */
static u32 odd_bits(u32 v)
{
	v = v >> 1 & 0x55555555;
	v = (v | v >> 1) & 0x33333333;
	v = (v | v >> 2) & 0x0f0f0f0f;
	v = (v | v >> 4) & 0x00ff00ff;
	return (v | v >> 8) & 0xffff;
}

/* The reverse. */
static u32 to_odd_bits(u32 v)
{
	v = (v | v << 8) & 0x00ff00ff;
	v = (v | v << 4) & 0x0f0f0f0f;
	v = (v | v << 2) & 0x33333333;
	v = (v | v << 1) & 0x55555555;
	return v << 1;
}

static bool decode_bitmap(u32 offset, const struct mmio *m, struct vgic_op *op)
{
	if (m->size != 4)
		return false;
	op->reg = bitmaps[(offset - GICD_IGROUPR) / 0x80];
	op->word = (u8)(offset % 0x80 / 4);
	op->mask = ~0u;
	op->data = m->data;
	/* Writing 0 does nothing in any but the group registers. */
	if (m->write && op->reg != VGIC_GROUP)
		op->mask = (u32)m->data;
	return true;
}

static bool decode_priority(u32 offset, const struct mmio *m, struct vgic_op *op)
{
	u32 intid = offset - GICD_IPRIORITYR;

	if (m->size != 1 && m->size != 4)
		return false;
	op->reg = VGIC_PRIORITY;
	op->word = (u8)(intid / 32);
	op->mask = (m->size == 1 ? 1u : 15u) << intid % 32;
	op->data = m->data << intid % 4 * 8;
	return true;
}

static bool decode_config(u32 offset, const struct mmio *m, struct vgic_op *op)
{
	u32 intid = (offset - GICD_ICFGR) * 4;

	if (m->size != 4)
		return false;
	op->reg = VGIC_CONFIG;
	op->word = (u8)(intid / 32);
	op->mask = 0xffffu << intid % 32;
	op->data = (u64)odd_bits((u32)m->data) << intid % 32;
	return true;
}

bool vgic_regs_decode(u32 offset, const struct mmio *m, struct vgic_op *op)
{
	op->write = m->write;
	if (offset >= GICD_IGROUPR && offset < GICD_IPRIORITYR)
		return decode_bitmap(offset, m, op);
	if (offset >= GICD_IPRIORITYR && offset < GICD_ITARGETSR)
		return decode_priority(offset, m, op);
	if (offset >= GICD_ICFGR && offset < GICD_IGRPMODR)
		return decode_config(offset, m, op);
	return false;
}

u64 vgic_regs_value(u32 offset, const struct mmio *m, const struct vgic_op *op, u64 read)
{
	if (op->reg == VGIC_PRIORITY)
		return m->size == 1 ? read >> offset % 4 * 8 & 0xff : read;
	if (op->reg == VGIC_CONFIG)
		return to_odd_bits((u32)(read >> (offset % 8 ? 16 : 0)));
	return read;
}

u32 vgic_regs_id(u32 offset)
{
	/* PIDR4-7, PIDR0-3, CIDR0-3: architecture revision 3, part 'N', no JEP106 code. */
	static const u8 id[] = { 0, 0, 0, 0, 0x4e, 0, 0x30, 0, 0x0d, 0xf0, 0x05, 0xb1 };

	return offset >= GIC_PIDR4 && offset % 4 == 0 ? id[(offset - GIC_PIDR4) / 4] : 0;
}
