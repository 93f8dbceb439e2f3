/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the shadow stage 2: the pool, and operations on one shadow's tables. */
#pragma once

#include "mm/page_pool.h"
#include "nested/shadow.h"

struct shadow_pool {
	struct spinlock lock; /* guards the references */
	u32 count;            /* of s[] */
	u32 refs;             /* that each vcpu may hold: count / vcpus */
	u32 order;            /* of the pages that this is in */
	u64 clock;
	u64 max_pages;
	/*
	 * All that tables can take: max_pages, what each shadow may have beyond, and what grows
	 * before that is noticed.
	 */
	struct page_pool pages;
	struct shadow s[];
};

/* A shadow may always have so many table pages, whatever others use. */
#define SHADOW_PAGES_MIN 64

/* The leaf's software bits: the size of the leaf of vEL2's that it is part of. */
#define LEAF_TAG_SHIFT DESC_SW_SHIFT
#define LEAF_TAG MASK(LEAF_TAG_SHIFT + 2, LEAF_TAG_SHIFT)
/* A reverse entry that is one of several. */
#define RMAP_MANY BIT(DESC_SW_SHIFT)

u64 shadow_tag(u64 size);
u64 shadow_tag_size(u64 attr);

/* Table pages of a shadow, dead ones too. */
u64 shadow_own_pages(const struct shadow *s);

/*
 * Unmap whole leaves from *at on, below end, within one 1 GiB region; *at moves on. True: more to
 * come. The table's lock is held.
 */
bool shadow_unmap_piece(struct pgtable *pt, u64 *at, u64 end);

/* Record that [ipa, ipa+size) of the VM appears at nipa; lock held. -ENOMEM: nothing changed. */
int shadow_rmap_add(struct vm *vm, struct shadow *s, u64 ipa, u64 nipa, u64 size) must_check;
extern const struct pgtable_ops shadow_rmap_ops;

/* Do one step of reclaim in the VM's share of memory; returns whether there was anything to do. */
bool shadow_make_room(struct vm *vm, struct shadow *own);
/* Free a piece of the former tables; true: more. Lock held. */
bool shadow_reap(struct shadow *s);
/* One step of shadow_clear(), lock held. */
bool shadow_clear_locked(struct shadow *s);
