/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow stage 2: tables that map L2's IPAs to PAs, composed on demand of L1's stage 2 and the VM's
 * own, for the hardware to use while L2 runs.
 *
 * A shadow stands for one (VTTBR_EL2, VTCR_EL2, HCR_EL2.VM) of L1, has a hardware VMID of its own,
 * and belongs to the VM: vcpus whose L1 runs the same L2 share it, so that L2's own broadcast
 * TLBIs, which hardware executes for that VMID, reach all of them. Each vcpu holds references to
 * the few that it used last, most recent first, and finds them there without a lock; what is
 * referenced is never given another meaning. There are as many shadows as references, so one is
 * always free for a vcpu that dropped one of its own.
 *
 * Locks: pool lock, then one shadow's lock, a leaf with the page allocator's below it. Neither is
 * taken by shadow_find() when it hits, nor by shadow_load().
 *
 * Stale walks: whoever invalidates bumps shadow->seq under its lock; a fault reads seq before it
 * walks L1's tables and installs its result only if seq is still the same.
 */
#pragma once

#include "mm/addr.h"
#include "mm/stage2.h"
#include "nested/tlbi.h"
#include "nested/walk.h"
#include "state/exit.h"
#include "state/shadow.h"

struct vcpu;
struct vm;

#define SHADOW_CPUS 32  /* MAX_CPUS */
#define SHADOW_VCPUS 16 /* MAX_VCPUS */

struct shadow {
	struct stage2 s2;    /* its lock guards all of this but users */
	struct pgtable rmap; /* L1 IPA -> L2 IPA, one of them if there are several */
	u64 vttbr, vtcr;     /* L1's, what counts of them; written by shadow_find() */
	struct walk_shape shape; /* and what they mean */
	bool vm;             /* L1's HCR_EL2.VM; else identity */
	bool used;           /* the key means something */
	u16 vmid;            /* L1's */
	u64 seq;             /* atomic: counts invalidations */
	u64 leaf_sizes;     /* sizes (each a power of 2) of L1's leaves mapped since it was empty */
	u64 map_lo, map_hi; /* what was mapped since then lies within, L2's IPAs */
	u64 rmap_lo, rmap_hi;           /* likewise, the VM's */
	u32 users;                      /* vcpus with a reference; pool lock */
	u64 used_at;                    /* when it was last looked for in vain by refs; pool lock */
	struct pgtable dead, dead_rmap; /* a former life's tables, being freed; root 0: none */
	u64 dead_at;
	enum {
		SHADOW_STAYS,
		SHADOW_CLEARS_TABLES,
		SHADOW_CLEARS_RMAP
	} clearing; /* maps nothing meanwhile */
	u64 clear_at;
	/*
	 * By whom each CPU's TLB entries of this VMID were made, index + 1; and where each vcpu was
	 * last.
	 */
	u8 last_vcpu[SHADOW_CPUS];
	u8 last_cpu[SHADOW_VCPUS];
};

/*
 * Pages that the VM's shadows are given once and for all, so that their tables never want for one:
 * a share of its RAM.
 */
u64 shadow_pages_needed(const struct vm *vm);
/*
 * Make the VM's shadows; its stage2 and vcpus exist. -ENOMEM, -ENOSPC (VMIDs: fewer than one a
 * vcpu). Fewer than SHADOW_REFS a vcpu is no error. VM creation.
 */
int shadow_vm_init(struct vm *vm) must_check;
/*
 * Free all, a piece at a time (1 GiB of tables); true: there is more. No vcpu of the VM runs or is
 * loaded.
 */
bool shadow_vm_destroy_piece(struct vm *vm) must_check;
/*
 * Forget all translations and references: a VM's reset. Likewise; *done counts the shadows that are
 * clear, 0 to begin.
 */
bool shadow_vm_reset_piece(struct vm *vm, u32 *done) must_check;

/*
 * The shadow for what L1's VTTBR_EL2, VTCR_EL2 and HCR_EL2 say now. A hit in the vcpu's references
 * costs a few compares; a miss takes the pool lock. NULL: the shadow that is to be used for it has
 * tables of its former life that must go first, and a piece of them went: try again. What a hit
 * gave once, a vcpu that is loaded again with the same words hits. Its own CPU, has_vel2.
 */
struct shadow *shadow_find(struct vcpu *vcpu);
/*
 * Whether shadow_find() will hit. False: not yet; the vcpu has asked for work (REQ_WORK) and is not
 * to be entered before that is done, but need not go on with what it wanted then. Its own CPU,
 * vEL2.
 */
bool shadow_ready(struct vcpu *vcpu);
/*
 * REQ_WORK: go on with the vcpu's work until it is done, or an interrupt waits for this CPU; at
 * least a piece of it. Then the request is there again. Its own CPU.
 */
void shadow_work(struct vcpu *vcpu);
/* Ask for that: there is work left. */
void shadow_ask(struct vcpu *vcpu, u32 work);
/*
 * How many invalidations there have been of what L2 has: before L1's tables are walked in software.
 * L2 runs.
 */
u64 shadow_seq(const struct vcpu *vcpu);
/*
 * What was walked at seq is as true as a translation in a TLB, and stays so until shadow_release():
 * invalidations wait. False: there has been one. L2 runs.
 */
bool shadow_hold(struct vcpu *vcpu, u64 seq) must_check;
void shadow_release(struct vcpu *vcpu);
/* Whether work is to be left for later: an interrupt waits for this CPU. */
bool shadow_yields(void);
/*
 * Put the shadow in force on this CPU: VTCR_EL2 and VTTBR_EL2, if they differ; synchronised by the
 * next ERET. Drops this CPU's TLB entries of its VMID if they may be another vcpu's. No lock.
 */
void shadow_load(struct vcpu *vcpu, struct shadow *s);

/* What a stage-2 abort of L2 is. */
enum shadow_verdict {
	SHADOW_RETRY,   /* mapped, or to be tried again: RESUME */
	SHADOW_REFLECT, /* L1's stage 2 has no such translation: esr, far, hpfar are L1's to see */
	/* L1 mapped it to ipa, where the VM has no RAM: an emulated device, or nothing */
	SHADOW_DEVICE,
	SHADOW_DEAD, /* no memory left at all: stop the VM */
};

/*
 * A translation, access flag or permission fault of stage 2 (EC 0x20, 0x24) taken while L2 ran,
 * with the shadow of shadow_find() loaded. Walks L1's tables (at most 5 walks of 4 reads), maps, or
 * says what else it is. Its own CPU.
 */
enum shadow_verdict shadow_fault(struct vcpu *vcpu, const struct exit *exit,
				 struct reflection *out);
/* The IPA of L2 that the abort is about: HPFAR_EL2, or AT where hardware leaves it unknown. */
bool shadow_fault_ipa(const struct exit *exit, u64 *l2ipa);

/*
 * The VM's stage 2 lost [at, at+size) (already unmapped there): take it out of all shadows, by the
 * reverse map. True: more to do, call again with the same cursor after looking at need_resched;
 * what is done stays done. A call does at most 1 GiB of tables, or 4096 lookups. Takes shadows'
 * locks in turn; any CPU.
 */
bool shadow_unmap_ipa(struct vm *vm, ipa_t at, u64 size, struct shadow_cursor *cursor) must_check;

/* ---- for TLBIs ---- */

/* The VM's shadows: index 0..count-1. */
u32 shadow_count(const struct vm *vm);
struct shadow *shadow_at(struct vm *vm, u32 i);
/* Forget everything. True: more; the shadow takes nothing new until it is done. */
bool shadow_clear(struct shadow *s);
/*
 * Forget [lo, hi) of L2's IPAs, and all of each leaf of L1's that reaches into it. leaf: the size
 * of the leaf if the TLBI told it (TTL), else 0. True: more, as above, cursor->at. Only what is
 * mapped costs.
 */
bool shadow_invalidate(struct shadow *s, u64 lo, u64 hi, u64 leaf,
		       struct shadow_cursor *c) must_check;
/* Whether the shadow has a meaning and L1's VMID is this one. Takes its lock. */
bool shadow_has_vmid(struct shadow *s, u16 vmid);

/* Table pages that all shadows of the VM take, and how many they may take. */
u64 shadow_pages(const struct vm *vm);
u64 shadow_pages_max(const struct vm *vm);
