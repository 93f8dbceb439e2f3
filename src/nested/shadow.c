/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow stage 2: the pool of a VM's shadows, the references to them, and their memory. */
#include "nested/shadow.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/irq.h"
#include "arch/pgtable.h"
#include "arch/tcr.h"
#include "lib/check.h"
#include "mm/page.h"
#include "mm/tlb.h"
#include "mm/vmid.h"
#include "nested/shadow_tables.h"
#include "state/cpu.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vm.h"

_Static_assert(SHADOW_CPUS >= MAX_CPUS && SHADOW_VCPUS >= MAX_VCPUS, "by index");

/* Room for VMs without much RAM. */
#define PAGES_BASE 256
/*
 * Table pages by VM RAM: every page of RAM once, in 4 KiB pages, takes 1/512 of it in tables and as
 * much in the reverse map. Twice that.
 */
#define PAGES_RAM_SHIFT 7

/* Tables that are freed in one piece of work. */
#define UNMAKE_TABLES 256

/*
 * Pages that a vcpu's fault may take before the share of its shadow is checked: three tables each
 * for the shadow and its reverse map.
 */
#define PAGES_FAULT 8
/* Input addresses of at least so many bits begin at level 0, with one table. */
#define ROOT_PAGE_BITS 44U

/* What of VTCR_EL2 and VTTBR_EL2 is part of the key. */
#define VTCR_KEY                                                                                   \
	(VTCR_T0SZ_MASK | VTCR_SL0_MASK | VTCR_TG0_MASK | VTCR_PS_MASK | VTCR_VS | VTCR_HA |       \
	 VTCR_HD)
#define VTTBR_KEY (~VTTBR_CNP)

static struct shadow_pool *pool_of(const struct vm *vm)
{
	return vm->shadows;
}

u32 shadow_count(const struct vm *vm)
{
	return vm->shadows ? pool_of(vm)->count : 0;
}

struct shadow *shadow_at(struct vm *vm, u32 i)
{
	return &pool_of(vm)->s[i];
}

/* ---- memory ---- */

static u64 pages_of(const struct pgtable *pt)
{
	return __atomic_load_n(&pt->table_pages, __ATOMIC_RELAXED);
}

u64 shadow_own_pages(const struct shadow *s)
{
	return pages_of(&s->s2.pt) + pages_of(&s->rmap) + pages_of(&s->dead) +
	       pages_of(&s->dead_rmap);
}

u64 shadow_pages(const struct vm *vm)
{
	u64 n = 0;

	for (u32 i = 0; i < shadow_count(vm); i++)
		n += shadow_own_pages(&pool_of(vm)->s[i]);
	return n;
}

u64 shadow_pages_max(const struct vm *vm)
{
	return pool_of(vm)->max_pages;
}

static u64 vm_ram_size(const struct vm *vm)
{
	u64 size = 0;

	for (u32 i = 0; i < vm->ram_chunks; i++)
		size += vm->ram[i].size;
	return size;
}

/* ---- one shadow's life ---- */

static int make_tables(struct vm *vm, struct shadow *s)
{
	struct page_pool *pages = &pool_of(vm)->pages;
	u32 bits = vm->stage2.pt.ia_bits;
	int err = stage2_init_pool(&s->s2, bits, vm->stage2.pt.max_block, pages);

	if (err)
		return err;
	err = pgtable_init_pool(&s->rmap, PGTABLE_STAGE2, bits, GIB(1), &shadow_rmap_ops, pages);
	if (err)
		stage2_destroy(&s->s2);
	return err;
}

/* Free a piece of the tables set aside. True: there is more. */
static bool destroy_piece(struct shadow *s)
{
	return shadow_reap(s) || pgtable_destroy_piece(&s->rmap, UNMAKE_TABLES) ||
	       stage2_destroy_piece(&s->s2);
}

/*
 * Set the tables aside, to be freed piece by piece, and begin with empty ones. No CPU has them
 * loaded, and none are aside. False: no memory for that. Lock held.
 */
static bool set_tables_aside(struct shadow *s)
{
	struct pgtable pt, rmap;

	if (pgtable_init_pool(&pt, s->s2.pt.kind, s->s2.pt.ia_bits, s->s2.pt.max_block,
			      s->s2.pt.ops, s->s2.pt.pool))
		return false;
	if (pgtable_init_pool(&rmap, s->rmap.kind, s->rmap.ia_bits, s->rmap.max_block, s->rmap.ops,
			      s->rmap.pool)) {
		pgtable_destroy(&pt);
		return false;
	}
	pt.contiguous = s->s2.pt.contiguous;
	s->dead = s->s2.pt;
	s->dead.ops = &shadow_rmap_ops; /* no translation of it is left */
	s->dead_rmap = s->rmap;
	s->dead_at = 0;
	s->s2.pt = pt;
	s->rmap = rmap;
	s->s2.vttbr = (u64)s->s2.vmid << VTTBR_VMID_SHIFT | pt.root;
	tlb_invalidate_vmid(s->s2.vttbr);
	return true;
}

/* Whether it maps nothing and has nothing aside. */
static bool is_empty(const struct shadow *s)
{
	return !s->leaf_sizes && s->clearing == SHADOW_STAYS && !s->dead.root && !s->dead_rmap.root;
}

/*
 * One step of emptying an unreferenced shadow for reuse: in the end it maps nothing, and at most
 * its tables are aside. True: more steps. Freeing tables takes long, so those set aside earlier go
 * first; few at once, but many where there is no memory for new ones. Lock held.
 */
static bool recycle(struct shadow *s)
{
	__atomic_fetch_add(&s->seq, 1, __ATOMIC_RELEASE);
	s->used = false;
	if (!s->leaf_sizes && s->clearing == SHADOW_STAYS)
		return false;
	if (s->s2.pt.table_pages + s->rmap.table_pages <= SHADOW_PAGES_MIN) {
		while (shadow_clear_locked(s))
			;
		return false;
	}
	if (s->dead.root || s->dead_rmap.root) {
		(void)shadow_reap(s);
		return true;
	}
	if (!set_tables_aside(s))
		return shadow_clear_locked(s);
	s->clearing = SHADOW_STAYS;
	s->leaf_sizes = 0;
	return false;
}

/*
 * Adapt the number of address bits. vEL2's tables may cover more addresses than the VM's own, which
 * end with its RAM and devices: as many as its ID registers say. Larger tables mean longer walks,
 * so only a vEL2 that asks for them gets them. Without memory for it the shadow stays as it is, and
 * maps less. Empty, unreferenced; lock held.
 */
static void resize(const struct vm *vm, struct shadow *s)
{
	u32 bits = vm->stage2.pt.ia_bits;

	if (s->vm)
		bits = MAX(bits, (u32)s->shape.ia_bits);
	/*
	 * The root is one page, set aside at creation, not up to 16, which the allocator may not
	 * have.
	 */
	if (bits > vm->stage2.pt.ia_bits && bits < ROOT_PAGE_BITS && feat.pa_bits >= ROOT_PAGE_BITS)
		bits = ROOT_PAGE_BITS;
	if (bits != s->s2.pt.ia_bits)
		stage2_resize(&s->s2, bits);
}

bool shadow_reap(struct shadow *s)
{
	struct pgtable *pt = s->dead.root ? &s->dead : &s->dead_rmap;

	if (!pt->root)
		return false;
	if (shadow_unmap_piece(pt, &s->dead_at, BIT(pt->ia_bits)))
		return true;
	pgtable_destroy(pt);
	s->dead_at = 0;
	return s->dead_rmap.root;
}

/* ---- the pool ---- */

static u64 pages_share(const struct vm *vm)
{
	return (vm_ram_size(vm) >> PAGES_RAM_SHIFT >> PAGE_SHIFT) + PAGES_BASE;
}

u64 shadow_pages_needed(const struct vm *vm)
{
	/* Each shadow's two roots, twice while its former tables exist. */
	return pages_share(vm) +
	       (u64)vm->vcpu_count * (SHADOW_REFS * (SHADOW_PAGES_MIN + 4) + PAGES_FAULT);
}

int shadow_vm_init(struct vm *vm)
{
	u32 want = SHADOW_REFS * vm->vcpu_count, order = 0;
	struct shadow_pool *pool;
	u64 page;
	int err = 0;

	while ((PAGE_SIZE << order) < sizeof(*pool) + want * sizeof(pool->s[0]))
		order++;
	page = page_alloc(order);
	if (!page)
		return -ENOMEM;
	page_zero(page, PAGE_SIZE << order);
	pool = pa_ptr(pa(page));
	pool->order = order;
	vm->shadows = pool;
	err = page_pool_fill(&pool->pages, shadow_pages_needed(vm));
	for (; !err && pool->count < want; pool->count++) {
		err = make_tables(vm, &pool->s[pool->count]);
		if (err)
			break;
	}
	pool->refs = MIN(pool->count / vm->vcpu_count, (u32)SHADOW_REFS);
	if (!pool->refs) {
		while (shadow_vm_destroy_piece(vm))
			;
		return err;
	}
	pool->max_pages = pages_share(vm) + shadow_pages(vm);
	return 0;
}

static void drop_refs(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		vm->vcpus[i]->shadow = (struct shadow_vcpu){ 0 };
		vm->vcpus[i]->traps.vel1.valid = false;
		vm->vcpus[i]->shadow_walk = (struct shadow_walk){ 0 };
	}
}

bool shadow_vm_destroy_piece(struct vm *vm)
{
	struct shadow_pool *pool = pool_of(vm);

	if (!pool)
		return false;
	drop_refs(vm);
	if (pool->count) {
		if (!destroy_piece(&pool->s[pool->count - 1]))
			pool->count--;
		return true;
	}
	if (page_pool_empty_piece(&pool->pages))
		return true;
	vm->shadows = NULL;
	page_free(ptr_pa(pool).a, pool->order);
	return false;
}

bool shadow_vm_reset_piece(struct vm *vm, u32 *done)
{
	struct shadow *s;
	bool more;

	drop_refs(vm);
	if (*done == shadow_count(vm))
		return false;
	s = shadow_at(vm, *done);
	spin_lock(&s->s2.lock);
	s->used = false;
	s->users = 0;
	more = shadow_reap(s) || shadow_clear_locked(s);
	spin_unlock(&s->s2.lock);
	if (!more)
		++*done;
	return true;
}

/* ---- finding ---- */

struct key {
	u64 vttbr, vtcr;
	bool vm;
	u16 vmid;
};

static struct key key_now(const struct vcpu *vcpu)
{
	struct key k = {
		.vttbr = vel2_vttbr(vcpu) & VTTBR_KEY,
		.vtcr = vel2_vtcr(vcpu) & VTCR_KEY,
		.vm = vel2_hcr(vcpu) & (HCR_VM | HCR_DC),
	};

	/* Without stage 2 only the VMID counts. */
	if (!k.vm)
		k.vttbr &= VTTBR_VMID;
	return k;
}

static bool matches(const struct shadow *s, const struct key *k)
{
	return s->vttbr == k->vttbr && s->vtcr == k->vtcr && s->vm == k->vm && s->used;
}

static struct shadow *find_existing(struct shadow_pool *pool, const struct key *k)
{
	for (u32 i = 0; i < pool->count; i++)
		if (matches(&pool->s[i], k))
			return &pool->s[i];
	return NULL;
}

static bool is_better(const struct shadow *a, const struct shadow *b)
{
	bool a_dead = pages_of(&a->dead), b_dead = pages_of(&b->dead);

	return a_dead != b_dead ? b_dead : a->used_at < b->used_at;
}

/*
 * The unreferenced shadow that was wanted longest ago; preferably one whose former tables are
 * freed.
 */
static struct shadow *find_idle(struct shadow_pool *pool)
{
	struct shadow *best = NULL;

	for (u32 i = 0; i < pool->count; i++) {
		struct shadow *s = &pool->s[i];

		if (!s->users && (!best || is_better(s, best)))
			best = s;
	}
	return best;
}

/* Insert a reference at the front of vcpu's array, which is not full; pool lock held. */
static void push_ref(struct shadow_vcpu *refs, struct shadow *s)
{
	for (u32 i = refs->count++; i; i--)
		refs->ref[i] = refs->ref[i - 1];
	refs->ref[0] = s;
	s->users++;
}

static struct shadow *find_slow(struct vcpu *vcpu, struct key *k)
{
	struct shadow_pool *pool = pool_of(vcpu->vm);
	struct shadow_vcpu *refs = &vcpu->shadow;
	struct shadow *s;

	k->vmid = walk_vmid(k->vttbr, k->vtcr, &vcpu->vm->walk_feat);
	spin_lock(&pool->lock);
	if (refs->count == pool->refs)
		refs->ref[--refs->count]->users--;
	s = find_existing(pool, k);
	if (s) {
		push_ref(refs, s);
		s->used_at = ++pool->clock;
		spin_unlock(&pool->lock);
		return s;
	}
	/*
	 * There are at least as many shadows as references, and this vcpu holds one less than its
	 * share.
	 */
	s = find_idle(pool);
	CHECK(s);
	spin_lock(&s->s2.lock);
	if (unlikely(recycle(s))) {
		spin_unlock(&pool->lock);
		spin_unlock(&s->s2.lock);
		return NULL;
	}
	push_ref(refs, s);
	s->used_at = ++pool->clock;
	s->vttbr = k->vttbr;
	s->vtcr = k->vtcr;
	s->vm = k->vm;
	s->vmid = k->vmid;
	s->shape = walk_s2_shape(k->vttbr, k->vtcr, &vcpu->vm->walk_feat);
	resize(vcpu->vm, s);
	s->used = true;
	spin_unlock(&pool->lock);
	spin_unlock(&s->s2.lock);
	return s;
}

static __attribute__((noinline)) struct shadow *find_ref(struct vcpu *vcpu, struct key *k)
{
	struct shadow_vcpu *refs = &vcpu->shadow;

	vcpu->traps.vel1.valid = false; /* the level switch uses ref[0] (level.c) */
	for (u32 i = 0; i < refs->count; i++) {
		struct shadow *s = refs->ref[i];

		if (!matches(s, k))
			continue;
		for (; i; i--)
			refs->ref[i] = refs->ref[i - 1];
		refs->ref[0] = s;
		return s;
	}
	return find_slow(vcpu, k);
}

/* Use the second reference: a hypervisor and its guest take turns. */
static struct shadow *take_second(struct vcpu *vcpu)
{
	struct shadow **ref = vcpu->shadow.ref, *s = ref[1];

	vcpu->traps.vel1.valid = false; /* as find_ref() */
	ref[1] = ref[0];
	return ref[0] = s;
}

struct shadow *shadow_find(struct vcpu *vcpu)
{
	struct shadow_vcpu *refs = &vcpu->shadow;
	struct key k = key_now(vcpu);

	if (likely(refs->count && matches(refs->ref[0], &k)))
		return refs->ref[0];
	if (refs->count > 1 && matches(refs->ref[1], &k))
		return take_second(vcpu);
	return find_ref(vcpu, &k);
}

/* ---- work that takes long ---- */

void shadow_ask(struct vcpu *vcpu, u32 work)
{
	vcpu->shadow.work = work;
	__atomic_fetch_or(&vcpu->requests, REQ_WORK, __ATOMIC_RELAXED);
}

bool shadow_irq_waits(void)
{
	return sysreg_read(ISR_EL1) & (ISR_I | ISR_F);
}

bool shadow_ready(struct vcpu *vcpu)
{
	if (likely(shadow_find(vcpu)))
		return true;
	shadow_ask(vcpu, SHADOW_FIND);
	return false;
}

static bool find_work(struct vcpu *vcpu)
{
	while (!shadow_find(vcpu))
		if (shadow_irq_waits())
			return true;
	return false;
}

void shadow_work(struct vcpu *vcpu)
{
	u32 work = vcpu->shadow.work;
	bool more = work == SHADOW_TLBI ? tlbi_work(vcpu) : work == SHADOW_FIND && find_work(vcpu);

	vcpu->shadow.work = SHADOW_NO_WORK;
	if (more)
		shadow_ask(vcpu, work);
}

void shadow_load(struct vcpu *vcpu, struct shadow *s)
{
	u32 cpu = cpu_this()->index, me = vcpu->index + 1U;

	stage2_load(&s->s2);
	vcpu->shadow.mine = s;
	/*
	 * This vcpu must not see TLB entries that another vcpu left on this CPU, or that it
	 * invalidated only locally elsewhere; as tlb_take_over() for the VM's own VMID.
	 */
	if (likely(s->last_vcpu[cpu] == me && s->last_cpu[vcpu->index] == cpu + 1))
		return;
	isb();
	tlb_invalidate_vmid_local();
	s->last_vcpu[cpu] = (u8)me;
	s->last_cpu[vcpu->index] = (u8)(cpu + 1);
}

bool shadow_has_vmid(struct shadow *s, u16 vmid)
{
	bool has;

	spin_lock(&s->s2.lock);
	has = s->used && s->vmid == vmid;
	spin_unlock(&s->s2.lock);
	return has;
}

/* ---- making room ---- */

/* Do a step of emptying an unreferenced shadow; false: there is none with tables. */
static bool evict_idle(struct shadow_pool *pool)
{
	struct shadow *best = NULL;

	spin_lock(&pool->lock);
	for (u32 i = 0; i < pool->count; i++) {
		struct shadow *s = &pool->s[i];

		if (!s->users && (s->used || !is_empty(s)) && (!best || s->used_at < best->used_at))
			best = s;
	}
	if (best) {
		spin_lock(&best->s2.lock);
		(void)recycle(best);
		spin_unlock(&best->s2.lock);
	}
	spin_unlock(&pool->lock);
	return best;
}

/* Free a piece of any shadow's former tables. */
static bool reap_any(struct vm *vm)
{
	for (u32 i = 0; i < shadow_count(vm); i++) {
		struct shadow *s = shadow_at(vm, i);
		bool some;

		if (!pages_of(&s->dead) && !pages_of(&s->dead_rmap))
			continue;
		spin_lock(&s->s2.lock);
		some = s->dead.root || s->dead_rmap.root;
		if (some)
			(void)shadow_reap(s);
		spin_unlock(&s->s2.lock);
		if (some)
			return true;
	}
	return false;
}

bool shadow_make_room(struct vm *vm, struct shadow *own)
{
	if (reap_any(vm) || evict_idle(pool_of(vm)))
		return true;
	if (shadow_own_pages(own) <= SHADOW_PAGES_MIN)
		return false;
	shadow_clear(own);
	return true;
}
