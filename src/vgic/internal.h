/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of src/vgic. */
#pragma once

#include "arch/gicv3.h"
#include "dev/gicv3.h"
#include "state/mmio.h"
#include "lib/types.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/lr.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"

#define VGIC_NOBODY 0xff
/* Maintenance interrupts enabled while pending interrupts wait outside the list registers. */
#define VGIC_HCR_OVERFLOW                                                                          \
	(ICH_HCR_NPIE | ICH_HCR_GRP0_EIE | ICH_HCR_GRP0_DIE | ICH_HCR_GRP1_EIE | ICH_HCR_GRP1_DIE)
/* No JEP106 code is nidus's: Implementer 0 (as MIDR_EL1: "software use"), ProductID 'N', r0p0. */
#define VGIC_IIDR 0x4e000000u

/* SPIs 32 * n and up; under vgic.lock. */
struct spi32 {
	struct irq32 s;
	u32 assigned;  /* stands for a physical SPI, pintid */
	u32 hw_next;   /* the physical one fired while in a list register: handled at the fold */
	u32 any;       /* IROUTER.IRM: any vcpu */
	u32 route[32]; /* IROUTER's Aff3.Aff2.Aff1.Aff0 */
	/* index of the vcpu whose want[] or list registers have it, or VGIC_NOBODY */
	u8 owner[32];
};

struct vgic_spis {
	struct spi32 word[VGIC_WORDS]; /* the first is unused */
};

/* ---- irq32.c: 32 interrupts, no side effects ---- */

static inline u32 irq32_line(const struct irq32 *b)
{
	return __atomic_load_n(&b->line, __ATOMIC_ACQUIRE);
}

/* Write group or active, which vcpus look at without vgic.lock. */
static inline void irq32_set(u32 *word, u32 v)
{
	__atomic_store_n(word, v, __ATOMIC_RELAXED);
}

static inline u32 irq32_pending(const struct irq32 *b, u32 line)
{
	return b->latch | (line & ~b->edge) | (b->hw & ~b->active);
}

/* Those whose group is enabled in GICD_CTLR. */
static inline u32 irq32_groups(const struct irq32 *b, u32 ctlr)
{
	return (ctlr & GICD_CTLR_GRP0 ? ~b->group : 0) | (ctlr & GICD_CTLR_GRP1 ? b->group : 0);
}

/* Those that the distributor would forward to a CPU interface. */
static inline u32 irq32_deliverable(const struct irq32 *b, u32 ctlr)
{
	return b->enabled & irq32_groups(b, ctlr);
}

/* Read register op->reg of the interrupts in bits; priorities at byte n % 4. */
u64 irq32_read(const struct irq32 *b, const struct vgic_op *op, u32 bits);
/*
 * Write it (VGIC_ROUTE is spi.c's). Returns those whose physical interrupt thereby ends: to be
 * released.
 */
u32 irq32_write(struct irq32 *b, const struct vgic_op *op, u32 bits);
/* The physical interrupt behind bits fired. */
void irq32_hw_arrive(struct irq32 *b, u32 bits);
/* Deactivate the physical interrupts behind bits, which have ended. */
static inline void irq32_hw_release(struct irq32 *b, u32 bits)
{
	bits &= b->hw;
	b->hw &= ~bits;
	for (; bits; bits &= bits - 1)
		gicv3_deactivate(b->pintid[__builtin_ctz(bits)]);
}
/*
 * Sample the lines of waiting hardware-backed level-sensitive interrupts, which are pending only
 * while these are high.
 */
void irq32_hw_resample(struct irq32 *b, u32 bits);
/*
 * Of bits, which stand for physical interrupts, those that the machine's GIC has pending: for
 * active ones this is the line, for those that the guest has disabled whether they would fire.
 */
u32 irq32_hw_pending(const struct irq32 *b, u32 bits);
/* Whether op needs its interrupts out of the list registers. */
bool vgic_op_needs_fold(const struct vgic_op *op);

/* ---- spi.c ---- */

static inline struct spi32 *spi_word(struct vm *vm, u32 intid)
{
	return &vm->vgic.spis->word[intid / 32];
}

/*
 * Choose the vcpus for the SPIs bits of a word: update their want[] and mark them stale. Returns a
 * bit for each vcpu that must be kicked once the lock is released. The vcpu with index self flushes
 * anyway and is not included. Lock held.
 */
u32 spi_choose(struct vm *vm, u32 word, u32 bits, u32 self);
void vgic_kick_all(struct vm *vm, u32 vcpus);
/*
 * A vcpu has become less, or more, suitable for 1 of N interrupts: choose again for those that
 * wait. Takes the lock.
 */
void spi_choose_again(struct vm *vm);
/* Remove SPI n of a word from (add it to) a vcpu's want[]. Lock held. */
void spi_want(struct vcpu *vcpu, u32 word, u32 n, bool want);
/* Whether an SPI that vcpu is to get, or has active, would be routed to it again. Lock held. */
bool spi_stays(struct vcpu *vcpu, u32 intid);
/* Do op on the SPIs bits, none of which is in a list register; returns what is read. Lock held. */
u64 spi_apply(struct vm *vm, const struct vgic_op *op, u32 bits, u32 *kicks);
/*
 * Do op on SPIs wherever they are, for vcpu, which is in its run loop. False: it waits for other
 * vcpus; to be called with the same op again. *value is what is read.
 */
bool spi_access(struct vcpu *vcpu, const struct vgic_op *op, u64 *value) must_check;
/* Reset all SPIs, physical ones disabled and inactive; assignments stay. Lock held. */
void spi_reset(struct vm *vm);
/* Forget which physical SPIs the VM has. After spi_reset(); lock held. */
void spi_release_all(struct vm *vm);
/* The vcpu with these affinity fields (as in MPIDR_EL1), or NULL. */
struct vcpu *vgic_find_vcpu(struct vm *vm, u64 affinity);

/* ---- signal.c ---- */

/* The state of a virtual CPU interface that decides on priorities. */
struct vgic_interface {
	u64 vmcr;
	u32 active[4]; /* active priorities of both groups */
};
/* Of a vcpu: from this CPU's registers if loaded, else from memory. */
struct vgic_interface vgic_interface(const struct vgic_vcpu *v);
/* The bit of the active priority registers that an interrupt of this priority and group sets. */
u32 vgic_prio_bit(const struct vgic_interface *f, u32 prio, bool group1);
/* Whether an interrupt of this priority and group is acknowledged and not yet dropped. */
bool vgic_prio_active(const struct vgic_interface *f, u32 prio, bool group1);
/* Whether a pending interrupt of this priority and group would be signalled. */
bool vgic_can_signal(const struct vgic_interface *f, u32 prio, bool group1);
/* Whether list register content lr would be. */
bool vgic_lr_signals(const struct vgic_interface *f, u64 lr);

/* ---- deliver.c ---- */

/* The vcpu's interface has these groups enabled now: 1 of N interrupts are routed again. */
void vgic_groups_changed(struct vcpu *vcpu, u8 on);

/*
 * Publish the group enables of vmcr (ICH_VMCR_EL2), which the guest changes without an exit. True:
 * they have changed, and the vcpu may have got, or lost, an SPI by it. Only the vcpu's own CPU,
 * without vgic.lock.
 */
static inline bool vgic_groups_seen(struct vcpu *vcpu, u64 vmcr)
{
	u8 on = vmcr & (ICH_VMCR_ENG0 | ICH_VMCR_ENG1);

	if (likely(vcpu->vgic.groups_on == on))
		return false;
	vgic_groups_changed(vcpu, on);
	return true;
}

/* Move SGIs sent and lines that rose into priv.latch. */
void vgic_collect(struct vgic_vcpu *v);
/*
 * Handle the causes in this CPU's ICH_MISR_EL2; the maintenance interrupt's line is low then.
 * Loaded.
 */
void vgic_maintenance_clear(struct vcpu *vcpu);
/*
 * ICH_HCR_EL2 while everything fits into the list registers; vmcr: ICH_VMCR_EL2. With EOImode 1 a
 * guest may deactivate what another vcpu acknowledged: that counts as an EOI without a list
 * register, or traps once it was seen to happen.
 */
static inline u64 vgic_hcr_base(struct vcpu *vcpu, u64 vmcr)
{
	if (!(vmcr & ICH_VMCR_EOIM))
		return vcpu->vgic.hcr_en;
	if (lr_caps.tdir && __atomic_load_n(&vcpu->vm->vgic.dir_traps, __ATOMIC_RELAXED))
		return vcpu->vgic.hcr_en | ICH_HCR_TDIR;
	return vcpu->vgic.hcr_en | ICH_HCR_LRENPIE;
}

/* Free list registers, not those of keep, of private interrupts and LPIs that have ended. */
void vgic_retire(struct vcpu *vcpu, u32 keep);

/* Have list register i, which is pending, checked until it is acknowledged. */
static inline void vgic_wait_in(struct vgic_vcpu *v, u32 i)
{
	v->lr_waits |= (u16)(1u << i);
	v->waits |= v->lr_spi >> i & 1 ? VGIC_WAITS_SPI : 1;
	v->redeliver.mask = 0;
}

/* Whether b has at least as many bits set as a. */
static inline bool vgic_fits(u32 a, u32 b)
{
	for (; a && b; a &= a - 1)
		b &= b - 1;
	return !a;
}

/* ---- line.c ---- */

/*
 * Those of b that wait outside the list registers, pending only as long as their physical line is
 * high.
 */
static inline u32 vgic_waiting(const struct irq32 *b)
{
	return b->hw & ~b->active & ~b->edge & ~b->inlr;
}
/*
 * End private interrupts that wait in memory for a physical line that has fallen. Returns the lines
 * of the machine's timers that are level-sensitive. loaded: on this CPU.
 */
u32 vgic_drop_ppis(struct vcpu *vcpu, bool loaded);
/* The same for the SPIs in vcpu's want[]; returns vcpus to kick. One MMIO read each. Lock held. */
u32 vgic_drop_spis(struct vcpu *vcpu);
/*
 * If vgic_vcpu.waits: withdraw pending interrupts from the list registers whose physical line has
 * fallen. Reads the timers; MMIO for an SPI that is pending. No lock held; takes vgic.lock if one
 * has to be withdrawn. Loaded.
 */
void vgic_check_lines(struct vcpu *vcpu);

/* ---- private.c ---- */

/*
 * Do op on private interrupts, which are in no list register; returns what is read. loaded: on this
 * CPU.
 */
u64 private_apply(struct vcpu *vcpu, const struct vgic_op *op, bool loaded);
/* Do op on private interrupts of any vcpu, for vcpu self; like spi_access(). */
bool private_access(struct vcpu *self, struct vcpu *target, const struct vgic_op *op,
		    u64 *value) must_check;
/* Deactivate the interrupt of this INTID (bits 23:0) wherever it is; AGAIN: not done yet. */
enum verdict vgic_deactivate(struct vcpu *vcpu, u64 intid);

static inline struct irq32 *vgic_word(struct vcpu *vcpu, u32 intid)
{
	return intid < 32 ? &vcpu->vgic.priv : &spi_word(vcpu->vm, intid)->s;
}

/* Mark v: it has something to do before its next entry; the data was written before. */
static inline void vgic_mark(struct vgic_vcpu *v, bool full)
{
	if (full)
		__atomic_store_n(&v->full, true, __ATOMIC_RELEASE);
	__atomic_store_n(&v->stale, true, __ATOMIC_RELEASE);
}

/* ---- remote.c ---- */

/* Begin a call from the run loop that may post to other vcpus: it has its full waiting time. */
static inline void vgic_ask_begin(struct vcpu *vcpu)
{
	vcpu->vgic.ask.until = 0;
}

/*
 * Get op done on target's interrupts, with its list registers folded: by its own CPU if it is
 * loaded, else here. op->mask becomes what was done, op->data what was read. No lock held;
 * meanwhile serves operations posted to self. False: not done within 20 microseconds of the first
 * wait since vgic_ask_begin(); to be called again for the same target and op, after interrupts and
 * requests, until it is done, or vgic_ask_drop().
 */
bool vgic_remote(struct vcpu *self, struct vcpu *target, struct vgic_op *op) must_check;
/* Whether op is the one at which self->vgic.ask stopped. */
bool vgic_ask_matches(const struct vgic_ask *a, const struct vgic_op *op);
/* Serve an operation that another vcpu posted to this one, whose list registers are folded. */
void vgic_remote_serve(struct vcpu *self);

/* ---- dist.c, redist.c, regs.c ---- */

/*
 * Decode an access at offset of GICD or SGI_base into an operation; false: reserved there, RAZ/WI.
 */
bool vgic_regs_decode(u32 offset, const struct mmio *m, struct vgic_op *op);
/* The result of op in the format of the access. */
u64 vgic_regs_value(u32 offset, const struct mmio *m, const struct vgic_op *op, u64 read);
/* Component identification registers of a frame. */
u32 vgic_regs_id(u32 offset);
mmio_fn vgic_dist_access, vgic_redist_access;

/* ---- nested_page.c: vEL2's view of its virtual interface ---- */

#define PAGE_LR(n) (VNCR_ICH_LR0_EL2 + 8 * (n))

/*
 * All of vEL2's list registers, ORed, possibly with slots of some that it does not have: mostly
 * none is in use. Not to be called while the vcpu is in the guest.
 */
static inline u64 vgic_page_lrs(const struct vcpu *vcpu)
{
	const u64 *lr = &vcpu->vncr[PAGE_LR(0) / 8];
	u64 all = 0;

	for (u32 n = 0; n < lr_caps.count; n += 4)
		all |= lr[n] | lr[n + 1] | lr[n + 2] | lr[n + 3];
	return all;
}

/* vEL2's ICH_HCR_EL2: the bits that its machine has. */
u64 vgic_page_hcr(const struct vcpu *vcpu);
/* ---- nested.c ---- */

/* vgic_vcpu.hcr_en while the list registers are vEL2's: vEL2's traps are for vEL1. */
u64 vgic_shared_hcr(const struct vcpu *vcpu);

/*
 * Whether vEL2's interface is on and ICH_MISR_EL2, as its page has it, is not 0. lrs:
 * vgic_page_lrs(), or more.
 */
bool vgic_page_maintenance(struct vcpu *vcpu, u64 lrs);
