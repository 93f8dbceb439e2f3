/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to interrupts that may be in another vcpu's list registers. If that vcpu is loaded
 * somewhere, its own CPU does the work: only it can see its list registers. If not, its state is in
 * memory, and whoever claims it does.
 */
#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "vgic/internal.h"

/* vgic_vcpu.op_state: who may touch vgic_vcpu.op. */
enum {
	OP_FREE,    /* nobody */
	OP_FILLING, /* the one who asks */
	OP_POSTED,  /* the one who gets it first: the target to do it, the asker to take it back */
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

/* Not loaded anywhere: do it here. */
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

struct wait {
	u64 since;
	u32 turns;
};

/*
 * One turn of waiting, in which others get from self what they wait for: two vcpus that ask each
 * other both get on. True: it has taken more than a second (and many turns).
 */
static bool wait_turn(struct vcpu *self, struct wait *w)
{
	if (get(&self->vgic.op_state) == OP_POSTED)
		vgic_serve_sync(self);
	cpu_relax();
	if (!w->turns++)
		w->since = sysreg_read(CNTPCT_EL0);
	return w->turns > 100000 && sysreg_read(CNTPCT_EL0) - w->since >= sysreg_read(CNTFRQ_EL0);
}

/* target->vgic.op is ours and posted; wait until it is done by either side. False: given up. */
static bool wait_done(struct vcpu *self, struct vcpu *target, struct wait *w)
{
	struct vgic_vcpu *t = &target->vgic;

	while (get(&t->op_state) != OP_DONE) {
		/* Put meanwhile, it may not come back for long. */
		if (get(&t->where) == VGIC_MEMORY && take(&t->op_state, OP_POSTED, OP_FILLING)) {
			if (perform_claimed(target, &t->op))
				return true;
			put(&t->op_state, OP_POSTED);
			vcpu_request(target, REQ_VGIC_SYNC);
		}
		if (wait_turn(self, w) && take(&t->op_state, OP_POSTED, OP_FILLING))
			return false;
	}
	return true;
}

bool vgic_remote(struct vcpu *self, struct vcpu *target, struct vgic_op *op)
{
	struct vgic_vcpu *t = &target->vgic;
	struct wait w = { 0, 0 };
	bool done = false;

	while (!take(&t->op_state, OP_FREE, OP_FILLING)) {
		if (perform_claimed(target, op))
			return true;
		if (wait_turn(self, &w))
			goto out;
	}
	if (perform_claimed(target, op)) {
		done = true;
	} else {
		t->op = *op;
		put(&t->op_state, OP_POSTED);
		vcpu_request(target, REQ_VGIC_SYNC);
		done = wait_done(self, target, &w);
		*op = t->op;
	}
	put(&t->op_state, OP_FREE);
out:
	if (!done)
		log_line("vm %u: vcpu %u doesn't answer vcpu %u about its interrupts", self->vm->id,
			 target->index, self->index);
	return done;
}
