/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's stage-2 translation: its tables, VMID and register values. */
#pragma once

#include "arch/spinlock.h"
#include "arch/sysreg.h"
#include "lib/types.h"
#include "mm/addr.h"
#include "mm/pgtable.h"

/* Kinds of memory that a stage-2 mapping gives. */
enum stage2_mem {
	STAGE2_RAM,    /* Normal write-back, read, write, execute */
	STAGE2_DEVICE, /* Device-nGnRE (combined with the guest's), read, write, never execute */
	STAGE2_ROM,    /* Normal write-back, read, execute */
	STAGE2_DOORBELL, /* Device-nGnRE, write: for devices' messages */
};

struct stage2 {
	struct spinlock lock; /* guards the tables */
	struct pgtable pt;
	u16 vmid;
	u64 vtcr, vttbr; /* register values */
	/*
	 * Devices are translated by these tables too: called after the CPUs' TLBs were invalidated,
	 * and complete when it returns. NULL: none are. Set before the first device may use them.
	 */
	void (*devices)(const struct stage2 *s2, u64 ia, u64 size);
};

/*
 * Input address bits for a VM with RAM up to (not including) end: a size that
 * ID_AA64MMFR0_EL1.PARange can name; at least 40 if the machine has them, at most feat.pa_bits
 * (then end may lie above). A VM is shown the machine's PARange all the same: what lies above these
 * bits has nothing behind it, as what lies above a machine's RAM.
 */
u32 stage2_ipa_bits(u64 end);
/*
 * Pages for tables that a mapping of size bytes can need at most: wherever it is, with leaves of
 * 4 KiB, the root included.
 */
static inline u64 stage2_pages_needed(u64 size)
{
	return (size >> 21) + 2 + (size >> 30) + 2 + 2 + 1;
}
/*
 * Empty tables for IPAs below 1 << ipa_bits and a VMID of its own. max_block 0: the default for
 * this machine. -ENOMEM, -ENOSPC (VMIDs), -EINVAL (more bits than the machine has, a block size
 * that is none).
 */
int stage2_init(struct stage2 *s2, u32 ipa_bits, u64 max_block) must_check;
/* The same with a pool for its tables, as pgtable_init_pool(). */
int stage2_init_pool(struct stage2 *s2, u32 ipa_bits, u64 max_block,
		     struct page_pool *pool) must_check;
/*
 * The same VMID with empty tables for IPAs below 1 << ipa_bits. No CPU may have it loaded. -ENOMEM,
 * -EINVAL: nothing changed.
 */
int stage2_resize(struct stage2 *s2, u32 ipa_bits);
/* Invalidate the VMID's TLB entries, free tables and VMID; no CPU may have it loaded. */
void stage2_destroy(struct stage2 *s2);
/* The same in pieces of at most 256 tables; true: there are more. */
bool stage2_destroy_piece(struct stage2 *s2) must_check;
/*
 * Map and unmap, like pgtable_map() and pgtable_unmap(), under s2->lock, with TLB invalidation of
 * what was there. A guest may fault on memory that is being changed: its abort handler checks again
 * (stage2_lookup()) before it injects an abort.
 */
int stage2_map(struct stage2 *s2, ipa_t ipa, pa_t pa, u64 size, enum stage2_mem mem) must_check;
int stage2_unmap(struct stage2 *s2, ipa_t ipa, u64 size) must_check;
/* As pgtable_lookup(), under s2->lock. */
bool stage2_lookup(struct stage2 *s2, ipa_t ipa, struct pgtable_leaf *leaf);
/*
 * Make s2 the one in force on this CPU: VTCR_EL2 and VTTBR_EL2, if they differ; synchronised by the
 * next ERET.
 */
void stage2_load(const struct stage2 *s2);
/* Write VTTBR_EL2 alone, when VTCR_EL2 is right already or the caller will write it (level.c). */
static inline void stage2_switch(const struct stage2 *s2)
{
	sysreg_write(VTTBR_EL2, s2->vttbr);
}
/*
 * Largest stage-2 leaf when a VM's configuration does not say: 4 KiB on QEMU's emulated CPU, else 1
 * GiB.
 */
u64 stage2_default_block(void);
