/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows of nidus's own address space on what vEL2's VNCR_EL2 names: found, filled at a fault,
 * invalidated.
 */
#include "nested/vncr.h"

#include "arch/esr.h"
#include "arch/sctlr.h"
#include "arch/tcr.h"
#include "mm/tlb.h"
#include "mm/window.h"
#include "nested/walk_vm.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vm.h"

_Static_assert(MAX_VMS * MAX_VCPUS * VNCR_WINDOWS <= WINDOWS, "windows for all");

/* The number of a window. VMs are numbered from 1. */
static u32 window_index(const struct vcpu *vcpu, u32 i)
{
	u32 vm = vcpu->vm->id & (MAX_VMS - 1);

	return (vm * MAX_VCPUS + vcpu->index) * VNCR_WINDOWS + i;
}

/* ---- which ---- */

/*
 * The key from vEL2's registers. MAIR_EL2 is not part of it: the page is RAM, and a window is
 * Normal.
 */
static struct vncr_key key_of(const struct vcpu *vcpu)
{
	u64 page = sign_extend(vncr_read(vcpu, VNCR_VNCR_EL2) & MASK(56, 12), 57);
	u64 ttbr = page & VA_UPPER ? vel2_ttbr1(vcpu) : vel2_ttbr0(vcpu);

	return (struct vncr_key){ .page = page,
				  .ttbr = ttbr & TTBR_BADDR,
				  .tcr = vel2_tcr(vcpu),
				  .sctlr = vel2_sctlr(vcpu) & (SCTLR_M | SCTLR_EE) };
}

static u16 asid_mask(u64 tcr)
{
	return tcr & TCR_AS ? 0xffff : 0xff;
}

static u16 asid_of(const struct vcpu *vcpu)
{
	u64 tcr = vel2_tcr(vcpu), ttbr = tcr & TCR_A1 ? vel2_ttbr1(vcpu) : vel2_ttbr0(vcpu);

	return (u16)(TTBR_ASID(ttbr) & asid_mask(tcr));
}

static bool same(const struct vncr_key *a, const struct vncr_key *b)
{
	return !((a->page ^ b->page) | (a->ttbr ^ b->ttbr) | (a->tcr ^ b->tcr) |
		 (a->sctlr ^ b->sctlr));
}

/* The ASID counts unless the leaf is known to be global. */
static bool fits(const struct vcpu *vcpu, const struct vncr_entry *e, const struct vncr_key *key)
{
	return e->used && same(&e->key, key) && (e->global || e->asid == asid_of(vcpu));
}

/*
 * Close a window, under the lock. It counts as open until no CPU sees the page: claim_window() uses
 * a closed one without the lock.
 */
static void close_window(struct vcpu *vcpu, u32 i)
{
	struct vncr_entry *e = &vcpu->windows.entry[i];

	if (!e->open)
		return;
	window_close(window_index(vcpu, i));
	__atomic_store_n(&e->open, false, __ATOMIC_RELEASE);
}

static void claim_window(struct vcpu *vcpu, u32 i, const struct vncr_key *key)
{
	struct vncr_entry *e = &vcpu->windows.entry[i];

	if (__atomic_load_n(&e->open, __ATOMIC_ACQUIRE)) {
		spin_lock(&vcpu->vm->vncr.lock);
		close_window(vcpu, i);
		spin_unlock(&vcpu->vm->vncr.lock);
	}
	e->key = *key;
	e->used = true;
	e->global = false;
	e->asid = asid_of(vcpu);
}

u64 vncr_window(struct vcpu *vcpu)
{
	struct vncr_windows *w = &vcpu->windows;
	struct vncr_key key = key_of(vcpu);
	u8 i = w->now;

	if (unlikely(!fits(vcpu, &w->entry[i], &key))) {
		for (i = 0; i < VNCR_WINDOWS && !fits(vcpu, &w->entry[i], &key); i++)
			;
		if (i == VNCR_WINDOWS) {
			i = w->next;
			w->next = (u8)((i + 1) % VNCR_WINDOWS);
			claim_window(vcpu, i, &key);
		}
		w->now = i;
	}
	return window_address(window_index(vcpu, i));
}

/* ---- a fault ---- */

/*
 * Report a fault to vEL2. EL2&0 has no second stage for vEL2: the syndrome says stage 1, by an EL2
 * access to memory.
 */
static enum verdict reflect_fault(struct vcpu *vcpu, const struct exit *exit, u64 fsc)
{
	u64 page = vcpu->windows.entry[vcpu->windows.now].key.page;

	vcpu->reflection = (struct reflection){
		.esr = ESR(EC_DABT_CUR, DABT_VNCR | (exit->esr & DABT_WNR) | fsc),
		.far = page | (exit->far & (PAGE_SIZE - 1)),
		.hpfar = vcpu->sr[SR_HPFAR_EL2],
	};
	return REFLECT_ABORT;
}

/* Find the page of RAM at an IPA; false: no RAM of this VM's. */
static bool ram_page(const struct vm *vm, u64 at, u64 *page)
{
	for (u32 i = 0; i < vm->ram_chunks; i++)
		if (at - vm->ram[i].ipa < vm->ram[i].size) {
			*page = ALIGN_DOWN(vm->ram[i].pa + (at - vm->ram[i].ipa), PAGE_SIZE);
			return true;
		}
	return false;
}

/* Record the leaf, for invalidations. Contiguous leaves (128 at most) may be one TLB entry. */
static void note_leaf(struct vcpu *vcpu, struct vncr_entry *e, const struct walk_s1_out *out)
{
	bool flat = out->size == ~0UL;

	e->size = flat ? ~0UL : out->cont ? out->size * 128 : out->size;
	e->base = flat ? 0 : ALIGN_DOWN(sign_extend(e->key.page, 56), e->size);
	e->global = flat || out->global;
	e->asid = asid_of(vcpu);
	e->asid_mask = asid_mask(e->key.tcr);
}

/*
 * Open the window unless vEL2 has invalidated anything since seq was read. With break-before-make:
 * a window that permits reads may be in TLBs.
 */
static void open_window(struct vcpu *vcpu, u64 seq, u64 page, bool writable,
			const struct walk_s1_out *out)
{
	struct vncr_vm *v = &vcpu->vm->vncr;
	u32 i = vcpu->windows.now;
	struct vncr_entry *e = &vcpu->windows.entry[i];

	spin_lock(&v->lock);
	if (v->seq == seq) {
		close_window(vcpu, i);
		note_leaf(vcpu, e, out);
		window_open(window_index(vcpu, i), page, writable);
		e->open = true;
	}
	spin_unlock(&v->lock);
}

/*
 * Resolve a fault: AArch64.S1Translate for the access of NVMem, which is EL2's, privileged,
 * whatever PSTATE.PAN says. A leaf that was only read stays read-only in the window, so that a
 * write sets its dirty state.
 */
static enum verdict refill(struct vcpu *vcpu, const struct exit *exit)
{
	struct vncr_vm *v = &vcpu->vm->vncr;
	struct walk_s1_regs regs = walk_s1_sample_vel2(vcpu);
	struct walk_mem mem = walk_mem_of(vcpu->vm);
	bool write = exit->esr & DABT_WNR;
	struct walk_access access = { .read = !write, .write = write };
	u64 at = vcpu->windows.entry[vcpu->windows.now].key.page, page, seq;
	struct walk_s1_out out;
	struct walk_fault fault;

	/* Either vEL2's TLBI sees this flag, or the walk sees what vEL2 stored before it. */
	__atomic_store_n(&v->used, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE);
	if (!walk_s1(&regs, NULL, &vcpu->vm->walk_feat, &mem, at, access, &out, &fault))
		return fault.retry ? RESUME : reflect_fault(vcpu, exit, fault.fsc);
	/* No VM has its registers in a device, and no RAM is read-only. */
	if (!ram_page(vcpu->vm, out.oa, &page))
		return reflect_fault(vcpu, exit, ESR_FSC_SEA);
	open_window(vcpu, seq, page, write, &out);
	return RESUME;
}

enum verdict vncr_trap(struct vcpu *vcpu, const struct exit *exit)
{
	u64 fsc;

	if (!vcpu->has_vel2 || vcpu->in_vel2 || !vcpu->vel1_vncr || !(exit->esr & DABT_VNCR)) {
		vcpu->stop_reason = "an abort on its page of EL2 registers";
		return STOP_VM;
	}
	fsc = ABT_FSC(exit->esr);
	if (fsc == ESR_FSC_TLB_CONFLICT) {
		tlb_invalidate_el2(window_address(window_index(vcpu, vcpu->windows.now)),
				   PAGE_SIZE);
		return RESUME;
	}
	/*
	 * The fault is at the page, or in a walk of nidus's tables, which vEL2 does not have: to
	 * it, it is the access's.
	 */
	if (fsc >= ESR_FSC_SEA && fsc < ESR_FSC_ALIGNMENT)
		return reflect_fault(vcpu, exit, ESR_FSC_SEA);
	return refill(vcpu, exit);
}

/* ---- invalidation ---- */

static bool covers(const struct vncr_entry *e, const struct tlbi_op *op)
{
	return op->base - e->base < e->size || e->base - op->base < op->size;
}

static bool asid_equal(const struct vncr_entry *e, const struct tlbi_op *op)
{
	return !((e->asid ^ op->asid) & e->asid_mask);
}

bool vncr_concerns(const struct vncr_entry *e, const struct tlbi_op *op)
{
	switch (op->kind) {
	case TLBI_VMALL:
		return true;
	case TLBI_ASID:
		return !e->global && asid_equal(e, op);
	case TLBI_VA:
		return op->size && covers(e, op) && (e->global || asid_equal(e, op));
	case TLBI_VAA:
		return op->size && covers(e, op);
	case TLBI_VMALLS12:
	case TLBI_IPA:
	case TLBI_ALL:
		break; /* of EL1&0's, and of stage 2, which EL2&0 has not */
	}
	return false;
}

static void shut_concerned(struct vcpu *vcpu, const struct tlbi_op *op)
{
	for (u32 i = 0; i < VNCR_WINDOWS; i++) {
		const struct vncr_entry *e = &vcpu->windows.entry[i];

		if (e->open && vncr_concerns(e, op))
			close_window(vcpu, i);
	}
}

void vncr_tlbi(struct vcpu *vcpu, const struct tlbi_op *op)
{
	struct vm *vm = vcpu->vm;

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* refill() */
	if (likely(!__atomic_load_n(&vm->vncr.used, __ATOMIC_SEQ_CST)))
		return;
	spin_lock(&vm->vncr.lock);
	__atomic_store_n(&vm->vncr.seq, vm->vncr.seq + 1, __ATOMIC_RELEASE);
	for (u32 i = 0; i < vm->vcpu_count; i++)
		shut_concerned(vm->vcpus[i], op);
	spin_unlock(&vm->vncr.lock);
}

void vncr_reset(struct vcpu *vcpu)
{
	spin_lock(&vcpu->vm->vncr.lock);
	for (u32 i = 0; i < VNCR_WINDOWS; i++)
		close_window(vcpu, i);
	spin_unlock(&vcpu->vm->vncr.lock);
	vcpu->windows = (struct vncr_windows){ 0 };
}
