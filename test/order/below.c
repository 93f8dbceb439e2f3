/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/ in the model call and what is nothing to it. */
#include "order.h"

#include "dev/gicv3.h"
#include "dev/its.h"
#include "dev/timer.h"
#include "exit/serror.h"
#include "exit/vcpu.h"
#include "mm/page.h"
#include "nested/level.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/timers.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/console.h"
#include "vm/vm.h"

struct cpu cpus[MAX_CPUS];
u32 cpu_count = CPUS;
bool simd_chaos;

struct cpu *cpu_this(void)
{
	return &cpus[me];
}

/* ---- memory: one page each, for the SPIs ---- */

static u8 page[16 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

u64 page_alloc(u32 order)
{
	(void)order;
	return (u64)page;
}

void page_free(u64 at, u32 order)
{
	(void)at;
	(void)order;
}

int mmio_add(struct mmio_bus *bus, u64 base, u64 size, mmio_fn *fn, void *dev)
{
	(void)bus;
	(void)base;
	(void)size;
	(void)fn;
	(void)dev;
	return 0;
}

/* ---- the machine's interrupts: none is a guest's ---- */

void gicv3_deactivate(u32 intid)
{
	(void)intid;
}

void gicv3_set_enable(u32 intid, bool on)
{
	(void)intid;
	(void)on;
}

void gicv3_set_edge(u32 intid, bool edge)
{
	(void)intid;
	(void)edge;
}

void gicv3_set_active(u32 intid, bool active)
{
	(void)intid;
	(void)active;
}

void gicv3_set_pending(u32 intid, bool pending)
{
	(void)intid;
	(void)pending;
}

bool gicv3_is_pending(u32 intid)
{
	(void)intid;
	return false;
}

void gicv3_route_spi(u32 intid, u64 mpidr)
{
	(void)intid;
	(void)mpidr;
}

/* ---- timers: none fires ---- */

u64 counter_now(void)
{
	return 0;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	(void)t;
	(void)fn;
}

void timer_set(struct timer *t, u64 deadline)
{
	(void)t;
	(void)deadline;
}

void timer_cancel(struct timer *t)
{
	(void)t;
}

u32 vtimer_lines(const struct vcpu *v, bool loaded)
{
	(void)v;
	(void)loaded;
	return 0;
}

void timers_poll_soon(struct vcpu *v, u8 *polls)
{
	(void)v;
	(void)polls;
}

/* ---- the rest of a vcpu, and of VMs ---- */

void vcpu_load(struct vcpu *v)
{
	vgic_load(v);
	cpu_this()->loaded = v;
	__atomic_store_n(&v->loaded_cpu, cpu_this(), __ATOMIC_RELAXED);
}

void vcpu_put(struct vcpu *v)
{
	vgic_put(v);
	cpu_this()->loaded = NULL;
	__atomic_store_n(&v->loaded_cpu, NULL, __ATOMIC_RELEASE);
}

bool level_interrupt_pending(const struct vcpu *v)
{
	(void)v;
	return false;
}

void console_flush(void)
{
}

/* No VM has an ITS here. */
struct its_device *its_lpi(u32 intid)
{
	(void)intid;
	return NULL;
}

void serror_poll(void)
{
}

void its_hold(struct its_device *d, u64 until)
{
	(void)d;
	(void)until;
	__builtin_abort();
}

void its_route(struct its_device *d, u32 event, const struct pcpu *cpu)
{
	(void)d;
	(void)event;
	(void)cpu;
}

int vm_read(struct vm *vm, ipa_t from, void *to, size_t n)
{
	(void)vm;
	(void)from;
	(void)to;
	(void)n;
	return -EINVAL;
}
