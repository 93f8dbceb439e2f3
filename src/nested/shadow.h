/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow stage 2: tables that map vEL1's IPAs to PAs, composed on demand of vEL2's stage 2 and the
 * VM's own, for the hardware to use while vEL1 runs.
 *
 * A shadow stands for one (VTTBR_EL2, VTCR_EL2, HCR_EL2.VM) of vEL2, has a hardware VMID of its
 * own, and belongs to the VM: vcpus whose hypervisor runs the same nested guest share it, so that
 * vEL1's own broadcast TLBIs, which hardware executes for that VMID, reach all of them. Each vcpu
 * holds references to the few that it used last, most recent first, and finds them there without a
 * lock; what is referenced is never given another meaning. There are as many shadows as references,
 * so one is always free for a vcpu that dropped one of its own.
 *
 * Locks: pool lock, then one shadow's lock, a leaf with the page allocator's below it. Neither is
 * taken by shadow_find() when it hits, nor by shadow_load().
 *
 * Stale walks: whoever invalidates bumps shadow->seq under its lock; a fault reads seq before it
 * walks vEL2's tables and installs its result only if seq is still the same.
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
	struct pgtable rmap; /* vEL2 IPA -> vEL1 IPA, one of them if there are several */
	u64 vttbr, vtcr;     /* vEL2's, the fields of the key; written by shadow_find() */
	struct walk_shape shape; /* decoded from them */
	bool vm;                 /* vEL2's HCR_EL2.VM; else identity */
	bool used;           /* the key is valid */
	u16 vmid;            /* vEL2's */
	u64 seq;             /* atomic: counts invalidations */
	u64 leaf_sizes; /* sizes (each a power of 2) of vEL2's leaves mapped since it was empty */
	u64 map_lo, map_hi;             /* what was mapped since then lies within, vEL1's IPAs */
	u64 rmap_lo, rmap_hi;           /* the same, of the VM's IPAs */
	u32 users;                      /* vcpus with a reference; pool lock */
	u64 used_at;                    /* when a search in refs last missed it; pool lock */
	struct pgtable dead, dead_rmap; /* former tables, being freed; root 0: none */
	u64 dead_at;
	enum {
		SHADOW_STAYS,
		SHADOW_CLEARS_TABLES,
		SHADOW_CLEARS_RMAP
	} clearing; /* maps nothing meanwhile */
	u64 clear_at;
	/*
	 * The vcpu, index + 1, that made each CPU's TLB entries of this VMID; and where each vcpu
	 * was last.
	 */
	u8 last_vcpu[SHADOW_CPUS];
	u8 last_cpu[SHADOW_VCPUS];
};

/*
 * The number of pages to reserve for the VM's shadows when it is built, so that their tables never
 * run out: a share of its RAM.
 */
u64 shadow_pages_needed(const struct vm *vm);
/*
 * Create the VM's shadows; its stage2 and vcpus exist. -ENOMEM, -ENOSPC (VMIDs: fewer than one per
 * vcpu). Fewer than SHADOW_REFS per vcpu is no error. VM creation.
 */
int shadow_vm_init(struct vm *vm) must_check;
/*
 * Free all, a piece at a time (1 GiB of tables); true: there is more. No vcpu of the VM runs or is
 * loaded.
 */
bool shadow_vm_destroy_piece(struct vm *vm) must_check;
/*
 * Drop all translations and references: a VM's reset. In pieces, as above; *done counts the shadows
 * that are clear, 0 to begin.
 */
bool shadow_vm_reset_piece(struct vm *vm, u32 *done) must_check;

/*
 * Find the shadow for vEL2's VTTBR_EL2, VTCR_EL2 and HCR_EL2. A hit in the vcpu's references costs
 * a few compares; a miss takes the pool lock. NULL: the shadow to be reused for it has former
 * tables that must be freed first, and a piece of them was: try again. Once it has hit, a vcpu that
 * is loaded again with the same words hits. Its own CPU, has_vel2.
 */
struct shadow *shadow_find(struct vcpu *vcpu);
/*
 * Whether shadow_find() will hit. False: not yet; the vcpu has requested work (REQ_WORK) and must
 * not be entered until it is done; it may then take another path. Its own CPU, vEL2.
 */
bool shadow_ready(struct vcpu *vcpu);
/*
 * Serve REQ_WORK: do the vcpu's work until it is done, or an interrupt waits for this CPU, which
 * sets the request again; at least one piece. Its own CPU.
 */
void shadow_work(struct vcpu *vcpu);
/* Request shadow_work(): there is work left. */
void shadow_ask(struct vcpu *vcpu, u32 work);
/*
 * The number of invalidations of vEL1's translations so far: read before vEL2's tables are walked
 * in software. vEL1 runs.
 */
u64 shadow_seq(const struct vcpu *vcpu);
/*
 * Keep a translation that was walked at seq valid, like one in a TLB, until shadow_release():
 * invalidations wait. False: there has been one. vEL1 runs.
 */
bool shadow_hold(struct vcpu *vcpu, u64 seq) must_check;
void shadow_release(struct vcpu *vcpu);
/* Whether to stop working for now: an interrupt waits for this CPU. */
bool shadow_irq_waits(void);
/*
 * Put the shadow in force on this CPU: VTCR_EL2 and VTTBR_EL2, if they differ; synchronised by the
 * next ERET. Drops this CPU's TLB entries of its VMID if they may be another vcpu's. No lock.
 */
void shadow_load(struct vcpu *vcpu, struct shadow *s);

/* The meaning of a stage-2 abort of vEL1. */
enum shadow_verdict {
	SHADOW_RETRY,   /* mapped, or to be retried: RESUME */
	SHADOW_REFLECT, /* vEL2's stage 2 has no such translation: esr, far, hpfar for vEL2 */
	/* vEL2 mapped it to ipa, where the VM has no RAM: an emulated device, or nothing */
	SHADOW_DEVICE,
	SHADOW_DEAD, /* no memory left at all: stop the VM */
};

/*
 * Handle a translation, access flag or permission fault of stage 2 (EC 0x20, 0x24) taken while vEL1
 * ran, with the shadow of shadow_find() loaded. Walks vEL2's tables (at most 5 walks of 4 reads),
 * and maps, or says what else the fault is. Its own CPU.
 */
enum shadow_verdict shadow_fault(struct vcpu *vcpu, const struct exit *exit,
				 struct reflection *out);
/* The IPA of vEL1 that the abort is about: HPFAR_EL2, or AT where hardware leaves it unknown. */
bool shadow_fault_ipa(const struct exit *exit, u64 *nipa);

/*
 * Remove [at, at+size), which the VM's stage 2 has unmapped, from all shadows, by the reverse map.
 * True: more to do, call again with the same cursor after checking need_resched; what is done stays
 * done. A call does at most 1 GiB of tables, or 4096 lookups. Takes shadows' locks in turn; any
 * CPU.
 */
bool shadow_unmap_ipa(struct vm *vm, ipa_t at, u64 size, struct shadow_cursor *cursor) must_check;

/* ---- for TLBIs ---- */

/* The VM's shadows: index 0..count-1. */
u32 shadow_count(const struct vm *vm);
struct shadow *shadow_at(struct vm *vm, u32 i);
/* Drop all translations. True: more; the shadow takes nothing new until it is done. */
bool shadow_clear(struct shadow *s);
/*
 * Drop [lo, hi) of vEL1's IPAs, and all of each leaf of vEL2's that overlaps it. leaf: the size of
 * the leaf if the TLBI told it (TTL), else 0. True: more, as above, cursor->at. The cost depends on
 * what is mapped.
 */
bool shadow_invalidate(struct shadow *s, u64 lo, u64 hi, u64 leaf,
		       struct shadow_cursor *c) must_check;
/* Whether the shadow is in use for this VMID of vEL2's. Takes its lock. */
bool shadow_has_vmid(struct shadow *s, u16 vmid);

/* Table pages that all shadows of the VM take, and how many they may take. */
u64 shadow_pages(const struct vm *vm);
u64 shadow_pages_max(const struct vm *vm);
