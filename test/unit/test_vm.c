/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's life: whatever order CPU_ON, CPU_OFF, SYSTEM_OFF, resets, sleeps and kicks come in, each
 * vcpu is counted once, and the VM is finished or started anew once. vm.c, wake.c and psci.c are
 * real; the test plays the run loop of one CPU per vcpu, and lets others run wherever vm_stop()
 * wakes a vcpu.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vm/vpl011.h"
#include "mm/page.h"
#include "vm/account.h"
#include "exit/psci.h"
#include "vm/sched.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vm/vm_build.h"
#include "vm/vm.h"
#include "exit/vcpu.h"
#include "vgic/vgic.h"
#include "vm/vm_load.h"

#define VCPUS 3
#define RAM 0x40000000UL

struct cpu cpus[MAX_CPUS];
u32 cpu_count = VCPUS;

static __thread int me; /* the CPU whose code runs: vcpu n on CPU n */
static struct vcpu vcpus[2][VCPUS];
static struct vm_config config[2];
static char ram[3][0x3000] __attribute__((aligned(4096)));
static char stolen[MAX_VMS][4096] __attribute__((aligned(4096)));
static unsigned releases, loads, all_gone, gic_resets;
static const char *build_error;
static struct vm *worked[64]; /* the VMs on which pieces of work were done, in order */
static unsigned pieces;

struct cpu *cpu_this(void)
{
	return &cpus[me];
}

u64 counter_now(void)
{
	return 4711;
}

/* ---- vm_build.c, vm_load.c and others, without memory ---- */

#define LOAD_PIECES 3
static u64 affinity;

const char *vm_build(struct vm *vm)
{
	u32 n = (u32)(vm - vms);

	vm->ram[0] = (struct vm_ram){ RAM, (u64)ram, 0x9000 };
	vm->ram_chunks = 1;
	vm->stolen_page = (u64)stolen[n];
	vm->entry = RAM + 0x1000;
	vm->fdt_ipa = RAM + 0x2000;
	vm->vcpu_count = VCPUS;
	for (u32 i = 0; i < VCPUS; i++) {
		memset(&vcpus[n][i], 0, sizeof(vcpus[n][i]));
		vm->vcpus[i] = &vcpus[n][i];
		vcpus[n][i].vm = vm;
		vcpus[n][i].index = (u8)i;
		vcpus[n][i].vmpidr = 1UL << 31 | i;
		vcpus[n][i].affinity = affinity;
		list_init(&vcpus[n][i].rq_node);
	}
	return build_error;
}

static void note_piece(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		assert_null(vm->vcpus[i]->loaded_cpu);
	worked[pieces++ % ARRAY_SIZE(worked)] = vm;
}

void vm_load_begin(struct vm *vm)
{
	vm->load.part = 0;
}

bool vm_load_piece(struct vm *vm)
{
	note_piece(vm);
	if (++vm->load.part < LOAD_PIECES)
		return true;
	loads++;
	return false;
}

bool vm_release_piece(struct vm *vm)
{
	note_piece(vm);
	if (build_error || vm->released++)
		releases++;
	return !build_error && vm->released < 2;
}

bool vm_devices_know_ram(const struct vm *vm)
{
	(void)vm;
	return false;
}

void vm_free_vcpus(struct vm *vm)
{
	(void)vm;
}

void vm_all_gone(void)
{
	all_gone++;
}

void account_print(const struct vm *vm)
{
	(void)vm;
}

int vpl011_create(struct vm *vm)
{
	(void)vm;
	return 0;
}

void vgic_vm_reset(struct vm *vm)
{
	(void)vm;
	gic_resets++;
}

void vcpu_reset(struct vcpu *v, u64 pc, u64 x0)
{
	assert_null(v->loaded_cpu);
	v->pc = pc;
	v->gpr[0] = x0;
}

void vcpu_load(struct vcpu *v)
{
	(void)v;
}

void vcpu_put(struct vcpu *v)
{
	(void)v;
}

bool vgic_interrupt_pending(struct vcpu *v)
{
	(void)v;
	return false;
}

/* ---- the scheduler, and the point where others run ---- */

static bool busy[VCPUS]; /* in the middle of a hypercall */
static u32 depth;
static u64 seed;
static bool others_run;
static char trace[4096];
static struct vm *the_vm = &vms[0];

static u32 next_random(u32 n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (u32)(seed >> 40) % n;
}

static void random_event(void);

static void others(void)
{
	int saved = me;

	if (!others_run || depth >= 3)
		return;
	depth++;
	while (next_random(2))
		random_event();
	depth--;
	me = saved;
}

void sched_start(struct vcpu *v)
{
	if (v->state != VCPU_STARTING)
		fail_msg("%s: sched_start in state %u", trace, v->state);
	v->state = VCPU_RUNNABLE;
	others();
}

void cpu_kick(struct cpu *cpu)
{
	(void)cpu;
	others();
}

/* ---- one CPU ---- */

#define NOTE(...)                                                                                  \
	do {                                                                                       \
		size_t len_ = strlen(trace);                                                       \
		snprintf(trace + len_, sizeof(trace) - len_, __VA_ARGS__);                         \
	} while (0)

static void leaves(struct vcpu *v)
{
	others();
	NOTE(" %u:gone", v->index);
	vm_vcpu_gone(v);
}

static void hypercall(struct vcpu *v, u32 fid, u64 a1)
{
	enum verdict verdict;
	s64 ret;

	v->gpr[1] = a1;
	v->gpr[2] = RAM;
	v->gpr[3] = 0;
	busy[v->index] = true;
	verdict = psci_call(v, fid, &ret);
	if (verdict == STOP_VM || verdict == RESET_VM) /* as the run loop does */
		vm_stop(the_vm, verdict == STOP_VM ? VM_STOPPING : VM_RESETTING, NULL);
	if (verdict != RESUME && verdict != SLEEP)
		leaves(v);
	busy[v->index] = false;
}

/* What run.c and sched.c do with a vcpu that goes to sleep. */
static void sleeps(struct vcpu *v)
{
	v->state = VCPU_SLEEPING;
	if (v->requests) {
		v->state = VCPU_STARTING;
		sched_start(v);
	}
}

/* A vcpu that is about to enter its guest: true if it has to leave instead. */
static bool served(struct vcpu *v)
{
	u32 requests = __atomic_exchange_n(&v->requests, 0, __ATOMIC_ACQUIRE);

	if (!(requests & REQ_STOP))
		return false;
	busy[v->index] = true;
	leaves(v);
	busy[v->index] = false;
	return true;
}

static void run_step(struct vcpu *v, u32 what)
{
	me = v->index;
	if (v->state == VCPU_RUNNABLE) {
		v->state = VCPU_RUNNING;
		v->cpu = &cpus[me];
		return;
	}
	if (v->state != VCPU_RUNNING)
		return;
	NOTE(" %u:%u", v->index, what);
	switch (what) {
	case 0:
		hypercall(v, 0x84000002, 0);
		break; /* CPU_OFF */
	case 1:
		hypercall(v, 0x84000008, 0);
		break; /* SYSTEM_OFF */
	case 2:
		hypercall(v, 0x84000009, 0);
		break; /* SYSTEM_RESET */
	case 3:
	case 4:
	case 5:
		hypercall(v, 0xc4000003, what - 3);
		break; /* CPU_ON */
	case 6:
		sleeps(v);
		break;
	case 7:
		vcpu_kick(the_vm->vcpus[next_random(VCPUS)]);
		break;
	case 8:
		vcpu_request(the_vm->vcpus[next_random(VCPUS)], REQ_TIMER);
		break;
	default:
		served(v);
	}
}

static void random_event(void)
{
	u32 n = next_random(VCPUS);

	if (busy[n])
		return;
	/* Events that end something are rarer than the rest. */
	run_step(the_vm->vcpus[n], next_random(4) ? 3 + next_random(9) : next_random(3));
}

/* Between two events, the vcpus that are not dead are those that are counted. */
static void check_count(void)
{
	u32 alive = 0;

	for (u32 i = 0; i < VCPUS; i++)
		alive += the_vm->vcpus[i]->state != VCPU_DEAD;
	if (alive != the_vm->vcpus_alive)
		fail_msg("%s: %u vcpus alive, counted %u", trace, alive, the_vm->vcpus_alive);
	if (the_vm->state == VM_RUNNING && alive != VCPUS)
		fail_msg("%s: a vcpu of a running VM is dead", trace);
	if (vm_work_pending() != (alive == 0))
		fail_msg("%s: work %d with %u alive", trace, vm_work_pending(), alive);
}

/* All CPUs continue until nothing changes any more. */
static void drain(void)
{
	for (int round = 0; round < 10; round++)
		for (u32 i = 0; i < VCPUS; i++) {
			run_step(the_vm->vcpus[i], 99);
			run_step(the_vm->vcpus[i], 99);
		}
}

static void check_started(void)
{
	struct vcpu *first = the_vm->vcpus[0];

	assert_int_equal(the_vm->state, VM_RUNNING);
	assert_int_equal(the_vm->vcpus_alive, VCPUS);
	assert_int_equal(first->state, VCPU_RUNNABLE);
	assert_int_equal(first->pc, the_vm->entry);
	assert_int_equal(first->gpr[0], the_vm->fdt_ipa);
	for (u32 i = 0; i < VCPUS; i++) {
		assert_int_equal(the_vm->vcpus[i]->requests, 0);
		if (i)
			assert_int_equal(the_vm->vcpus[i]->state, VCPU_OFF);
	}
	assert_int_equal(the_vm->cntoff, 4711);
}

/* A VM that has stopped is finished exactly once, or starts again as if it were new. */
static void finish(void)
{
	bool stops = the_vm->state == VM_STOPPING;
	int n = 0;

	others_run = false;
	drain();
	check_count();
	if (the_vm->state == VM_RUNNING)
		return;
	for (u32 i = 0; i < VCPUS; i++)
		if (the_vm->vcpus[i]->state != VCPU_DEAD)
			fail_msg("%s: vcpu %u of a stopped VM is in state %u", trace, i,
				 the_vm->vcpus[i]->state);
	while (vm_work_pending() && n++ < 100)
		vm_work();
	if (n == 0 || n == 101)
		fail_msg("%s: %d pieces of work", trace, n);
	if (stops) {
		assert_int_equal(the_vm->state, VM_DEAD);
		if (releases != 1 || all_gone != 1)
			fail_msg("%s: released %u times, all gone %u times", trace, releases,
				 all_gone);
		vm_work();
		assert_int_equal(releases, 1);
	} else {
		assert_int_equal(releases, 0);
		assert_int_equal(all_gone, 0);
		assert_int_equal(gic_resets, 1);
		check_started();
	}
}

static void create(void)
{
	assert_int_equal(vm_create(&config[vm_count]), 0);
	while (vm_work_pending())
		vm_work();
}

static int setup(void **state)
{
	(void)state;
	/* vm.c's own counters: VMs of the last test are ended for good. */
	others_run = false;
	for (u32 i = 0; i < vm_count; i++) {
		the_vm = &vms[i];
		build_error = NULL;
		if (the_vm->state == VM_RUNNING || the_vm->state == VM_UNUSED) {
			if (the_vm->state == VM_UNUSED)
				vm_start(the_vm);
			vm_stop(the_vm, VM_STOPPING, NULL);
		}
		drain();
		for (int n = 0; vm_work_pending() && n < 100; n++)
			vm_work();
		if (the_vm->state == VM_RUNNING) { /* it was in the middle of a reset */
			vm_stop(the_vm, VM_STOPPING, NULL);
			drain();
			while (vm_work_pending())
				vm_work();
		}
	}
	memset(vms, 0, sizeof(vms));
	memset(cpus, 0, sizeof(cpus));
	memset(busy, 0, sizeof(busy));
	vm_count = 0;
	the_vm = &vms[0];
	for (u32 i = 0; i < 2; i++)
		config[i] = (struct vm_config){
			.mem_size = 0x9000, .cpus = VCPUS, .name = "a", .path = "/a"
		};
	releases = loads = all_gone = gic_resets = pieces = 0;
	build_error = NULL;
	affinity = ~0UL;
	depth = 0;
	trace[0] = '\0';
	me = 0;
	return 0;
}

/* ---- tests ---- */

static void starts(void **state)
{
	(void)state;
	create();
	assert_int_equal(vm_count, 1);
	vm_start(the_vm);
	check_started();
	check_count();
}

static void build_fails(void **state)
{
	(void)state;
	build_error = "no";
	assert_int_equal(vm_create(&config[0]), -EINVAL);
	assert_int_equal(vm_count, 0);
	assert_int_equal(releases, 1);
	assert_int_equal(vms[0].vcpu_count, 0); /* nothing left behind */
	build_error = NULL;
	create();
	assert_int_equal(vms[0].id, 1);
}

/* All sequences of a few events. */
static void all_short_orders(void **state)
{
	const u32 events = VCPUS * 8;

	(void)state;
	for (u32 code = 0; code < events * events * events; code++) {
		setup(NULL);
		seed = code;
		create();
		vm_start(the_vm);
		run_step(the_vm->vcpus[0], 0); /* RUNNABLE -> RUNNING */
		run_step(the_vm->vcpus[0], 4);
		run_step(the_vm->vcpus[1], 0);
		for (u32 n = 0, c = code; n < 3; n++, c /= events) {
			run_step(the_vm->vcpus[c % events / 8], c % 8);
			check_count();
		}
		finish();
	}
}

/* Long random orders, with others running in the middle of vm_stop(), CPU_ON and leaving. */
static void random_orders(void **state)
{
	(void)state;
	for (u64 s = 1; s <= 20000; s++) {
		setup(NULL);
		seed = s * 2654435761u;
		NOTE("seed %lu:", s);
		create();
		vm_start(the_vm);
		for (u32 n = next_random(60); n; n--) {
			others_run = true;
			random_event();
			others_run = false;
			check_count();
		}
		finish();
	}
}

/* The actual race, on two host threads: SYSTEM_OFF against CPU_OFF of another vcpu. */
static pthread_barrier_t barrier;
#define ROUNDS 3000

static void *other_vcpu(void *unused)
{
	struct vcpu *v = the_vm->vcpus[1];
	s64 ret;

	(void)unused;
	me = 1;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&barrier);
		for (volatile int spin = i % 50; spin; spin--)
			;
		if (psci_call(v, 0x84000002, &ret) == DEAD)
			vm_vcpu_gone(v);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void stop_races_with_off(void **state)
{
	pthread_t thread;
	int bad = 0;

	(void)state;
	create();
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, other_vcpu, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		s64 ret;

		vm_start(the_vm);
		the_vm->vcpus[0]->state = the_vm->vcpus[1]->state = VCPU_RUNNING;
		the_vm->vcpus[0]->cpu = &cpus[0];
		the_vm->vcpus[1]->cpu = &cpus[1];
		pthread_barrier_wait(&barrier);
		for (volatile int spin = i % 37; spin; spin--)
			;
		if (psci_call(the_vm->vcpus[0], 0x84000009, &ret) == RESET_VM) {
			vm_stop(the_vm, VM_RESETTING, NULL);
			vm_vcpu_gone(the_vm->vcpus[0]);
		}
		pthread_barrier_wait(&barrier);
		bad += the_vm->vcpus_alive != 0 || !vm_work_pending();
		for (int n = 0; vm_work_pending() && n < 100; n++)
			vm_work(); /* resets it */
		if (the_vm->state != VM_RUNNING)
			bad++;
	}
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	assert_int_equal(bad, 0);
}

/*
 * The machine goes off with the last VM, not with the first one to end while others have not
 * started yet.
 */
static void several_vms(void **state)
{
	(void)state;
	create();
	create();
	vm_start(&vms[0]);
	the_vm = &vms[0];
	run_step(the_vm->vcpus[0], 0);
	run_step(the_vm->vcpus[0], 1);
	vm_work();
	vm_work();
	assert_int_equal(vms[0].state, VM_DEAD);
	assert_int_equal(all_gone, 0);
	the_vm = &vms[1];
	vm_start(&vms[1]);
	run_step(the_vm->vcpus[0], 0);
	run_step(the_vm->vcpus[0], 1);
	vm_work();
	vm_work();
	assert_int_equal(all_gone, 1);
	assert_int_equal(releases, 2);
}

static void add_ram(void)
{
	/* Three chunks: contiguous in IPA, in another order in memory. */
	static const u32 order[] = { 2, 0, 1 };

	for (u32 i = 0; i < 3; i++)
		the_vm->ram[i] = (struct vm_ram){ RAM + i * 0x3000, (u64)ram[order[i]], 0x3000 };
	the_vm->ram_chunks = 3;
}

/* A start and a reset are done in pieces, one a call; only after the last one does the VM run. */
static void one_piece_a_call(void **state)
{
	(void)state;
	assert_int_equal(vm_create(&config[0]), 0);
	for (unsigned i = 1; i <= LOAD_PIECES; i++) {
		assert_true(vm_work_pending());
		assert_int_equal(the_vm->state, VM_LOADING);
		vm_work();
		assert_int_equal(pieces, i);
	}
	assert_false(vm_work_pending());
	check_started();
	run_step(the_vm->vcpus[0], 0);
	run_step(the_vm->vcpus[0], 2);
	pieces = 0;
	for (unsigned i = 0; vm_work_pending(); i++) {
		assert_true(pieces <= i && i < 20);
		vm_work();
	}
	assert_int_equal(pieces, LOAD_PIECES);
	assert_int_equal(loads, 2);
	check_started();
}

/*
 * Two VMs that are worked on take turns: one that resets for ever does not keep the other from
 * starting.
 */
static void vms_take_turns(void **state)
{
	(void)state;
	assert_int_equal(vm_create(&config[0]), 0);
	assert_int_equal(vm_create(&config[1]), 0);
	for (int i = 0; i < 4; i++)
		vm_work();
	for (int i = 0; i < 4; i++)
		assert_ptr_equal(worked[i], &vms[(worked[0] == &vms[1]) ^ (i & 1)]);
	while (vm_work_pending())
		vm_work();
	assert_int_equal(vms[0].state, VM_RUNNING);
	assert_int_equal(vms[1].state, VM_RUNNING);
}

/* A VM's work is done only on CPUs where its vcpus may run: the others belong to other VMs. */
static void work_stays_on_its_cpus(void **state)
{
	(void)state;
	for (u32 i = 0; i < MAX_CPUS; i++)
		cpus[i].index = i;
	affinity = 6;
	assert_int_equal(vm_create(&config[0]), 0);
	assert_int_equal(vm_work_cpus(), 6);
	assert_false(vm_work_pending());
	vm_work();
	assert_int_equal(pieces, 0);
	me = 2;
	assert_true(vm_work_pending());
	while (vm_work_pending())
		vm_work();
	assert_int_equal(the_vm->state, VM_RUNNING);
	me = 0;
	the_vm->work_cpus = ~0UL; /* so that setup() can end it */
}

/* The first vm_stop() decides. */
static void first_stop_decides(void **state)
{
	(void)state;
	create();
	vm_start(the_vm);
	vm_stop(the_vm, VM_STOPPING, "a reason");
	vm_stop(the_vm, VM_RESETTING, NULL);
	assert_int_equal(the_vm->state, VM_STOPPING);
	assert_string_equal(the_vm->stop_reason, "a reason");
	finish();
}

/* A vcpu that goes off serves no requests: leaving, it stops its VM after an SError interrupt. */
static void off_after_serror(void **state)
{
	(void)state;
	create();
	vm_start(the_vm);
	vcpus[0][0].state = VCPU_RUNNING;
	vcpus[0][0].going_off = true;
	vcpus[0][0].requests = REQ_STOP | REQ_SERROR;
	vm_vcpu_gone(&vcpus[0][0]);
	assert_int_equal(the_vm->state, VM_STOPPING);
	assert_non_null(the_vm->stop_reason);
	assert_int_equal(vcpus[0][0].state, VCPU_DEAD);
	finish();
}

/* ---- guest memory ---- */

static char want_byte(u64 offset)
{
	return (char)(offset * 7 + (offset >> 8) * 3 + 1);
}

static void read_write(void **state)
{
	static const u64 at[] = { 0,      1,      0x2ff8, 0x2fff, 0x3000,
				  0x5ffd, 0x6000, 0x8000, 0x8fff, 0x1234 };
	static const size_t len[] = { 0, 1, 2, 4, 8, 9, 0x1000, 0x3000, 0x3001, 0x6002, 0x9000 };
	static char buf[sizeof(ram)];

	(void)state;
	create();
	add_ram();
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		for (size_t k = 0; k < ARRAY_SIZE(len); k++) {
			bool inside = at[i] + len[k] <= sizeof(ram);

			for (u64 o = 0; o < sizeof(ram); o++)
				ram[o / 0x3000 == 0 ? 2 : o / 0x3000 - 1][o % 0x3000] =
					want_byte(o);
			memset(buf, 0, sizeof(buf));
			if (vm_read(the_vm, (ipa_t){ RAM + at[i] }, buf, len[k]) !=
			    (inside ? 0 : -EINVAL))
				fail_msg("read of %#zx at %#lx", len[k], at[i]);
			for (size_t n = 0; inside && n < len[k]; n++)
				if (buf[n] != want_byte(at[i] + n))
					fail_msg("read of %#zx at %#lx: byte %#zx", len[k], at[i],
						 n);
			memset(buf, 0x77, sizeof(buf));
			if (vm_write(the_vm, (ipa_t){ RAM + at[i] }, buf, len[k]) !=
			    (inside ? 0 : -EINVAL))
				fail_msg("write of %#zx at %#lx", len[k], at[i]);
			for (u64 o = 0; inside && o < sizeof(ram); o++) {
				bool written = o >= at[i] && o < at[i] + len[k];
				char got = ram[o / 0x3000 == 0 ? 2 : o / 0x3000 - 1][o % 0x3000];

				if (got != (written ? 0x77 : want_byte(o)))
					fail_msg("write of %#zx at %#lx: byte %#lx", len[k], at[i],
						 o);
			}
		}
}

static void not_ram(void **state)
{
	static const u64 at[] = { 0,    RAM - 1,  RAM - 8,   RAM + sizeof(ram),
				  ~0UL, ~0UL - 7, 1UL << 63, RAM | 1UL << 48 };
	char buf[16];

	(void)state;
	create();
	add_ram();
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		assert_int_equal(vm_read(the_vm, (ipa_t){ at[i] }, buf, 8), -EINVAL);
		assert_int_equal(vm_write(the_vm, (ipa_t){ at[i] }, buf, 8), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(starts, setup),
		cmocka_unit_test_setup(build_fails, setup),
		cmocka_unit_test_setup(all_short_orders, setup),
		cmocka_unit_test_setup(random_orders, setup),
		cmocka_unit_test_setup(stop_races_with_off, setup),
		cmocka_unit_test_setup(several_vms, setup),
		cmocka_unit_test_setup(one_piece_a_call, setup),
		cmocka_unit_test_setup(vms_take_turns, setup),
		cmocka_unit_test_setup(work_stays_on_its_cpus, setup),
		cmocka_unit_test_setup(first_stop_decides, setup),
		cmocka_unit_test_setup(off_after_serror, setup),
		cmocka_unit_test_setup(read_write, setup),
		cmocka_unit_test_setup(not_ram, setup),
	};

	return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}
