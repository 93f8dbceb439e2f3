/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that FEAT_NV2 redirects vEL2's register accesses to (VNCR_EL2): where each register is
 * in it, and how nidus reads and writes it.
 */
#pragma once

#include "lib/types.h"
#include "state/vcpu.h"

#define VNCR_WORDS 512 /* 4 KiB */

/* Byte offsets: the rows of home VNCR, and the slots. */
enum vncr_offset {
#define OFFSET_VNCR(id, offset) id = (offset),
#define OFFSET_BANK(id, accessor)
#define OFFSET_SWAP(id, accessor)
#define OFFSET_LIVE(id, accessor)
#define OFFSET_TWIN(id, accessor)
#define OFFSET_EMUL(id, accessor)
#define SYSREG(name, op0, op1, crn, crm, op2, home, accessor, condition, reset)                    \
	OFFSET_##home(VNCR_##name, accessor)
#define SLOT(name, offset) VNCR_##name = (offset),
#include "arch/sysreg.def"
#undef OFFSET_VNCR
#undef OFFSET_BANK
#undef OFFSET_SWAP
#undef OFFSET_LIVE
#undef OFFSET_TWIN
#undef OFFSET_EMUL
};

/*
 * The word at a byte offset. vEL2 writes the page with plain stores: whoever decides something by a
 * word reads it once and keeps the value. Of a vcpu that has EL2; the CPU that has it loaded, or
 * any while it is not loaded.
 */
static inline u64 vncr_read(const struct vcpu *vcpu, u32 offset)
{
	return read_once(&vcpu->vncr[offset / 8]);
}

static inline void vncr_write(struct vcpu *vcpu, u32 offset, u64 v)
{
	*(volatile u64 *)&vcpu->vncr[offset / 8] = v;
}
