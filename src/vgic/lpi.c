/* SPDX-License-Identifier: Apache-2.0 */
/* LPIs: pending bits without a lock, from an arrival to a list register and back. */
#include "vgic/lpi.h"

#include "arch/counter.h"
#include "arch/sysreg.h"
#include "dev/its.h"
#include "lib/string.h"
#include "simd/simd.h"
#include "state/trace.h"
#include "vgic/internal.h"
#include "vgic/its.h"

#define WORD(n) ((n) / 64)
#define BIT_OF(n) BIT((n) % 64)
/*
 * A VM's messages may have a 32nd of each 10 ms, where they do not find its vcpu in the guest.
 */
#define WINDOWS_A_SECOND 100
#define SHARE 32

/* ---- pending bits ---- */

/* Set LPI n's; false: it was set, and whoever did it has the vcpu woken. */
static bool put(struct vgic_vcpu *v, u32 n)
{
	struct vgic_lpis *l = v->lpis;
	u64 *sum = &l->sum[WORD(n) / 64], bit = BIT(WORD(n) % 64);

	if (__atomic_fetch_or(&l->word[WORD(n)], BIT_OF(n), __ATOMIC_SEQ_CST) & BIT_OF(n))
		return false;
	/* Whoever clears a bit of sum looks at the word again after that. */
	if (!(__atomic_load_n(sum, __ATOMIC_SEQ_CST) & bit))
		__atomic_fetch_or(sum, bit, __ATOMIC_SEQ_CST);
	lpi_again(v);
	vgic_mark(v, false);
	return true;
}

static bool is_set(const struct vgic_lpis *l, u32 n)
{
	return __atomic_load_n(&l->word[WORD(n)], __ATOMIC_SEQ_CST) & BIT_OF(n);
}

/* Clear it; false: it was clear. */
static bool take(struct vgic_lpis *l, u32 n)
{
	return __atomic_fetch_and(&l->word[WORD(n)], ~BIT_OF(n), __ATOMIC_SEQ_CST) & BIT_OF(n);
}

/* Clear the bit of a word that is 0, if it stays so. */
static void forget_word(struct vgic_lpis *l, u32 w)
{
	__atomic_fetch_and(&l->sum[w / 64], ~BIT(w % 64), __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&l->word[w], __ATOMIC_SEQ_CST))
		__atomic_fetch_or(&l->sum[w / 64], BIT(w % 64), __ATOMIC_SEQ_CST);
}

void lpi_clear(struct vgic_vcpu *v)
{
	for (u32 i = 0; i < ARRAY_SIZE(v->lpis->word); i++)
		__atomic_store_n(&v->lpis->word[i], 0, __ATOMIC_SEQ_CST);
}

/* ---- inputs ---- */

/* The vcpu of an LPI with this word, if it may have it; or NULL. */
static struct vcpu *target_of(const struct vm *vm, u32 word)
{
	u32 at = vits_target(vm->vgic.its, VLPI_ICID_OF(word));
	struct vcpu *vcpu = at < vm->vcpu_count ? vm->vcpus[at] : NULL;

	return vcpu && __atomic_load_n(&vcpu->vgic.lpis_on, __ATOMIC_ACQUIRE) ? vcpu : NULL;
}

static u32 post_enabled(struct vm *vm, u32 n, u32 word)
{
	struct vcpu *vcpu = target_of(vm, word);

	return vcpu && put(&vcpu->vgic, n) ? 1u << vcpu->index : 0;
}

/* Keep it until it is enabled, which may have happened since. */
static u32 latch(struct vm *vm, u32 n)
{
	u32 *word = &vm->vgic.its->lpi[n];
	u32 v = __atomic_fetch_or(word, (u32)VLPI_LATCHED, __ATOMIC_SEQ_CST);

	if ((v & VLPI_MAPPED) && !(v & LPI_ENABLE))
		return 0;
	v = __atomic_fetch_and(word, ~(u32)VLPI_LATCHED, __ATOMIC_SEQ_CST);
	return (v & VLPI_LATCHED) && (v & VLPI_MAPPED) ? post_enabled(vm, n, v) : 0;
}

u32 lpi_post(struct vm *vm, u32 n)
{
	u32 word = __atomic_load_n(&vm->vgic.its->lpi[n], __ATOMIC_ACQUIRE);

	if (unlikely(!(word & VLPI_MAPPED)))
		return 0;
	return likely(word & LPI_ENABLE) ? post_enabled(vm, n, word) : latch(vm, n);
}

u32 lpi_set(struct vm *vm, u32 n, u32 word)
{
	u32 *at = &vm->vgic.its->lpi[n], old = __atomic_load_n(at, __ATOMIC_RELAXED), new;

	do {
		new = word | (old & (word & LPI_ENABLE ? 0 : (u32)VLPI_LATCHED));
		if (!(word & VLPI_MAPPED))
			new = 0;
	} while (!__atomic_compare_exchange_n(at, &old, new, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	return (old & VLPI_LATCHED) && (new &LPI_ENABLE) ? post_enabled(vm, n, new) : 0;
}

bool lpi_withdraw(struct vm *vm, u32 n)
{
	u32 old = __atomic_fetch_and(&vm->vgic.its->lpi[n], ~(u32)VLPI_LATCHED, __ATOMIC_SEQ_CST);
	bool was = old & VLPI_LATCHED;

	/* It may have arrived before its collection moved. */
	for (u32 i = 0; i < vm->vcpu_count; i++)
		was |= is_set(vm->vcpus[i]->vgic.lpis, n) && take(vm->vcpus[i]->vgic.lpis, n);
	return was;
}

void lpi_recall(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		struct vgic_vcpu *v = &vm->vcpus[i]->vgic;

		if (!__atomic_load_n(&v->lpi_held, __ATOMIC_SEQ_CST))
			continue;
		vgic_mark(v, true);
		vcpu_kick(vm->vcpus[i]);
	}
}

void lpi_move_all(struct vm *vm, struct vcpu *from, struct vcpu *to)
{
	struct vgic_lpis *l = from->vgic.lpis;
	bool any = false;

	for (u32 w = 0; from != to && w < ARRAY_SIZE(l->word); w++)
		for (u64 bits = __atomic_exchange_n(&l->word[w], 0, __ATOMIC_SEQ_CST); bits;
		     bits &= bits - 1)
			any |= put(&to->vgic, w * 64 + (u32)__builtin_ctzl(bits));
	if (any)
		vcpu_kick(to);
	lpi_recall(vm);
}

/*
 * A message of the VM's has been handled since begin. If they take more than a part of a CPU, as
 * devices can send them faster than that, those of the device at hand wait: other VMs are on the
 * CPU that they go to. Two CPUs at once make it inexact.
 */
static void spend(struct vits *its, struct its_device *d, u64 begin)
{
	u64 now = counter_now(), window = sysreg_read(CNTFRQ_EL0) / WINDOWS_A_SECOND;
	u64 spent = now - begin;

	if (begin - __atomic_load_n(&its->since, __ATOMIC_RELAXED) < window)
		spent += __atomic_load_n(&its->spent, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&its->since, begin, __ATOMIC_RELAXED);
	__atomic_store_n(&its->spent, spent, __ATOMIC_RELAXED);
	if (unlikely(spent > window / SHARE))
		its_hold(d, now + window);
}

__attribute__((noinline)) void vgic_inject_lpi(u32 pintid)
{
	struct its_device *d = its_lpi(pintid);
	struct vm *vm = d ? __atomic_load_n(&d->to, __ATOMIC_ACQUIRE) : NULL;
	u64 begin = counter_now();
	u32 n;

	if (!vm)
		return;
	if (vits_event(vm->vgic.its, d->slot, pintid - d->lpi, &n))
		vgic_kick_all(vm, lpi_post(vm, n));
	spend(vm->vgic.its, d, begin);
}

u32 lpi_owed_kicks(struct vgic_vcpu *v)
{
	u32 kicks = v->lpi_kicks;

	v->lpi_kicks = 0;
	return kicks;
}

/* ---- list registers ---- */

__attribute__((noinline)) u32 lpi_fold(struct vcpu *vcpu, u32 intid, u64 lr)
{
	u32 kicks = lr & ICH_LR_PENDING ? lpi_post(vcpu->vm, intid - GIC_LPI) : 0;

	return kicks & ~(1u << vcpu->index);
}

/*
 * The word of LPI n, whose bit is set here, if it can be delivered here; else its bit goes where it
 * belongs, and 0 is returned.
 */
static u32 deliverable(struct vcpu *vcpu, u32 n)
{
	struct vm *vm = vcpu->vm;
	u32 word = __atomic_load_n(&vm->vgic.its->lpi[n], __ATOMIC_ACQUIRE);

	if (likely((word & VLPI_MAPPED) && (word & LPI_ENABLE) && target_of(vm, word) == vcpu))
		return word;
	if (take(vcpu->vgic.lpis, n))
		vcpu->vgic.lpi_kicks |= lpi_post(vm, n);
	return 0;
}

static void insert(u32 *key, u32 *count, u32 max, u32 k)
{
	u32 i;

	if (*count == max && k >= key[max - 1])
		return;
	if (*count < max)
		++*count;
	for (i = *count - 1; i && key[i - 1] > k; i--)
		key[i] = key[i - 1];
	key[i] = k;
}

/* Whether the VM's distributor forwards LPIs: all of them are in Group 1. */
static bool forwarded(const struct vm *vm)
{
	return __atomic_load_n(&vm->vgic.ctlr, __ATOMIC_RELAXED) & GICD_CTLR_GRP1;
}

__attribute__((noinline)) u32 lpi_list(struct vcpu *vcpu, u32 *key, u32 max)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	struct vgic_lpis *l = v->lpis;
	u32 total = 0, count = 0, word;
	/* LPIs are of Group 1: while the interface has that off, they would only take room. */
	u32 last = sysreg_read(ICH_VMCR_EL2) & ICH_VMCR_ENG1 ? 0 : LPI_LAST;

	/* What becomes ready from here on sets it again. Switching the group on marks all. */
	__atomic_store_n(&v->lpi_ready, false, __ATOMIC_SEQ_CST);
	if (!forwarded(vcpu->vm)) {
		lpi_again(v);
		return 0;
	}
	for (u32 s = 0; s < ARRAY_SIZE(l->sum); s++)
		for (u64 sum = __atomic_load_n(&l->sum[s], __ATOMIC_SEQ_CST); sum; sum &= sum - 1) {
			u32 w = s * 64 + (u32)__builtin_ctzl(sum);
			u64 bits = __atomic_load_n(&l->word[w], __ATOMIC_SEQ_CST);

			if (!bits)
				forget_word(l, w);
			for (; bits; bits &= bits - 1) {
				u32 n = w * 64 + (u32)__builtin_ctzl(bits);

				word = deliverable(vcpu, n);
				if (!word)
					continue;
				total++;
				insert(key, &count, max,
				       last | (word & LPI_PRIORITY) << 16 | (GIC_LPI + n));
			}
		}
	return total;
}

/*
 * Take LPI n for a list register. Held is said first: whoever disables or unmaps it after this has
 * looked at it recalls it (lpi_recall() after lpi_set(), both sequentially consistent).
 */
static bool take_for_lr(struct vcpu *vcpu, u32 n)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (!v->lpi_held)
		__atomic_store_n(&v->lpi_held, true, __ATOMIC_SEQ_CST);
	if (!take(v->lpis, n))
		return false;
	if (__atomic_load_n(&vcpu->vm->vgic.its->lpi[n], __ATOMIC_SEQ_CST) & LPI_ENABLE)
		return true;
	v->lpi_kicks |= lpi_post(vcpu->vm, n);
	return false;
}

/* Put it, pending, into list register i. */
static void write_lr(struct vcpu *vcpu, u32 i, u32 intid, u32 prio)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 lr = intid | (u64)(prio & lr_caps.prio_mask) << ICH_LR_PRIORITY_SHIFT | ICH_LR_GROUP1 |
		 ICH_LR_PENDING;

	v->lr_intid[i] = (u16)intid;
	v->lr_lpi |= (u16)(1u << i);
	v->lr_used |= (u16)(1u << i);
	v->lr_dirty &= (u16) ~(1u << i);
	if (unlikely(vcpu->has_vel2))
		vgic_wait_in(v, i);
	vcpu->account.irq_injected++;
	lr_write(i, lr);
	trace_event(vcpu, TRACE_IRQ, 0, lr, 0);
}

__attribute__((noinline)) void lpi_place(struct vcpu *vcpu, u32 key, u32 i)
{
	u32 intid = key & 0xffff;

	if (take_for_lr(vcpu, intid - GIC_LPI))
		write_lr(vcpu, i, intid, key >> 16 & 0xff);
}

/* List registers for n more; 0: there are not so many. The timer keeps its own if it can. */
static u32 room_for(struct vcpu *vcpu, u32 n)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 all = (1u << lr_caps.count) - 1, need = (1u << n) - 1;

	if (v->lr_used)
		vgic_retire(vcpu, v->redeliver.mask);
	if (!vgic_fits(need, ~(u32)v->lr_used & all))
		vgic_retire(vcpu, 0);
	return vgic_fits(need, ~(u32)v->lr_used & all) ? ~(u32)v->lr_used & all : 0;
}

/* Whether an LPI is still in a list register, from last time. */
static bool is_in(const struct vgic_vcpu *v, u32 intid)
{
	for (u32 used = v->lr_lpi & v->lr_used; used; used &= used - 1)
		if (v->lr_intid[__builtin_ctz(used)] == intid)
			return true;
	return false;
}

__attribute__((noinline)) bool lpi_flush(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 key[VGIC_LRS], n = lpi_list(vcpu, key, lr_caps.count), free;
	bool in = false;

	if (unlikely(v->lpi_kicks))
		vgic_kick_all(vcpu->vm, lpi_owed_kicks(v));
	if (!n)
		return true;
	free = n <= lr_caps.count ? room_for(vcpu, n) : 0;
	for (u32 k = 0; free && k < n; k++)
		in |= is_in(v, key[k] & 0xffff);
	if (!free || in) {
		lpi_again(v);
		return false;
	}
	for (u32 k = 0; k < n; k++, free &= free - 1)
		lpi_place(vcpu, key[k], (u32)__builtin_ctz(free));
	if (unlikely(v->lpi_kicks))
		vgic_kick_all(vcpu->vm, lpi_owed_kicks(v));
	return true;
}

/* ---- the fast path ---- */

/* The word of the LPI, *n, that a physical one is for; 0: it is not for this vcpu, or not now. */
static u32 for_vcpu(struct vcpu *vcpu, u32 pintid, u32 *n)
{
	const struct its_device *d = its_lpi(pintid);
	struct vm *vm = vcpu->vm;
	u32 word;

	if (!d || __atomic_load_n(&d->to, __ATOMIC_ACQUIRE) != vm ||
	    !vits_event(vm->vgic.its, d->slot, pintid - d->lpi, n) || !forwarded(vm))
		return 0;
	/* Held is said before: see take_for_lr(). */
	if (!vcpu->vgic.lpi_held)
		__atomic_store_n(&vcpu->vgic.lpi_held, true, __ATOMIC_SEQ_CST);
	word = __atomic_load_n(&vm->vgic.its->lpi[*n], __ATOMIC_SEQ_CST);
	return (word & VLPI_MAPPED) && (word & LPI_ENABLE) && target_of(vm, word) == vcpu ? word
											  : 0;
}

/* A list register for it: its own, if the last instance is over, or a free one; none: VGIC_LRS. */
static u32 lr_for(const struct vgic_vcpu *v, u32 intid)
{
	u32 free = ~(u32)v->lr_used & ((1u << lr_caps.count) - 1);

	for (u32 used = v->lr_lpi & v->lr_used; used; used &= used - 1) {
		u32 i = (u32)__builtin_ctz(used);

		if (v->lr_intid[i] == intid)
			return lr_empty() >> i & 1 ? i : VGIC_LRS;
		/* Another LPI's that is over: free too. By now it may be an SGI's or a PPI's. */
		if (!free && v->lr_intid[i] >= GIC_LPI && (lr_empty() >> i & 1))
			free = 1u << i;
	}
	return free ? (u32)__builtin_ctz(free) : VGIC_LRS;
}

/* Whether nothing else has to be done for the vcpu, and what it has is for the level it is in. */
static bool is_quiet(const struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;

	return v->where == VGIC_LOADED && !read_once(&v->stale) && !v->lpi_ready &&
	       (v->hcr & (VGIC_HCR_OVERFLOW | ICH_HCR_EN)) == ICH_HCR_EN &&
	       !(v->hcr & ICH_HCR_TRAPS) && !simd_chaos && !trace_on(vcpu) &&
	       (!vcpu->has_vel2 || (vcpu->in_vel2 && vgic_vel2_takes_all(vcpu)));
}

__attribute__((noinline)) bool vgic_lpi_now(struct vcpu *vcpu, u32 pintid)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 n, word, i;

	if (!is_quiet(vcpu) || !vcpu->vm->vgic.its)
		return false;
	word = for_vcpu(vcpu, pintid, &n);
	if (!word)
		return false;
	isb(); /* list registers may have been written since the exit */
	i = lr_for(v, GIC_LPI + n);
	if (i == VGIC_LRS)
		return false;
	write_lr(vcpu, i, GIC_LPI + n, word & LPI_PRIORITY);
	return true;
}

/* ---- whether one would be signalled ---- */

__attribute__((noinline)) void lpi_best(struct vcpu *vcpu, const struct vgic_interface *f,
					u32 *best, bool *group1)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 key, prio, n = lpi_list(vcpu, &key, 1);

	/* Others' that were found here: nobody else tells them. */
	if (unlikely(v->lpi_kicks))
		vgic_kick_all(vcpu->vm, lpi_owed_kicks(v));
	if (n) {
		lpi_again(v);
		prio = key >> 16 & lr_caps.prio_mask;
		if (prio >= *best || !vgic_can_signal(f, prio, true))
			return;
		*best = prio;
		*group1 = true;
	}
}

bool lpi_can_signal(struct vcpu *vcpu, const struct vgic_interface *f)
{
	u32 best = 256;
	bool group1;

	lpi_best(vcpu, f, &best, &group1);
	return best < 256;
}
