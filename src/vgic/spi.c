/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SPIs: choice of the target vcpu, inputs from emulated and physical devices, accesses to their
 * state.
 */
#include "arch/gicv3.h"
#include "dev/gicv3.h"
#include "lib/string.h"
#include "vgic/internal.h"

/* The VM that has a physical SPI. Written at VM creation and destruction; vm atomic. */
static struct {
	struct vm *vm;
	u32 intid;
} assigned_to[GIC_INTID_MAX];

void vgic_kick_all(struct vm *vm, u32 vcpus)
{
	for (; vcpus; vcpus &= vcpus - 1)
		vcpu_kick(vm->vcpus[__builtin_ctz(vcpus)]);
}

struct vcpu *vgic_find_vcpu(struct vm *vm, u64 affinity)
{
	u32 guess = affinity & 0xff;

	if (likely(guess < vm->vcpu_count && (vm->vcpus[guess]->vmpidr & GIC_AFFINITY) == affinity))
		return vm->vcpus[guess];
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if ((vm->vcpus[i]->vmpidr & GIC_AFFINITY) == affinity)
			return vm->vcpus[i];
	return NULL;
}

/* The vcpu with SPI n of w in its want[] or list registers, or NULL. Lock held. */
static struct vcpu *owner_of(struct vm *vm, const struct spi32 *w, u32 n)
{
	u32 owner = w->owner[n];

	return owner < vm->vcpu_count ? vm->vcpus[owner] : NULL;
}

/*
 * How suitable this vcpu is for a 1 of N interrupt: it is on, its redistributor is awake
 * (GICR_WAKER), its interface has the group enabled, as far as its own CPU has seen. 0: off.
 */
static u32 fitness(const struct vcpu *vcpu, bool group1)
{
	u32 state = __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE);
	u8 groups = __atomic_load_n(&vcpu->vgic.groups_on, __ATOMIC_RELAXED);

	if (state == VCPU_OFF || state == VCPU_DEAD ||
	    __atomic_load_n(&vcpu->vgic.off, __ATOMIC_ACQUIRE))
		return 0;
	return 1 + 2 * __atomic_load_n(&vcpu->vgic.awake, __ATOMIC_RELAXED) +
	       !!(groups & (group1 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0));
}

/*
 * The target of a 1 of N interrupt: the first of the most suitable, so that the choice is the same
 * each time. Software that does not know GICR_WAKER leaves its redistributors asleep, and gets its
 * interrupts all the same.
 */
static struct vcpu *any_vcpu(struct vm *vm, bool group1)
{
	struct vcpu *best = NULL;
	u32 most = 0;

	for (u32 i = 0; i < vm->vcpu_count; i++) {
		u32 fit = fitness(vm->vcpus[i], group1);

		if (fit > most) {
			most = fit;
			best = vm->vcpus[i];
		}
	}
	return best;
}

/* The vcpu that SPI n of w is routed to, or NULL: IROUTER names none. Lock held. */
static struct vcpu *target_of(struct vm *vm, const struct spi32 *w, u32 n)
{
	if (w->any & 1u << n)
		return any_vcpu(vm, w->s.group >> n & 1);
	return vgic_find_vcpu(vm, GIC_AFFINITY_UNPACK(w->route[n]));
}

bool spi_stays(struct vcpu *vcpu, u32 intid)
{
	const struct spi32 *w = spi_word(vcpu->vm, intid);
	u32 n = intid % 32;

	/* A 1 of N interrupt may as well stay. */
	return (w->any >> n & 1) || target_of(vcpu->vm, w, n) == vcpu;
}

void spi_want(struct vcpu *vcpu, u32 word, u32 n, bool want)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 bit = 1u << n, wants = want ? v->want[word] | bit : v->want[word] & ~bit;
	u32 words = wants ? v->want_words | 1u << word : v->want_words & ~(1u << word);

	__atomic_store_n(&v->want[word], wants, __ATOMIC_RELAXED);
	__atomic_store_n(&v->want_words, words, __ATOMIC_RELEASE);
}

static u32 choose_one(struct vm *vm, u32 word, u32 n, bool ready, u32 self)
{
	struct spi32 *w = &vm->vgic.spis->word[word];
	struct vcpu *old = owner_of(vm, w, n), *new = NULL;
	bool active = w->s.active >> n & 1;

	/*
	 * The vcpu that acknowledged it will deactivate it; otherwise it goes where it is routed
	 * now.
	 */
	if (active && old)
		new = old;
	else if (active || ready)
		new = target_of(vm, w, n);
	if (old && old != new)
		spi_want(old, word, n, false);
	w->owner[n] = new ? new->index : VGIC_NOBODY;
	if (!new || ((new->vgic.want[word] >> n & 1) && !ready))
		return 0;
	spi_want(new, word, n, true);
	if (new->index == self)
		return 0;
	vgic_mark(&new->vgic, false);
	return ready ? 1u << new->index : 0;
}

u32 spi_choose(struct vm *vm, u32 word, u32 bits, u32 self)
{
	const struct irq32 *s = &vm->vgic.spis->word[word].s;
	u32 ready = irq32_pending(s, s->line) & ~s->active & irq32_deliverable(s, vm->vgic.ctlr);
	u32 kicks = 0;

	for (bits &= ~s->inlr; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		kicks |= choose_one(vm, word, n, ready >> n & 1, self);
	}
	return kicks;
}

void spi_choose_again(struct vm *vm)
{
	u32 kicks = 0;

	spin_lock(&vm->vgic.lock);
	for (u32 i = 1; vm->vgic.spis && i < VGIC_WORDS; i++) {
		const struct spi32 *w = &vm->vgic.spis->word[i];

		kicks |= spi_choose(vm, i, w->any, VGIC_NOBODY);
		/* Those in list registers are settled when they are folded. */
		for (u32 bits = w->any & w->s.inlr; bits; bits &= bits - 1) {
			struct vcpu *owner = owner_of(vm, w, (u32)__builtin_ctz(bits));

			if (owner) {
				vgic_mark(&owner->vgic, true);
				kicks |= 1u << owner->index;
			}
		}
	}
	spin_unlock(&vm->vgic.lock);
	vgic_kick_all(vm, kicks);
}

void vgic_groups_changed(struct vcpu *vcpu, u8 on)
{
	/* Before the lock is taken: whoever settles one later sees it. */
	__atomic_store_n(&vcpu->vgic.groups_on, on, __ATOMIC_RELAXED);
	spi_choose_again(vcpu->vm);
}

/* Handle a change of SPI n's input: settle it, or have its owner check its list registers. */
static u32 input_changed(struct vm *vm, u32 word, u32 n)
{
	struct spi32 *w = &vm->vgic.spis->word[word];
	struct vcpu *owner = w->s.inlr >> n & 1 ? owner_of(vm, w, n) : NULL;

	if (!owner)
		return spi_choose(vm, word, 1u << n, VGIC_NOBODY);
	vgic_mark(&owner->vgic, true);
	return 1u << owner->index;
}

void vgic_set_spi(struct vm *vm, u32 intid, bool level)
{
	struct vgic *g = &vm->vgic;
	u32 bit = 1u << intid % 32, kicks = 0;

	spin_lock(&g->lock);
	if (g->spis && intid >= GIC_SPI && intid < g->intids) {
		struct irq32 *s = &spi_word(vm, intid)->s;

		if (level != !!(s->line & bit)) {
			s->line ^= bit;
			if (level)
				s->latch |= bit & s->edge;
			kicks = input_changed(vm, intid / 32, intid % 32);
		}
	}
	spin_unlock(&g->lock);
	vgic_kick_all(vm, kicks);
}

int vgic_assign_spi(struct vm *vm, u32 intid, u32 pintid, bool edge)
{
	struct spi32 *w;
	u32 bit = 1u << intid % 32;

	if (intid < GIC_SPI || intid >= vm->vgic.intids || pintid < GIC_SPI ||
	    pintid >= GIC_INTID_MAX)
		return -EINVAL;
	w = spi_word(vm, intid);
	if ((w->assigned & bit) || assigned_to[pintid].vm)
		return -EBUSY;
	w->assigned |= bit;
	w->s.pintid[intid % 32] = (u16)pintid;
	w->s.edge = edge ? w->s.edge | bit : w->s.edge & ~bit;
	assigned_to[pintid].intid = intid;
	__atomic_store_n(&assigned_to[pintid].vm, vm, __ATOMIC_RELEASE);
	gicv3_set_enable(pintid, false);
	gicv3_set_edge(pintid, edge);
	return 0;
}

/* Make it pending, lock held; false: the VM no longer has it. */
static bool inject_hw(struct vm *vm, u32 intid, u32 *kicks)
{
	u32 bit = 1u << intid % 32;
	struct spi32 *w;

	if (!vm->vgic.spis)
		return false;
	w = spi_word(vm, intid);
	if (!(w->assigned & bit))
		return false;
	if (w->s.inlr & bit)
		w->hw_next |= bit;
	else
		irq32_hw_arrive(&w->s, bit);
	*kicks = input_changed(vm, intid / 32, intid % 32);
	return true;
}

void vgic_inject_spi_hw(u32 pintid)
{
	struct vm *vm = NULL;
	bool taken = false;
	u32 kicks = 0;

	if (pintid < GIC_INTID_MAX)
		vm = __atomic_load_n(&assigned_to[pintid].vm, __ATOMIC_ACQUIRE);
	if (vm) {
		spin_lock(&vm->vgic.lock);
		taken = inject_hw(vm, assigned_to[pintid].intid, &kicks);
		spin_unlock(&vm->vgic.lock);
		vgic_kick_all(vm, kicks);
	}
	if (taken)
		return;
	gicv3_set_enable(pintid, false);
	gicv3_deactivate(pintid);
}

/* ---- accesses to the state ---- */

/* Update the physical interrupts behind assigned SPIs after an access to the virtual ones. */
static void follow(struct vm *vm, struct spi32 *w, const struct vgic_op *op, u32 bits)
{
	for (bits &= w->assigned; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits), bit = 1u << n, pintid = w->s.pintid[n];
		const struct vcpu *to;
		const struct cpu *cpu;

		switch (op->reg) {
		case VGIC_ENABLE:
		case VGIC_DISABLE:
			gicv3_set_enable(pintid, op->reg == VGIC_ENABLE);
			break;
		case VGIC_UNPEND:
			if (!(w->s.hw & bit))
				gicv3_set_pending(pintid, false);
			break;
		case VGIC_CONFIG:
			gicv3_set_edge(pintid, w->s.edge & bit);
			break;
		case VGIC_ROUTE: /* to the CPU where the vcpu is likely to run */
			to = target_of(vm, w, n);
			cpu = to ? read_once(&to->cpu) : NULL;
			if (cpu)
				gicv3_route_spi(pintid, cpu->hw.mpidr);
			break;
		}
	}
}

static u64 route_read(const struct spi32 *w, u32 n)
{
	return GIC_AFFINITY_UNPACK(w->route[n]) | (w->any >> n & 1 ? GICD_IROUTER_IRM : 0);
}

static void route_write(struct spi32 *w, u32 n, u64 v)
{
	w->route[n] = (u32)GIC_AFFINITY_PACK(v);
	w->any = v & GICD_IROUTER_IRM ? w->any | 1u << n : w->any & ~(1u << n);
}

u64 spi_apply(struct vm *vm, const struct vgic_op *op, u32 bits, u32 *kicks)
{
	struct spi32 *w = &vm->vgic.spis->word[op->word];
	u32 n = (u32)__builtin_ctz(op->mask | 1u << 31);
	bool pend = op->reg == VGIC_PEND || op->reg == VGIC_UNPEND;
	u64 v;

	if (!bits)
		return 0;
	if (pend || op->write)
		irq32_hw_resample(&w->s, bits);
	if (op->write) {
		if (op->reg == VGIC_ROUTE)
			route_write(w, n, op->data);
		else
			irq32_hw_release(&w->s, irq32_write(&w->s, op, bits));
		follow(vm, w, op, bits);
		v = 0;
	} else {
		v = op->reg == VGIC_ROUTE ? route_read(w, n) : irq32_read(&w->s, op, bits);
		if (pend)
			v |= irq32_hw_pending(&w->s, bits & w->assigned & (~w->s.hw | w->s.active));
	}
	if (op->write || pend)
		*kicks |= spi_choose(vm, op->word, bits, VGIC_NOBODY);
	return v;
}

/*
 * Do the part of op that is in memory; op->mask becomes the rest, and the vcpu returned has (some
 * of) that in its list registers.
 */
static struct vcpu *apply_here(struct vm *vm, struct vgic_op *op, u64 *value)
{
	const struct spi32 *w = &vm->vgic.spis->word[op->word];
	struct vcpu *owner = NULL;
	u32 busy, kicks = 0;

	spin_lock(&vm->vgic.lock);
	busy = vgic_op_needs_fold(op) ? op->mask & w->s.inlr : 0;
	if (busy)
		owner = owner_of(vm, w, (u32)__builtin_ctz(busy));
	if (!owner)
		busy = 0;
	*value |= spi_apply(vm, op, op->mask & ~busy, &kicks);
	spin_unlock(&vm->vgic.lock);
	vgic_kick_all(vm, kicks);
	op->mask = busy;
	return owner;
}

bool spi_access(struct vcpu *vcpu, const struct vgic_op *op, u64 *value)
{
	struct vgic_ask *a = &vcpu->vgic.ask;
	struct vgic_op left = *op, part;
	struct vcpu *owner = NULL;

	*value = 0;
	if (unlikely(vgic_ask_matches(a, op))) {
		left.mask = a->todo;
		*value = a->value;
		owner = a->posted;
	}
	/*
	 * Each round does what is in memory and has one vcpu fold (and do its part). An SPI can
	 * slip into another vcpu's list registers meanwhile, as often as the guest moves it: then
	 * the rest is for later.
	 */
	for (u32 round = 0; round < 2 * MAX_VCPUS; round++) {
		if (!owner)
			owner = apply_here(vcpu->vm, &left, value);
		if (!left.mask) {
			a->active = false;
			return true;
		}
		if (owner == vcpu) {
			vgic_sync(vcpu);
		} else {
			part = left;
			if (!vgic_remote(vcpu, owner, &part))
				break;
			left.mask &= ~part.mask;
			*value |= part.data;
		}
		owner = NULL;
	}
	a->op = *op;
	a->todo = left.mask;
	a->value = *value;
	a->active = true;
	return false;
}

void spi_reset(struct vm *vm)
{
	for (u32 i = 1; i < VGIC_WORDS; i++) {
		struct spi32 *w = &vm->vgic.spis->word[i];
		u32 assigned = w->assigned, edge = w->s.edge & assigned;
		u16 pintid[32];

		for (u32 bits = assigned; bits; bits &= bits - 1)
			gicv3_set_enable(w->s.pintid[__builtin_ctz(bits)], false);
		w->s.hw |= w->hw_next;
		irq32_hw_release(&w->s, ~0u);
		memcpy(pintid, w->s.pintid, sizeof(pintid));
		memset(w, 0, sizeof(*w));
		memcpy(w->s.pintid, pintid, sizeof(pintid));
		memset(w->owner, VGIC_NOBODY, sizeof(w->owner));
		w->assigned = assigned;
		w->s.edge = edge;
	}
}

void spi_release_all(struct vm *vm)
{
	for (u32 i = 1; i < VGIC_WORDS; i++) {
		struct spi32 *w = &vm->vgic.spis->word[i];

		for (; w->assigned; w->assigned &= w->assigned - 1) {
			u32 n = (u32)__builtin_ctz(w->assigned);

			__atomic_store_n(&assigned_to[w->s.pintid[n]].vm, NULL, __ATOMIC_RELEASE);
		}
	}
}
