/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who must hear of what: a vcpu that sleeps, is picked, or runs, and others that ask it for
 * something or have an interrupt for it; and two vcpus that ask each other.
 */
#include "guest.h"

#include <stdio.h>
#include <string.h>

#include "exit/vcpu.h"
#include "state/cpu.h"
#include "state/runq.h"
#include "vgic/internal.h"
#include "vm/sched.h"

#include "gic.h"
#include "life.h"
#include "race.h"
#include "windows.h"

/* ---- one vcpu, for which others have something ---- */

/* Vcpu 0 waits in CPU 0's queue. */
static void setup_queued(void)
{
	guest_setup();
	sched_start(&vcpus[0]);
}

static void setup_sleeps(void)
{
	setup_queued();
	script[steps++] = RUN_SLEEP;
}

static void setup_preempted(void)
{
	setup_queued();
	script[steps++] = RUN_PREEMPT;
}

/* A timer of CPU 0 wakes it, from its idle loop. */
static void setup_timer(void)
{
	setup_sleeps();
	timer = PPI;
}

static void setup_timer_again(void)
{
	setup_timer();
	script[steps++] = RUN_SLEEP;
}

static void request(void)
{
	vcpu_request(&vcpus[0], REQ_TIMER);
}

static void send(void)
{
	(void)vgic_sgi(&vcpus[1], 1, true);
}

static void stop(void)
{
	vcpu_request(&vcpus[0], REQ_STOP);
}

static const char *wrong_requested(void)
{
	return served & REQ_TIMER ? NULL : "the request is not seen";
}

static const char *wrong_sent(void)
{
	return taken[0][0] ? NULL : "the interrupt is not delivered";
}

static const char *wrong_both(void)
{
	return wrong_requested() ? wrong_requested() : wrong_sent();
}

static const char *wrong_timer(void)
{
	return taken[0][PPI] ? wrong_sent() : "the timer's interrupt is not delivered";
}

static const char *wrong_timer_request(void)
{
	return taken[0][PPI] ? wrong_requested() : "the timer's interrupt is not delivered";
}

static const char *wrong_stopped(void)
{
	return served & REQ_STOP ? NULL : "it does not stop";
}

/* ---- two vcpus with requests to each other (remote.c) ---- */

static bool answered[2];

static void setup_ask(void)
{
	guest_setup();
	memset(answered, 0, sizeof(answered));
	for (u32 i = 0; i < 2; i++) {
		guest_runs(i);
		/* Of what only itself may know: its answer. */
		vcpus[i].vgic.priv.latch = BIT(8 + i);
	}
}

static struct vgic_op question(void)
{
	return (struct vgic_op){ .reg = VGIC_PEND, .mask = ~0u };
}

/* The run loop with an exit that is handled again until it is complete, then the guest. */
static void ask(void)
{
	struct vcpu *self = &vcpus[me], *other = &vcpus[!me];
	struct vgic_op op = question();

	while (!vgic_remote(self, other, &op)) {
		irq_handle();
		guest_look(self);
	}
	answered[me] = op.data == BIT(8 + other->index);
	guest_loop();
}

/* It leaves its CPU without checking for requests (vgic_put()). */
static void put(void)
{
	vcpu_put(&vcpus[me]);
	answered[me] = true;
}

/* It has posted an operation, and gets none itself before the answer: it withdraws. */
static void ask_once(void)
{
	struct vgic_op op = question();

	if (!vgic_remote(&vcpus[me], &vcpus[!me], &op))
		vgic_ask_drop(&vcpus[me]);
	answered[me] = true;
}

static const char *wrong_answers(void)
{
	for (u32 i = 0; i < 2; i++)
		if (!answered[i])
			return "no answer, or a wrong one";
	return vcpus[0].vgic.op_state | vcpus[1].vgic.op_state ? "something stays asked for" : NULL;
}

static const char *wrong_withdrawn(void)
{
	return vcpus[1].vgic.op_state ? "something stays asked for" : NULL;
}

/* The shortest first, for the mutants' sake. */
/* clang-format off */
static const struct scenario scenarios[] = {
	{ "an SGI",                  2, 2, 2, gic_setup,       { guest_loop, gic_sgi },      gic_wrong_sgi },
	{ "L2 runs, an SPI's priority", 2, 2, 0, gic_setup_l2, { guest_loop, gic_urgent },   gic_wrong_l1 },
	{ "asleep, an SPI's priority", 2, 2, 0, gic_setup_sleeps, { sched_loop, gic_urgent }, gic_wrong_spi },
	{ "L2 runs, an SGI for L1",  2, 2, 2, gic_setup_l2,    { guest_loop, gic_sgi },      gic_wrong_l1 },
	{ "a PPI",                   2, 2, 2, gic_setup,       { guest_loop, gic_ppi },      gic_wrong_ppi },
	{ "falls asleep, two",       3, 1, 1, setup_sleeps,    { sched_loop, request, send }, wrong_both },
	{ "falls asleep, is to stop", 2, 2, 1, setup_sleeps,   { sched_loop, stop },         wrong_stopped },
	{ "picked, a request",       2, 2, 2, setup_queued,    { sched_loop, request },      wrong_requested },
	{ "loaded while another asks", 2, 2, 1, gic_setup_away, { gic_load, gic_pend_private }, gic_wrong_private },
	{ "asks and withdraws",      2, 2, 2, setup_ask,       { ask_once, guest_loop },          wrong_withdrawn },
	{ "asks one that leaves",    2, 2, 2, setup_ask,       { ask, put },                 wrong_answers },
	{ "falls asleep, an interrupt", 2, 2, 1, setup_sleeps, { sched_loop, send },         wrong_sent },
	{ "1 of N, one turns off",   3, 2, 0, gic_setup_any,   { gic_off, guest_loop, gic_spi }, gic_wrong_once },
	{ "picked, an interrupt",    2, 2, 2, setup_queued,    { sched_loop, send },         wrong_sent },
	{ "L2 runs, an SPI for L1",  2, 2, 1, gic_setup_l2,    { guest_loop, gic_spi },      gic_wrong_l1 },
	{ "woken, a CPU goes idle",  3, 2, 0, life_setup_shared, { sched_loop, sched_loop, life_wake }, life_wrong_woken },
	{ "1 of N, a group goes off", 3, 2, 0, gic_setup_any,  { gic_group_off, guest_loop, gic_spi }, gic_wrong_once },
	{ "woken here, a request",   2, 2, 1, setup_timer,     { sched_loop, request },      wrong_timer_request },
	{ "a page and a TLBI",       2, 2, 2, windows_setup,   { windows_use, windows_invalidate }, windows_wrong },
	{ "an SPI",                  3, 1, 2, gic_setup,       { guest_loop, guest_loop, gic_spi }, gic_wrong_spi },
	{ "an SPI is disabled",      2, 2, 1, gic_setup_placed, { guest_loop, gic_disable }, gic_wrong_closed },
	{ "woken here, an interrupt", 2, 2, 1, setup_timer,    { sched_loop, send },         wrong_timer },
	{ "SPIs while all is chosen anew", 2, 2, 1, gic_setup_full, { guest_loop, gic_two }, gic_wrong_two },
	{ "preempted, a request",    2, 2, 2, setup_preempted, { sched_loop, request },      wrong_requested },
	{ "woken here, asleep again", 2, 2, 1, setup_timer_again, { sched_loop, send },      wrong_timer },
	{ "turns off, the VM stops", 2, 2, 1, life_setup_off,  { sched_loop, life_stop },    life_wrong_end },
	{ "turned on, the VM stops", 3, 2, 0, life_setup_on,   { sched_loop, sched_loop, life_stop_other }, life_wrong_end },
	{ "the distributor is closed", 2, 2, 1, gic_setup_placed, { guest_loop, gic_close }, gic_wrong_closed },
	{ "a window and a TLBI",     2, 2, 2, windows_setup_open, { windows_rename, windows_invalidate_more }, windows_wrong },
	{ "falls asleep, a request", 2, 2, 2, setup_sleeps,    { sched_loop, request },      wrong_requested },
	{ "both ask",                2, 2, 1, setup_ask,       { ask, ask },                 wrong_answers },
	{ "an SPI goes elsewhere",   2, 2, 1, gic_setup_placed, { guest_loop, gic_route },   gic_wrong_once },
};
/* clang-format on */

static const struct {
	const char *name;
	const void *at;
	u32 size;
} names[] = {
#define NAME(what) { #what, &what, sizeof(what) },
	NAME(vcpus[0].state) NAME(vcpus[0].requests) NAME(vcpus[0].loaded_cpu) NAME(vcpus[0].vgic.stale)
		NAME(vcpus[0].vgic.mail) NAME(vcpus[0].vgic.where) NAME(vcpus[0].vgic.op_state)
			NAME(vcpus[1].state) NAME(vcpus[1].requests) NAME(vcpus[1].vgic.where)
				NAME(vcpus[1].vgic.op_state) NAME(cpus[0].rq_lock)
					NAME(cpus[0].rq_len) NAME(cpus[1].rq_lock)
						NAME(cpus[1].rq_len) NAME(cpus[2].rq_len)
#undef NAME
};

const char *order_name(const void *at)
{
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (at >= names[i].at &&
		    (const char *)at < (const char *)names[i].at + names[i].size)
			return names[i].name;
	return "another word";
}

/* With an argument: only the scenario of that name. */
int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	u32 bad = 0;

	for (u32 i = 0; i < ARRAY_SIZE(scenarios) && !bad; i++)
		if (!only || !strcmp(scenarios[i].name, only))
			bad += !explore(&scenarios[i]);
	printf("order: %u scenarios, %u violations\n", (u32)ARRAY_SIZE(scenarios), bad);
	return bad != 0;
}
