/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LPIs on their way to list registers. One that is pending is in one place: a bit of its vcpu's
 * (vgic_vcpu.lpis), or of its word (vits.lpi) while it is disabled, or a list register. Bits are
 * taken and put by atomic instructions, so that an arrival takes no lock. There is no active state
 * (IHI0069, "Interrupt handling states"): one that is in service is nobody's but the interface's,
 * whose active priorities hold back the next.
 */
#pragma once

#include "arch/barrier.h"
#include "arch/its.h"
#include "state/vgic.h"

struct vm;
struct vcpu;
struct vgic_interface;

/* LPI 64 * n + k is bit k of word[n]; sum has a bit for each word that may not be 0. */
struct vgic_lpis {
	u64 word[GIC_LPIS / 64];
	u64 sum[GIC_LPIS / 64 / 64];
};

/* vits.lpi[], with the enable and priority that the VM's table had at the last INV. Atomic. */
enum {
	VLPI_MAPPED = 0x100,
	VLPI_LATCHED = 0x200, /* pending, but disabled */
};
#define VLPI_ICID 16
#define VLPI_ICID_OF(v) ((u32)(v) >> VLPI_ICID)

static inline bool lpi_is_ready(const struct vgic_vcpu *v)
{
	return read_once(&v->lpi_ready);
}

/* Some are left for a flush to come. */
static inline void lpi_again(struct vgic_vcpu *v)
{
	if (v->lpis)
		__atomic_store_n(&v->lpi_ready, true, __ATOMIC_RELEASE);
}

/* Of the list registers none has one any more. */
static inline void lpi_none_held(struct vgic_vcpu *v)
{
	if (!v->lpi_held)
		return;
	v->lr_lpi = 0;
	__atomic_store_n(&v->lpi_held, false, __ATOMIC_RELEASE);
}

/*
 * LPI n (INTID - 8192) of the VM has become pending. Returns a bit for the vcpu that has to be
 * kicked. An LPI that is not mapped, or whose redistributor is not to have LPIs, is dropped.
 */
u32 lpi_post(struct vm *vm, u32 n);
/* Set the LPI's word but for VLPI_LATCHED; as lpi_post() if it is pending and enabled now. */
u32 lpi_set(struct vm *vm, u32 n, u32 word);
/* Take it back wherever it is pending; true: it was. List registers are not looked at. */
bool lpi_withdraw(struct vm *vm, u32 n);
/* Those in list registers are folded soon, and go where they belong now. Kicks the vcpus. */
void lpi_recall(struct vm *vm);
/* Move all that are pending at one vcpu to another. */
void lpi_move_all(struct vm *vm, struct vcpu *from, struct vcpu *to);
/* Nothing is pending at the vcpu. */
void lpi_clear(struct vgic_vcpu *v);

/* A list register with an LPI was read as lr: if it is pending, it is posted again. The same. */
u32 lpi_fold(struct vcpu *vcpu, u32 intid, u64 lr);
/*
 * The number of LPIs that are ready for the vcpu; into key[] the most urgent ones, best first, but
 * max at most: priority << 16 | INTID, and LPI_LAST if ICH_VMCR_EL2 disables Group 1. Called while
 * that is the vcpu's own. lpi_is_ready() is false then; lpi_again() if any stays.
 */
#define LPI_LAST (1u << 24)
u32 lpi_list(struct vcpu *vcpu, u32 *key, u32 max);
/* Vcpus to be kicked after lpi_list() and lpi_place(), once no lock is held. */
u32 lpi_owed_kicks(struct vgic_vcpu *v);
/* Put an LPI of that key into free list register i, if it was not withdrawn meanwhile. */
void lpi_place(struct vcpu *vcpu, u32 key, u32 i);
/*
 * Place all that are ready, if there is room. False: there is not, or one is still in a list
 * register; nothing is lost, and the list registers have to be folded.
 */
bool lpi_flush(struct vcpu *vcpu);
/* Whether one that is ready would be signalled. */
bool lpi_can_signal(struct vcpu *vcpu, const struct vgic_interface *f);
/* The same for a priority below *best, which it becomes; *group1 is set then. */
void lpi_best(struct vcpu *vcpu, const struct vgic_interface *f, u32 *best, bool *group1);
