/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI against the end of the VM, which comes once and never stays away; who takes a vcpu that waits. */
#include "life.h"

#include <string.h>

#include "exit/psci.h"
#include "exit/vcpu.h"
#include "guest.h"
#include "mm/page.h"
#include "nested/shadow.h"
#include "state/runq.h"
#include "state/timers.h"
#include "state/trace.h"
#include "vgic/vgic.h"
#include "vm/account.h"
#include "vm/sched.h"
#include "vm/vm.h"
#include "vm/vm_build.h"
#include "vm/vm_load.h"
#include "vm/vflash.h"
#include "vm/vpass.h"
#include "vm/vpl011.h"
#include "vm/vpl031.h"
#include "vm/vpci_life.h"

#define CPU_ON64 0xc4000003u
#define CPU_OFF 0x84000002u
#define ENTRY 0x40000000UL

static const struct vm_config config = { .path = "", .name = "" };
static u32 released; /* how often the VM's memory was given back */

/* ---- what vm.c calls ---- */

const char *vm_build(struct vm *of)
{
	(void)of;
	return NULL;
}

bool vm_devices_know_ram(const struct vm *of)
{
	(void)of;
	return false;
}

bool vm_release_piece(struct vm *of)
{
	(void)of;
	released++;
	return false;
}

void vm_free_vcpus(struct vm *of)
{
	(void)of;
}

void vm_load_begin(struct vm *of)
{
	(void)of;
}

bool vm_load_piece(struct vm *of)
{
	(void)of;
	return false;
}

bool vpci_start(struct vm *of)
{
	(void)of;
	return true;
}

bool vpci_stop_piece(struct vm *of)
{
	(void)of;
	return false;
}

bool vm_has_ram(const struct vm *of, ipa_t at)
{
	(void)of;
	(void)at;
	return true;
}

void page_zero(u64 base, u64 size)
{
	(void)base;
	(void)size;
}

void page_clean(u64 base, u64 size)
{
	(void)base;
	(void)size;
}

bool shadow_vm_reset_piece(struct vm *of, u32 *done)
{
	(void)of;
	(void)done;
	return false;
}

int vpl011_create(struct vm *of)
{
	(void)of;
	return 0;
}

void account_print(const struct vm *of)
{
	(void)of;
}

void account_reset(struct account *a)
{
	(void)a;
}

void trace_vm(struct vm *of)
{
	(void)of;
}

void vm_all_gone(void)
{
	sched_loop();
}

bool vtimer_has_cntpoff(void)
{
	return false;
}

void vcpu_reset(struct vcpu *v, u64 pc, u64 x0)
{
	v->pc = pc;
	v->gpr[0] = x0;
	vgic_vcpu_reset(v);
}

/* ---- who does what ---- */

static void setup(void)
{
	guest_setup();
	released = 0;
	vm_count = 1;
	VM->config = &config;
	VM->state = VM_RUNNING;
	VM->vcpus_alive = 2;
	VM->work_cpus = BIT(CPUS) - 1;
}

static bool turn_off(struct vcpu *v)
{
	s64 ret;

	return psci_call(v, CPU_OFF, &ret) != DEAD;
}

static bool turn_on(struct vcpu *v)
{
	s64 ret;

	v->gpr[1] = 1;
	v->gpr[2] = ENTRY;
	(void)psci_call(v, CPU_ON64, &ret);
	return true;
}

void life_setup_off(void)
{
	setup();
	sched_start(&vcpus[0]);
	first = turn_off;
	guest_runs(1);
}

void life_setup_on(void)
{
	setup();
	sched_start(&vcpus[0]);
	first = turn_on;
	vcpus[1].state = VCPU_OFF;
}

void life_setup_shared(void)
{
	setup();
	sched_start(&vcpus[0]);
	vcpus[1].affinity = 3;
	vcpus[1].cpu = &cpus[0];
	vcpus[1].state = VCPU_SLEEPING;
}

void life_stop(void)
{
	vm_stop(VM, VM_STOPPING, NULL);
	cpu_this()->current = NULL;
	vcpu_put(&vcpus[1]);
	vm_vcpu_gone(&vcpus[1]);
	sched_loop();
}

void life_stop_other(void)
{
	vm_stop(VM, VM_STOPPING, NULL);
	sched_loop();
}

void life_wake(void)
{
	(void)vgic_sgi(&vcpus[0], 2, true);
}

const char *life_wrong_end(void)
{
	if (released != 1)
		return released ? "the VM ends twice" : "the VM does not end";
	return VM->state == VM_DEAD ? NULL : "the VM is not dead";
}

const char *life_wrong_woken(void)
{
	return taken[1][0] == 1 ? NULL : "a vcpu waits beside an idle CPU";
}

bool vpass_start(struct vm *of)
{
	(void)of;
	return true;
}

void vpass_stop(struct vm *of)
{
	(void)of;
}

void vpl031_reset(struct vm *of)
{
	(void)of;
}

void vflash_reset(struct vm *of)
{
	(void)of;
}
