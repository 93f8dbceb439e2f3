/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the vgic tests: a model of the hardware beneath nidus, written from IHI0069. Each fake CPU
 * has a virtual CPU interface (list registers and what a guest's ICC_* accesses do to them) and a
 * physical GIC that knows enabled, active and pending. Included by one test program each.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/gicv3.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "dev/gicv3.h"
#include "mm/page.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/lr.h"
#include "vgic/vgic.h"
#include "state/timers.h"

#define GICD_AT 0x8000000UL
#define GICR_AT 0x80a0000UL
#define PHYS_GICD 0x100000000UL
#define PHYS_GICR 0x200000000UL
#define CPUS FAKE_CPUS
#define SPURIOUS 1023u

/* ---- stand-ins for the rest of nidus that the vgic calls ---- */

struct cpu cpus[MAX_CPUS];
u32 cpu_count = CPUS;
static struct vm vm;
static struct vcpu vcpu[MAX_VCPUS];
static struct vm_config config;
static unsigned kicks[MAX_VCPUS];

struct cpu *cpu_this(void)
{
	return &cpus[fake_cpu];
}

u64 page_alloc(u32 order)
{
	return (u64)malloc(PAGE_SIZE << order);
}

void page_free(u64 at, u32 order)
{
	(void)order;
	free((void *)at);
}

int mmio_add(struct mmio_bus *bus, u64 base, u64 size, mmio_fn *fn, void *dev)
{
	bus->region[bus->count++] = (struct mmio_region){ base, size, fn, dev };
	return 0;
}

void vcpu_kick(struct vcpu *v)
{
	kicks[v->index]++;
}

static inline int cpu_of(const struct vcpu *v)
{
	return v->loaded_cpu ? (int)v->loaded_cpu->index : -1;
}

/* The vcpu's CPU answers at once, unless the test says otherwise. */
static bool deaf;
void vcpu_request(struct vcpu *v, u32 request)
{
	int self = fake_cpu;

	v->requests |= request;
	kicks[v->index]++;
	if (deaf || cpu_of(v) < 0)
		return;
	fake_cpu = cpu_of(v);
	v->requests = 0;
	vgic_serve_sync(v);
	fake_cpu = self;
}

/* ---- physical GIC ---- */

static struct {
	u32 enabled, active, pending; /* of a word; pending: latch, or the line */
	u32 edge;
} phys[CPUS][VGIC_WORDS];  /* words above the first: only [0] */
static unsigned phys_mmio; /* accesses */
static bool waits;         /* the last access of a vcpu to the GIC has to be repeated */

static inline u32 *phys_word(u32 offset, u32 w, int cpu)
{
	u32 c = w ? 0 : (u32)cpu;

	switch (offset & ~0x7fu) {
	case GICD_ISENABLER:
	case GICD_ICENABLER:
		return &phys[c][w].enabled;
	case GICD_ISPENDR:
	case GICD_ICPENDR:
		return &phys[c][w].pending;
	case GICD_ISACTIVER:
	case GICD_ICACTIVER:
		return &phys[c][w].active;
	}
	return NULL;
}

static inline u64 phys_access(u32 offset, int cpu, bool sgi_base, bool write, u64 v)
{
	u32 w = offset % 0x80 / 4;
	u32 *word = offset < GICD_IPRIORITYR ? phys_word(offset, sgi_base ? 0 : w, cpu) : NULL;

	phys_mmio++;
	if (!word)
		return 0;
	if (!write)
		return *word;
	*word = (offset & 0x80) && offset >= GICD_ICENABLER ? *word & ~(u32)v : *word | (u32)v;
	return 0;
}

static inline u64 phys_gicd(u64 at, unsigned size, bool write, u64 v)
{
	(void)size;
	return phys_access((u32)(at - PHYS_GICD), 0, false, write, v);
}

static inline u64 phys_gicr(u64 at, unsigned size, bool write, u64 v)
{
	u64 offset = at - PHYS_GICR;
	int cpu = (int)(offset / GICR_SIZE);

	(void)size;
	offset %= GICR_SIZE;
	if (!write && offset == GICR_TYPER)
		return (u64)cpu << 32 | (cpu == CPUS - 1 ? GICR_TYPER_LAST : 0);
	if (offset < GICR_SGI)
		return 0;
	return phys_access((u32)offset - GICR_SGI, cpu, true, write, v);
}

static inline bool phys_active(u32 intid, int cpu)
{
	return phys[intid < 32 ? cpu : 0][intid / 32].active >> intid % 32 & 1;
}

static inline void phys_deactivate(u32 intid)
{
	phys[intid < 32 ? fake_cpu : 0][intid / 32].active &= ~(1u << intid % 32);
}

static inline void on_dir(u64 v)
{
	phys_deactivate((u32)v);
}

/*
 * A device raises physical interrupt intid; true: it fires on the current CPU (acknowledged,
 * dropped).
 */
static inline bool phys_fire(u32 intid, bool level)
{
	int c = intid < 32 ? fake_cpu : 0;
	u32 bit = 1u << intid % 32, w = intid / 32;

	phys[c][w].pending |= bit;
	if (!(phys[c][w].enabled & bit) || (phys[c][w].active & bit))
		return false;
	if (!level)
		phys[c][w].pending &= ~bit;
	phys[c][w].active |= bit;
	return true;
}

/*
 * Lines of a vcpu's timers that wait or are active, by the physical GIC; none falls while the vcpu
 * is not loaded, because its registers and its offset do not change.
 */
u32 vtimer_lines(const struct vcpu *v, bool loaded)
{
	u32 lines = loaded ? phys[fake_cpu][0].pending & ~v->vgic.priv.hw & 0xffff0000
			   : v->vgic.priv.hw;

	for (u32 n = 16; loaded && n < 32; n++)
		if ((v->vgic.priv.hw >> n & 1) &&
		    (phys[fake_cpu][0].pending >> v->vgic.priv.pintid[n] & 1))
			lines |= 1u << n;
	return lines;
}

/* ---- virtual CPU interface ---- */

static const char *const lr_name[] = {
	"ICH_LR0_EL2", "ICH_LR1_EL2", "ICH_LR2_EL2", "ICH_LR3_EL2",
	"ICH_LR4_EL2", "ICH_LR5_EL2", "ICH_LR6_EL2", "ICH_LR7_EL2",
};
static u32 hw_lrs = 4;

static inline u64 lr_get(u32 i)
{
	return fake_get(lr_name[i]);
}

static inline void lr_put(u32 i, u64 v)
{
	fake_set(lr_name[i], v);
}

static inline u64 read_elrsr(u64 stored)
{
	u64 v = 0;

	(void)stored;
	for (u32 i = 0; i < hw_lrs; i++)
		if (!(lr_get(i) & ICH_LR_STATE) &&
		    (lr_get(i) & (ICH_LR_HW | ICH_LR_EOI)) != ICH_LR_EOI)
			v |= BIT(i);
	return v;
}

/*
 * Interrupts that the guest has acknowledged on this CPU's interface: active priorities. 5
 * preemption bits.
 */
static inline u32 hw_running(void)
{
	u32 ap = (u32)(fake_get("ICH_AP0R0_EL2") | fake_get("ICH_AP1R0_EL2"));

	return ap ? (u32)__builtin_ctz(ap) << 3 : 0x100;
}

static inline int hw_best(void)
{
	u64 vmcr = fake_get("ICH_VMCR_EL2");
	int best = -1;
	u32 prio = 0xff;

	if (!(fake_get("ICH_HCR_EL2") & ICH_HCR_EN))
		return -1;
	for (u32 i = 0; i < hw_lrs; i++) {
		u64 lr = lr_get(i);

		if ((lr & ICH_LR_STATE) != ICH_LR_PENDING)
			continue;
		if (!(vmcr & (lr & ICH_LR_GROUP1 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0)))
			continue;
		if (FIELD(lr, 55, 48) < prio) {
			prio = (u32)FIELD(lr, 55, 48);
			best = (int)i;
		}
	}
	if (best < 0 || prio >= ICH_VMCR_PMR(vmcr) || (prio & 0xf8) >= hw_running())
		return -1;
	return best;
}

/* vIRQ or vFIQ is asserted. */
static inline bool hw_signal(void)
{
	return hw_best() >= 0;
}

/* ICC_IAR<group>_EL1. */
static inline u32 hw_ack(u32 group)
{
	int i = hw_best();
	const char *ap = group ? "ICH_AP1R0_EL2" : "ICH_AP0R0_EL2";
	u64 lr;

	if (i < 0 || !!(lr_get((u32)i) & ICH_LR_GROUP1) != group)
		return SPURIOUS;
	lr = lr_get((u32)i);
	assert_false((lr & ICH_LR_HW) && !phys_active((u32)FIELD(lr, 44, 32), fake_cpu));
	lr_put((u32)i, (lr & ~ICH_LR_PENDING) | ICH_LR_ACTIVE);
	fake_set(ap, fake_get(ap) | BIT(FIELD(lr, 55, 51)));
	return (u32)lr;
}

static inline int hw_find_active(u32 intid)
{
	int found = -1;

	for (u32 i = 0; i < hw_lrs; i++)
		if ((lr_get(i) & ICH_LR_ACTIVE) && (u32)lr_get(i) == intid)
			found = (int)i;
	return found;
}

static inline void hw_deactivate(u32 i)
{
	u64 lr = lr_get(i);

	if (lr & ICH_LR_HW)
		phys_deactivate((u32)FIELD(lr, 44, 32));
	lr_put(i, lr & ~ICH_LR_ACTIVE);
}

static inline void hw_count(void)
{
	fake_set("ICH_HCR_EL2", fake_get("ICH_HCR_EL2") + BIT(27));
}

/* ICC_EOIR<group>_EL1. */
static inline void hw_eoi(u32 intid, u32 group)
{
	bool split = fake_get("ICH_VMCR_EL2") & ICH_VMCR_EOIM;
	const char *ap = group ? "ICH_AP1R0_EL2" : "ICH_AP0R0_EL2";
	u64 v = fake_get(ap);
	int i = hw_find_active(intid);
	u32 drop;

	if (!v)
		return;
	drop = (u32)__builtin_ctzl(v);
	fake_set(ap, v & (v - 1));
	if (i < 0) {
		if (!split && intid < 8192)
			hw_count();
		return;
	}
	if (split && intid < 8192)
		return;
	if (!!(lr_get((u32)i) & ICH_LR_GROUP1) == group && FIELD(lr_get((u32)i), 55, 51) == drop)
		hw_deactivate((u32)i);
}

/* ICC_DIR_EL1 */
static inline void hw_dir(struct vcpu *v, u32 intid)
{
	int i = hw_find_active(intid);

	if (fake_get("ICH_HCR_EL2") & ICH_HCR_TDIR) {
		enum verdict verdict;

		while ((verdict = vgic_dir(v, intid)) == AGAIN && !deaf)
			;
		assert_int_equal(verdict, deaf ? AGAIN : SKIP);
		return;
	}
	if (!(fake_get("ICH_VMCR_EL2") & ICH_VMCR_EOIM))
		return;
	if (i < 0)
		hw_count();
	else
		hw_deactivate((u32)i);
}

/* ICH_MISR_EL2 of the hardware. */
static inline u64 hw_misr(u64 stored)
{
	u64 hcr = fake_get("ICH_HCR_EL2"), vmcr = fake_get("ICH_VMCR_EL2"), m = 0;
	u32 valid = 0, pending = 0;

	(void)stored;
	for (u32 i = 0; i < hw_lrs; i++) {
		u64 l = lr_get(i);

		valid += !!(l & ICH_LR_STATE);
		pending += (l & ICH_LR_STATE) == ICH_LR_PENDING;
		if ((l & (ICH_LR_STATE | ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI)
			m |= 1;
	}
	m |= (hcr & ICH_HCR_UIE) && valid < 2 ? 2 : 0;
	m |= (hcr & ICH_HCR_LRENPIE) && ICH_HCR_EOICOUNT(hcr) ? 4 : 0;
	m |= (hcr & ICH_HCR_NPIE) && !pending ? 8 : 0;
	m |= (hcr & ICH_HCR_GRP0_EIE) && (vmcr & ICH_VMCR_ENG0) ? 0x10 : 0;
	m |= (hcr & ICH_HCR_GRP0_DIE) && !(vmcr & ICH_VMCR_ENG0) ? 0x20 : 0;
	m |= (hcr & ICH_HCR_GRP1_EIE) && (vmcr & ICH_VMCR_ENG1) ? 0x40 : 0;
	m |= (hcr & ICH_HCR_GRP1_DIE) && !(vmcr & ICH_VMCR_ENG1) ? 0x80 : 0;
	return m;
}

/* The maintenance interrupt. */
static inline bool hw_maintenance(void)
{
	return (fake_get("ICH_HCR_EL2") & ICH_HCR_EN) && hw_misr(0);
}

/* Called at every write of a list register: no invalid combination of fields. */
static inline void lr_check(u64 v)
{
	if (v & ICH_LR_HW) {
		assert_true((v & ICH_LR_STATE) != ICH_LR_STATE);
		assert_true(FIELD(v, 44, 32) < 1020);
	}
	assert_int_equal(v & 0x0f00000000000000UL & ~ICH_LR_GROUP1, 0);
}

/* No two list registers for one interrupt. */
static inline void lr_unique(void)
{
	for (u32 i = 0; i < hw_lrs; i++)
		for (u32 k = 0; k < i; k++)
			assert_false((lr_get(i) & ICH_LR_STATE) && (lr_get(k) & ICH_LR_STATE) &&
				     (u32)lr_get(i) == (u32)lr_get(k));
}

/* ---- the machine and its VM ---- */

static inline void machine_up(u32 lrs)
{
	static struct machine m;

	memset(&m, 0, sizeof(m));
	m.gicd = (struct range){ PHYS_GICD, GICD_SIZE };
	m.gicr[0] = (struct range){ PHYS_GICR, GICR_SIZE * CPUS };
	m.gicr_count = 1;
	fake_reset();
	fake_mmio_reset();
	fake_mmio_add(PHYS_GICD, GICD_SIZE, phys_gicd);
	fake_mmio_add(PHYS_GICR, GICR_SIZE * CPUS, phys_gicr);
	memset(phys, 0, sizeof(phys));
	memset(cpus, 0, sizeof(cpus));
	memset(&lr_caps, 0, sizeof(lr_caps));
	hw_lrs = lrs;
	gicv3_init(&m);
	for (fake_cpu = 0; fake_cpu < CPUS; fake_cpu++) {
		cpus[fake_cpu].index = (u32)fake_cpu;
		cpus[fake_cpu].hw.mpidr = (u32)fake_cpu;
		fake_set("ICH_VTR_EL2", (lrs - 1) | ICH_VTR_TDS | 4UL << 26 | 4UL << 29);
		assert_int_equal(gicv3_cpu_init(&cpus[fake_cpu].hw), 0);
		for (u32 i = 16; i < 32; i++)
			gicv3_set_enable(i, true);
	}
	fake_cpu = 0;
	fake_on_read("ICH_ELRSR_EL2", read_elrsr);
	fake_on_read("ICH_MISR_EL2", hw_misr);
	fake_on_write("ICC_DIR_EL1", on_dir);
	for (u32 i = 0; i < lrs; i++)
		fake_on_write(lr_name[i], lr_check);
	deaf = false;
	phys_mmio = 0;
}

static inline void vm_up(u32 vcpus, u32 lrs)
{
	machine_up(lrs);
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(kicks, 0, sizeof(kicks));
	vm.config = &config;
	vm.layout.gicd = GICD_AT;
	vm.layout.gicr = GICR_AT;
	vm.vcpu_count = vcpus;
	for (u32 i = 0; i < vcpus; i++) {
		vm.vcpus[i] = &vcpu[i];
		vcpu[i].vm = &vm;
		vcpu[i].index = (u8)i;
		vcpu[i].vmpidr = BIT(31) | i;
		vcpu[i].state = VCPU_RUNNING;
	}
	assert_int_equal(vgic_vm_init(&vm), 0);
	for (u32 i = 0; i < vcpus; i++)
		vgic_vcpu_reset(&vcpu[i]);
}

static inline void vm_down(void)
{
	vgic_vm_destroy(&vm);
}

/* Load v on the fake CPU of number c, which becomes the current one. */
static inline void load(struct vcpu *v, int c)
{
	fake_cpu = c;
	vgic_load(v);
	v->loaded_cpu = v->cpu = &cpus[c];
	cpus[c].loaded = v;
}

static inline void put(struct vcpu *v)
{
	fake_cpu = cpu_of(v);
	vgic_put(v);
	cpus[fake_cpu].loaded = NULL;
	v->loaded_cpu = NULL;
}

/* What the run loop does before an entry; maintenance interrupts that are due come at once. */
static inline void enter(struct vcpu *v)
{
	fake_cpu = cpu_of(v);
	for (int i = 0;; i++) {
		if (vgic_work(&v->vgic))
			vgic_flush(v);
		if (v->vgic.deferred) {
			for (int tries = 0; !vgic_finish_deferred(v); tries++)
				assert_true(tries < 1000);
			continue;
		}
		if (!hw_maintenance())
			break;
		assert_true(i < 8); /* else it storms */
		vgic_maintenance(v);
		assert_false(hw_maintenance());
	}
	lr_unique();
}

/*
 * An access that waits for another vcpu is tried again, as by the run loop, if that vcpu answers at
 * all.
 */
static inline bool answer(struct vcpu *v, const struct mmio_region *r, struct mmio *m)
{
	bool ok;

	do {
		m->waits = false;
		ok = r->fn(v, r->dev, m);
		waits = m->waits;
	} while (waits && !deaf);
	return ok;
}

static inline bool access(struct vcpu *v, u64 at, struct mmio *m)
{
	for (u32 i = 0; i < vm.mmio.count; i++) {
		const struct mmio_region *r = &vm.mmio.region[i];

		if (at >= r->base && at < r->base + r->size) {
			m->offset = at - r->base;
			return answer(v, r, m);
		}
	}
	return false;
}

static inline u64 rd(struct vcpu *v, u64 at, u32 size)
{
	struct mmio m = { .size = (u8)size, .data = 0xdeadbeefdeadbeef };

	if (cpu_of(v) >= 0)
		fake_cpu = cpu_of(v);
	assert_true(access(v, at, &m));
	return m.data;
}

static inline void wr(struct vcpu *v, u64 at, u32 size, u64 data)
{
	struct mmio m = { .size = (u8)size, .data = data, .write = true };

	if (cpu_of(v) >= 0)
		fake_cpu = cpu_of(v);
	assert_true(access(v, at, &m));
}

/*
 * A register with a bit for each interrupt (GICD_ISENABLER and so on), of an SPI or of target's SGI
 * or PPI.
 */
static inline u64 bit_at(u32 target, u32 intid, u32 reg)
{
	return intid < 32 ? GICR_AT + GICR_SIZE * target + GICR_SGI + reg
			  : GICD_AT + reg + intid / 32 * 4;
}

static inline void bit_wr(struct vcpu *v, u32 target, u32 intid, u32 reg)
{
	wr(v, bit_at(target, intid, reg), 4, 1u << intid % 32);
}

static inline bool bit_rd(struct vcpu *v, u32 target, u32 intid, u32 reg)
{
	return rd(v, bit_at(target, intid, reg), 4) >> intid % 32 & 1;
}

static inline void set_prio(struct vcpu *v, u32 target, u32 intid, u32 prio)
{
	wr(v,
	   (intid < 32 ? GICR_AT + GICR_SIZE * target + GICR_SGI : GICD_AT) + GICD_IPRIORITYR +
		   intid,
	   1, prio);
}

static inline void vmcr_set(u32 pmr, bool eoim)
{
	fake_set("ICH_VMCR_EL2", (u64)pmr << 24 | 2UL << 21 | 3UL << 18 |
					 (eoim ? ICH_VMCR_EOIM : 0) | ICH_VMCR_ENG0 |
					 ICH_VMCR_ENG1 | ICH_VMCR_FIQEN);
}

/*
 * All groups on, interface open; everything of the vcpus' private interrupts Group 1, enabled,
 * priority 0xa0.
 */
static inline void open_up(void)
{
	for (u32 i = 0; i < vm.vcpu_count; i++) {
		load(&vcpu[i], (int)i);
		vmcr_set(0xf8, false);
	}
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 3);
	for (u32 i = 0; i < vm.vcpu_count; i++) {
		u64 sgi = GICR_AT + GICR_SIZE * i + GICR_SGI;

		wr(&vcpu[i], sgi + GICD_IGROUPR, 4, ~0u);
		for (u32 n = 0; n < 32; n += 4)
			wr(&vcpu[i], sgi + GICD_IPRIORITYR + n, 4, 0xa0a0a0a0);
		wr(&vcpu[i], sgi + GICD_ISENABLER, 4, ~0u);
		enter(&vcpu[i]);
	}
	for (u32 n = 32; n < 64; n += 4)
		wr(&vcpu[0], GICD_AT + GICD_IPRIORITYR + n, 4, 0xa0a0a0a0);
	wr(&vcpu[0], GICD_AT + GICD_IGROUPR + 4, 4, ~0u);
}
