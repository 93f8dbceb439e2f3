/* SPDX-License-Identifier: Apache-2.0 */
/* The VM, its guests, and this CPU's interrupts. */
#include "guest.h"

#include <string.h>

#include "arch/gicv3.h"
#include "exit/vcpu.h"
#include "nested/level.h"
#include "state/cpu.h"
#include "state/runq.h"
#include "vgic/internal.h"
#include "vgic/lr.h"

#include "race.h"

#define LRS 2

struct vcpu vcpus[2];
enum run_result script[2];
u32 step, steps;
bool (*first)(struct vcpu *v);
u32 timer;
u32 served, taken_out;
u32 taken[2][64];
bool guest_closed, guest_taken_closed;

static bool kicked[CPUS];

/* ---- the virtual CPU interface: one priority, so nothing preempts ---- */

/* ICH_ELRSR_EL2 */
static u64 empty(u64 stored)
{
	u64 v = 0;

	(void)stored;
	for (u32 i = 0; i < LRS; i++)
		if (!(lr_read(i) & ICH_LR_STATE) &&
		    (lr_read(i) & (ICH_LR_HW | ICH_LR_EOI)) != ICH_LR_EOI)
			v |= BIT(i);
	return v;
}

/* ICH_MISR_EL2: EOI, NP and the groups. */
static u64 causes(u64 stored)
{
	u64 hcr = sysreg_read(ICH_HCR_EL2), vmcr = sysreg_read(ICH_VMCR_EL2), v = 0;
	bool pending = false;

	(void)stored;
	for (u32 i = 0; i < LRS; i++) {
		u64 lr = lr_read(i);

		pending |= (lr & ICH_LR_STATE) == ICH_LR_PENDING;
		v |= (lr & (ICH_LR_STATE | ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI;
	}
	v |= (hcr & ICH_HCR_NPIE) && !pending ? 8 : 0;
	v |= (hcr & ICH_HCR_GRP1_EIE) && (vmcr & ICH_VMCR_ENG1) ? 0x40 : 0;
	v |= (hcr & ICH_HCR_GRP1_DIE) && !(vmcr & ICH_VMCR_ENG1) ? 0x80 : 0;
	return v;
}

static bool maintenance(void)
{
	return cpu_this()->loaded && (sysreg_read(ICH_HCR_EL2) & ICH_HCR_EN) && causes(0);
}

/* The list register that is signalled; -1: none. */
static int signalled(void)
{
	if (!(sysreg_read(ICH_HCR_EL2) & ICH_HCR_EN) ||
	    !(sysreg_read(ICH_VMCR_EL2) & ICH_VMCR_ENG1))
		return -1;
	for (u32 i = 0; i < LRS; i++)
		if ((lr_read(i) & ICH_LR_STATE) == ICH_LR_PENDING)
			return (int)i;
	return -1;
}

/* ---- the VM ---- */

static void cpu_setup(u32 i)
{
	static const u64 reset = 0;

	fake_cpu = (int)i;
	cpus[i].index = i;
	sched_cpu_init(&cpus[i]);
	sysreg_write(CNTFRQ_EL0, 1000);
	sysreg_write(CNTPCT_EL0, 0);
	for (u32 n = 0; n < LRS; n++)
		lr_write(n, 0);
	lr_cpu_load(lr_vmcr_reset(), &reset, &reset);
	sysreg_write(ICH_HCR_EL2, 0);
}

static void open(struct irq32 *b)
{
	b->enabled = b->group = ~0u;
	memset(b->prio, 0xa0, sizeof(b->prio));
}

static void vcpu_setup(u32 i)
{
	struct vcpu *v = &vcpus[i];

	v->vm = VM;
	v->index = (u8)i;
	v->vmpidr = BIT(31) | i;
	v->affinity = BIT(i);
	v->state = VCPU_STARTING;
	list_init(&v->rq_node);
}

static void first_setup(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	sysreg_write(ICH_VTR_EL2, (LRS - 1) | 4UL << 26 | 4UL << 29);
	fake_on_read("ICH_ELRSR_EL2", empty);
	fake_on_read("ICH_MISR_EL2", causes);
	lr_probe();
	if (vgic_vm_init(VM))
		order_fail("no memory");
	race_watch("cpus", cpus, CPUS * sizeof(cpus[0]));
	race_watch("vm", VM, sizeof(*VM));
	race_watch("vcpus[0]", &vcpus[0], sizeof(vcpus[0]));
	race_watch("vcpus[1]", &vcpus[1], sizeof(vcpus[1]));
	race_watch("spis", VM->vgic.spis, sizeof(*VM->vgic.spis));
}

void guest_setup(void)
{
	struct vgic_spis *spis;

	first_setup();
	spis = VM->vgic.spis;
	memset(cpus, 0, CPUS * sizeof(cpus[0]));
	memset(vcpus, 0, sizeof(vcpus));
	memset(VM, 0, sizeof(*VM));
	memset(kicked, 0, sizeof(kicked));
	memset(taken, 0, sizeof(taken));
	first = NULL;
	guest_closed = guest_taken_closed = false;
	served = taken_out = timer = step = steps = 0;
	for (u32 i = 0; i < CPUS; i++)
		cpu_setup(i);
	VM->entered = true;
	VM->vcpu_count = 2;
	VM->vgic.spis = spis;
	VM->vgic.intids = 64;
	for (u32 i = 0; i < 2; i++) {
		VM->vcpus[i] = &vcpus[i];
		vcpu_setup(i);
	}
	vgic_vm_reset(VM);
	for (u32 i = 0; i < 2; i++) {
		vcpus[i].vgic.vmcr |= 0xf8UL << 24 | ICH_VMCR_ENG1;
		vcpus[i].vgic.groups_on = ICH_VMCR_ENG1;
		vcpus[i].vgic.awake = true;
		open(&vcpus[i].vgic.priv);
	}
	open(&spis->word[1].s);
	VM->vgic.ctlr = GICD_CTLR_GRP1;
}

void guest_runs(u32 n)
{
	struct vcpu *v = &vcpus[n];

	fake_cpu = (int)(me = n);
	v->cpu = &cpus[n];
	v->state = VCPU_RUNNING;
	vcpu_load(v);
	cpus[n].current = v;
}

/* ---- this CPU's interrupts: irq.c ---- */

void cpu_kick(struct cpu *cpu)
{
	order_fence(__ATOMIC_SEQ_CST); /* gicv3.c: DSB ISHST */
	kicked[cpu->index] = true;
}

bool interrupted(void)
{
	return kicked[me] || (!me && timer) || maintenance();
}

void irq_handle(void)
{
	u32 sgi = timer;

	if (cpu_this()->idle == IDLE_WAITS)
		wait_until(interrupted);
	kicked[me] = false;
	if (!me && sgi) {
		timer = 0;
		vgic_set_ppi(&vcpus[0], sgi, true);
	}
	if (maintenance())
		vgic_maintenance(cpu_this()->loaded);
	sched_tick(cpu_this());
}

/* ---- the run loop: run.c, prepare.c ---- */

static bool serve(struct vcpu *v)
{
	u32 requests = __atomic_exchange_n(&v->requests, 0, __ATOMIC_ACQUIRE);

	served |= requests;
	if (requests & REQ_VGIC_SYNC)
		vgic_serve_sync(v);
	return !(requests & REQ_STOP);
}

static void deliver(struct vcpu *v)
{
	bool fiq;

	if (v->vgic.where == VGIC_VEL1) {
		if (!vgic_wants_vel2(v, &fiq))
			return;
		taken_out++;
		v->in_vel2 = true;
		vgic_level_switch(v);
	}
	vgic_flush(v);
}

bool guest_look(struct vcpu *v)
{
	while (read_once(&v->requests))
		if (!serve(v))
			return false;
	if (vgic_work(&v->vgic) && vgic_work_left(&v->vgic))
		deliver(v);
	return true;
}

/* The handler of what list register i holds; a line is low after it. */
static void handle(struct vcpu *v, u32 i)
{
	u64 lr = lr_read(i);
	u32 intid = (u32)lr & 63;

	taken[v->index][intid]++;
	guest_taken_closed |= guest_closed;
	if (intid >= 16 && intid < 32)
		vgic_set_ppi(v, intid, false);
	lr_write(i, lr & ~ICH_LR_STATE);
}

void guest_enter(struct vcpu *v)
{
	int i;

	order_turn();
	while ((i = signalled()) >= 0)
		handle(v, (u32)i);
	wait_until(interrupted);
}

void guest_loop(void)
{
	for (;;) {
		if (guest_look(&vcpus[me]))
			guest_enter(&vcpus[me]);
		else
			wait_until(interrupted);
		irq_handle();
	}
}

/* Vcpu 0's first call, when it runs for the first time. */
static bool call_first(struct vcpu *v)
{
	bool (*call)(struct vcpu *) = first;

	if (!call || v != &vcpus[0])
		return true;
	first = NULL;
	return call(v);
}

enum run_result vcpu_run(struct vcpu *v)
{
	for (;;) {
		if (!guest_look(v) || !call_first(v))
			return RUN_STOP;
		if (v == &vcpus[0] && step < steps)
			return script[step++];
		guest_enter(v);
		irq_handle();
	}
}
