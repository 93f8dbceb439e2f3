/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of a VM's ITS (IHI0069, 5.3). One that is no good is ignored, as the specification lets
 * an ITS choose; each is done before CREADR goes past it, so SYNC has nothing to wait for.
 */
#include "dev/its.h"
#include "lib/log.h"
#include "state/cpu.h"
#include "vgic/internal.h"
#include "vgic/its.h"
#include "vgic/lpi.h"

/* One call's work: commands, or what costs as much. */
#define BUDGET 32
#define EVENTS_A_UNIT 32u  /* unmapped with their device */
#define INVALL_PIECE 1024u /* LPIs looked at in one call */
#define TOLD_MAX 8

/* ---- devices, events, collections ---- */

static struct vits_device *find_device(struct vits *its, u32 id)
{
	for (u32 i = 0; i < its->devices; i++) {
		struct vits_device *d = &its->device[i];

		if (d->id == id && (d->phys || d->bits))
			return d;
	}
	return NULL;
}

/* The device, or one of the soft ones for it. */
static struct vits_device *claim_device(struct vits *its, u32 id)
{
	struct vits_device *d = find_device(its, id);

	for (u32 i = 0; !d && i < its->devices; i++)
		if (!its->device[i].phys && !its->device[i].bits) {
			d = &its->device[i];
			d->id = id;
		}
	return d;
}

/* The event that a command names, if its device is mapped and has it; or NULL. */
static u32 *find_event(struct vits *its, const u64 *w, struct vits_device **device)
{
	struct vits_device *d = find_device(its, ITS_DEVICE(w));
	u32 e = ITS_EVENT(w);

	*device = d;
	return d && d->bits && e < d->count && e < BIT(d->bits) ? &its->event[d->first + e] : NULL;
}

/* The same if it is mapped: its LPI, less 8192, to *n. */
static u32 *find_mapped(struct vits *its, const u64 *w, struct vits_device **device, u32 *n)
{
	u32 *event = find_event(its, w, device);

	*n = event ? VITS_EVENT_LPI(*event) : 0;
	return event && (*event & VITS_EVENT_VALID) ? event : NULL;
}

/* Whether a table has an entry of this number: ours are all of 8 bytes. */
static bool table_has(u64 baser, u64 n)
{
	return (baser & GITS_BASE_VALID) &&
	       n < GITS_BASE_SIZE(baser) * GITS_BASER_PAGE_SIZE(baser) / VITS_ITT_ENTRY;
}

static bool is_collection(const struct vits *its, u32 icid)
{
	return icid < VITS_COLLECTIONS && table_has(its->baser[1], icid);
}

/* The vcpu that a command means by its number (GITS_TYPER.PTA = 0), or NULL. */
static struct vcpu *vcpu_of(const struct vm *vm, u64 rdbase)
{
	u64 n = rdbase >> ITS_RDBASE_SHIFT;

	return n < vm->vcpu_count ? vm->vcpus[n] : NULL;
}

/* ---- properties ---- */

/* LPI n's byte of the VM's table; one that is not RAM, or not in the table, is disabled. */
static u32 property(struct vm *vm, u32 n)
{
	u64 base = vm->vgic.its->propbaser;
	u8 v = 0;

	if (GIC_LPI + n >= BIT(GICR_PROPBASER_IDS(base)) ||
	    vm_read(vm, ipa(GICR_PROPBASER_PA(base) + n), &v, 1))
		return 0;
	return v & (LPI_PRIORITY | LPI_ENABLE);
}

/*
 * Read it, for an LPI that is mapped: from now on it counts. True: it has changed; in list
 * registers it is as it was before (lpi_recall()).
 */
static bool refresh(struct vm *vm, u32 n)
{
	u32 old = __atomic_load_n(&vm->vgic.its->lpi[n], __ATOMIC_RELAXED);
	u32 new = property(vm, n);

	if (!(old & VLPI_MAPPED))
		return false;
	vgic_kick_all(vm, lpi_set(vm, n, (old & ~0xffu & ~(u32)VLPI_LATCHED) | new));
	return (old ^ new) & 0xff;
}

/* ---- commands: true, done; false, no good ---- */

static void unmap_event(struct vm *vm, u32 *event)
{
	u32 v = __atomic_exchange_n(event, 0, __ATOMIC_SEQ_CST);

	if (!(v & VITS_EVENT_VALID))
		return;
	(void)lpi_set(vm, VITS_EVENT_LPI(v), 0);
	(void)lpi_withdraw(vm, VITS_EVENT_LPI(v));
}

static bool mapd(struct vm *vm, const u64 *w, int *budget)
{
	struct vits *its = vm->vgic.its;
	bool valid = w[2] & ITS_VALID;
	u32 id = ITS_DEVICE(w), bits = ITS_EVENT_BITS(w);
	struct vits_device *d;

	if (id >> VITS_DEVICE_BITS || !table_has(its->baser[0], id))
		return false;
	d = valid ? claim_device(its, id) : find_device(its, id);
	if (!d)
		return !valid;
	for (u32 i = 0; d->bits && i < d->count; i++)
		unmap_event(vm, &its->event[d->first + i]);
	lpi_recall(vm);
	*budget -= (int)(d->count / EVENTS_A_UNIT);
	d->bits = valid ? MIN(bits, 16u) : 0;
	return true;
}

static bool mapc(struct vm *vm, const u64 *w)
{
	struct vits *its = vm->vgic.its;
	struct vcpu *vcpu = vcpu_of(vm, ITS_RDBASE(w, 2));
	bool valid = w[2] & ITS_VALID;

	if (!is_collection(its, ITS_ICID(w)) || (valid && !vcpu))
		return false;
	__atomic_store_n(&its->collection[ITS_ICID(w)], valid ? vcpu->index : (u8)VITS_NOBODY,
			 __ATOMIC_SEQ_CST);
	return true;
}

/* The LPI of the machine behind an event goes to the CPU where its vcpu is. */
static void route(struct vm *vm, struct vits_device *d, u32 e, u32 icid)
{
	u32 at = vits_target(vm->vgic.its, icid);
	const struct cpu *cpu = at < vm->vcpu_count ? read_once(&vm->vcpus[at]->cpu) : NULL;

	if (d->phys && cpu)
		its_route(d->phys, e, &cpu->hw);
}

static bool mapti(struct vm *vm, const u64 *w, u32 intid)
{
	struct vits *its = vm->vgic.its;
	struct vits_device *d;
	u32 *event = find_event(its, w, &d), icid = ITS_ICID(w), n = intid - GIC_LPI;

	if (!event || n >= GIC_LPIS || !is_collection(its, icid))
		return false;
	unmap_event(vm, event);
	lpi_recall(vm);
	vgic_kick_all(vm, lpi_set(vm, n, property(vm, n) | (u32)VLPI_MAPPED | icid << VLPI_ICID));
	__atomic_store_n(event, (u32)VITS_EVENT_VALID | n, __ATOMIC_SEQ_CST);
	route(vm, d, ITS_EVENT(w), icid);
	return true;
}

static bool movi(struct vm *vm, const u64 *w)
{
	struct vits *its = vm->vgic.its;
	struct vits_device *d;
	u32 n, old, *event = find_mapped(its, w, &d, &n), icid = ITS_ICID(w);

	if (!event || !is_collection(its, icid))
		return false;
	old = __atomic_load_n(&its->lpi[n], __ATOMIC_RELAXED);
	if (!(old & VLPI_MAPPED))
		return false;
	vgic_kick_all(vm, lpi_set(vm, n, (old & 0x1ff) | icid << VLPI_ICID));
	/* Pending, it moves too; in a list register, when that is folded. */
	if (lpi_withdraw(vm, n))
		vgic_kick_all(vm, lpi_post(vm, n));
	lpi_recall(vm);
	route(vm, d, ITS_EVENT(w), icid);
	return true;
}

static bool movall(struct vm *vm, const u64 *w)
{
	struct vcpu *from = vcpu_of(vm, ITS_RDBASE(w, 2)), *to = vcpu_of(vm, ITS_RDBASE(w, 3));

	if (!from || !to)
		return false;
	lpi_move_all(vm, from, to);
	return true;
}

/* INT, CLEAR, INV, DISCARD: of an event that is mapped. */
static bool on_event(struct vm *vm, const u64 *w)
{
	struct vits_device *d;
	u32 n, *event = find_mapped(vm->vgic.its, w, &d, &n);

	if (!event)
		return false;
	switch (ITS_CMD(w)) {
	case ITS_INT:
		vgic_kick_all(vm, lpi_post(vm, n));
		break;
	case ITS_CLEAR:
		/* What is in a list register may be delivered yet, as by a CPU interface. */
		(void)lpi_withdraw(vm, n);
		break;
	case ITS_INV:
		if (refresh(vm, n))
			lpi_recall(vm);
		break;
	default:
		unmap_event(vm, event);
		lpi_recall(vm);
	}
	return true;
}

/* A piece; progress is 0 again when all is done. */
static bool invall(struct vm *vm, const u64 *w, int *budget)
{
	struct vits *its = vm->vgic.its;
	u32 icid = ITS_ICID(w), end = its->progress + INVALL_PIECE;
	bool changed = false;

	if (!is_collection(its, icid))
		return false;
	for (u32 n = its->progress; n < end; n++) {
		u32 v = __atomic_load_n(&its->lpi[n], __ATOMIC_RELAXED);

		if ((v & VLPI_MAPPED) && VLPI_ICID_OF(v) == icid)
			changed |= refresh(vm, n);
	}
	if (changed)
		lpi_recall(vm);
	*budget -= BUDGET / 2;
	its->progress = end < GIC_LPIS ? end : 0;
	return true;
}

static bool command(struct vm *vm, const u64 *w, int *budget)
{
	switch (ITS_CMD(w)) {
	case ITS_MAPD:
		return mapd(vm, w, budget);
	case ITS_MAPC:
		return mapc(vm, w);
	case ITS_MAPTI:
		return mapti(vm, w, ITS_PINTID(w));
	case ITS_MAPI:
		return mapti(vm, w, ITS_EVENT(w));
	case ITS_MOVI:
		return movi(vm, w);
	case ITS_MOVALL:
		*budget -= BUDGET / 2;
		return movall(vm, w);
	case ITS_INT:
	case ITS_CLEAR:
	case ITS_INV:
	case ITS_DISCARD:
		return on_event(vm, w);
	case ITS_INVALL:
		return invall(vm, w, budget);
	case ITS_SYNC:
		return vcpu_of(vm, ITS_RDBASE(w, 2));
	}
	return false;
}

bool vits_has_commands(const struct vits *its)
{
	return its->ctlr && (its->cbaser & GITS_BASE_VALID) && its->creadr != its->cwriter;
}

void vits_run(struct vm *vm)
{
	struct vits *its = vm->vgic.its;
	u64 base = GITS_CBASER_PA(its->cbaser), w[ITS_WORDS] = { 0 };
	u32 size = GITS_BASE_SIZE(its->cbaser) * (u32)PAGE_SIZE;

	for (int budget = BUDGET; budget > 0 && vits_has_commands(its); budget--) {
		/* A copy: the VM may change it meanwhile. */
		bool good = !vm_read(vm, ipa(base + its->creadr), w, sizeof(w));

		good = good && command(vm, w, &budget);
		if (!good && its->told < TOLD_MAX) {
			its->told++;
			log_line("vm %s: its: command at 0x%x is no good, and ignored: 0x%lx 0x%lx "
				 "0x%lx%s",
				 vm->config->name, its->creadr, w[0], w[1], w[2],
				 its->told == TOLD_MAX ? "; no more is said" : "");
		}
		/* Not if it was another one when that began: it is read anew for each piece. */
		if (good && ITS_CMD(w) == ITS_INVALL && its->progress)
			continue;
		its->progress = 0;
		its->creadr = (its->creadr + ITS_COMMAND) % size;
	}
}
