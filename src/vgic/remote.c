/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to interrupts that may be in another vcpu's list registers. If that vcpu is loaded
 * somewhere, its own CPU does the operation: only it can see its list registers. If not, its state
 * is in memory, and the requester claims it and does the operation.
 *
 * Waiting is short: an operation that is not done soon stays posted, and the requester returns to
 * its run loop, which takes interrupts, serves requests and lets other vcpus run, and comes back
 * for the answer. Nothing is abandoned, so nothing is lost.
 */
#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "vgic/internal.h"

/*
 * A call waits for a 50,000th of a second, 20 microseconds, however many vcpus it asks: many times
 * what an answer takes. After that it still asks one more, so that each call makes progress.
 */
#define WAIT_PER_SECOND 50000

/* vgic_vcpu.op_state: the owner of vgic_vcpu.op. */
enum {
	OP_FREE,    /* nobody */
	OP_FILLING, /* the requester */
	OP_POSTED,  /* whoever is first: the target to do it, the requester to withdraw it */
	OP_RUNNING, /* the target */
	OP_DONE,    /* the asker */
};

static bool take(u8 *word, u8 from, u8 to)
{
	return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static u8 get(const u8 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void put(u8 *word, u8 v)
{
	__atomic_store_n(word, v, __ATOMIC_RELEASE);
}

/* Do op on target's interrupts: none is in a list register. */
static void perform(struct vcpu *target, struct vgic_op *op, bool loaded)
{
	struct vm *vm = target->vm;
	u32 kicks = 0;

	if (op->reg == VGIC_NONE)
		return;
	if (!op->word) {
		op->data = private_apply(target, op, loaded);
		return;
	}
	spin_lock(&vm->vgic.lock);
	op->mask &= ~vm->vgic.spis->word[op->word].s.inlr;
	op->data = spi_apply(vm, op, op->mask, &kicks);
	spin_unlock(&vm->vgic.lock);
	vgic_kick_all(vm, kicks);
}

void vgic_remote_serve(struct vcpu *self)
{
	struct vgic_vcpu *v = &self->vgic;

	if (!take(&v->op_state, OP_POSTED, OP_RUNNING))
		return;
	perform(self, &v->op, true);
	put(&v->op_state, OP_DONE);
}

/* Claim a target that is not loaded anywhere, and do it here. */
static bool perform_claimed(struct vcpu *target, struct vgic_op *op)
{
	bool private = !op->word && op->write;

	if (!take(&target->vgic.where, VGIC_MEMORY, VGIC_CLAIMED))
		return false;
	perform(target, op, false);
	put(&target->vgic.where, VGIC_MEMORY);
	if (private)
		vcpu_kick(target); /* it may sleep, and this may wake it */
	return true;
}

/* Try once to do op here, or to post it. True: done. */
static bool begin(struct vgic_ask *a, struct vcpu *target, struct vgic_op *op)
{
	struct vgic_vcpu *t = &target->vgic;

	if (perform_claimed(target, op))
		return true;
	/* Else another vcpu's operation is posted there. */
	if (take(&t->op_state, OP_FREE, OP_FILLING)) {
		t->op = *op;
		a->sent = *op;
		a->posted = target;
		put(&t->op_state, OP_POSTED);
		vcpu_request(target, REQ_VGIC_SYNC);
	}
	return false;
}

/* Collect the answer to a posted operation. False: not yet. */
static bool collect(struct vgic_ask *a, struct vgic_op *op)
{
	struct vcpu *target = a->posted;
	struct vgic_vcpu *t = &target->vgic;

	/* If it was put meanwhile, it may not be loaded again for long. */
	if (get(&t->where) == VGIC_MEMORY && take(&t->op_state, OP_POSTED, OP_FILLING)) {
		if (perform_claimed(target, &t->op)) {
			put(&t->op_state, OP_DONE);
		} else {
			put(&t->op_state, OP_POSTED);
			vcpu_request(target, REQ_VGIC_SYNC);
		}
	}
	if (get(&t->op_state) != OP_DONE)
		return false;
	*op = t->op;
	a->posted = NULL;
	put(&t->op_state, OP_FREE);
	return true;
}

static bool same(const struct vgic_op *a, const struct vgic_op *b)
{
	return a->reg == b->reg && a->word == b->word && a->write == b->write &&
	       a->mask == b->mask && a->data == b->data;
}

static void withdraw(struct vgic_ask *a)
{
	/* If the target is working on it, it will be done soon. */
	while (!take(&a->posted->vgic.op_state, OP_POSTED, OP_FREE) &&
	       !take(&a->posted->vgic.op_state, OP_DONE, OP_FREE))
		cpu_relax();
	a->posted = NULL;
}

bool vgic_remote(struct vcpu *self, struct vcpu *target, struct vgic_op *op)
{
	struct vgic_ask *a = &self->vgic.ask;

	if (!a->until)
		a->until = sysreg_read(CNTPCT_EL0) + sysreg_read(CNTFRQ_EL0) / WAIT_PER_SECOND;
	if (unlikely(a->posted && (a->posted != target || !same(&a->sent, op))))
		withdraw(a);
	do {
		if (a->posted ? collect(a, op) : begin(a, target, op))
			return true;
		/* Two vcpus that ask each other both make progress. */
		if (get(&self->vgic.op_state) == OP_POSTED)
			vgic_serve_sync(self);
		cpu_relax();
	} while (sysreg_read(CNTPCT_EL0) < a->until);
	return false;
}

bool vgic_ask_matches(const struct vgic_ask *a, const struct vgic_op *op)
{
	return a->active && same(&a->op, op);
}

void vgic_ask_drop(struct vcpu *self)
{
	struct vgic_ask *a = &self->vgic.ask;

	a->active = false;
	if (a->posted)
		withdraw(a);
}
