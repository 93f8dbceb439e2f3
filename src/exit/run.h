/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: the only loop that enters a guest, and the only place that acts on verdicts. */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

enum run_result {
	RUN_SLEEP,   /* waits for an interrupt or a wake-up */
	RUN_PREEMPT, /* its CPU is wanted */
	RUN_STOP,    /* CPU_OFF or the VM is going */
	RUN_AGAIN,   /* run.c's own: the last exit is to be handled again */
};

/* Run a loaded vcpu on this CPU until it sleeps, is preempted or stops. IRQs masked. */
enum run_result vcpu_run(struct vcpu *vcpu);

/*
 * vectors.S: enter the guest. On each exit that has no fast path (exit/fast.h), or one that is not
 * DONE, handle(vcpu, kind) is called on this stack, with the guest's general registers in
 * vcpu->gpr; if it returns 0 the guest is entered again, else vcpu_enter() returns that. IRQs
 * masked.
 */
u64 vcpu_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind));

/* vectors.S: a fast path's verdict was not DONE. Goes on as vcpu_enter()'s handle(). */
u64 run_on(struct vcpu *vcpu, enum verdict verdict, enum exit_kind kind);

/*
 * Acknowledge one interrupt. INTID_OVER: the timer of vcpu, which is in its guest, and that is over
 * with one list register: nothing for sched_tick() (who queues a vcpu here, or leaves other work,
 * ticks or sends an SGI), and if more is pending it comes at once. Else irq_acked(its INTID)
 * handles it, and what is pending besides.
 */
#define INTID_OVER 1024 /* no interrupt has it */
u32 irq_again(struct vcpu *vcpu);
void irq_acked(u32 intid);

/* Acknowledge and handle the physical interrupts that are pending on this CPU, at least one. */
void irq_handle(void);

/* What is to be called at the interrupt of the machine's UART, which is enabled. Boot CPU, once. */
void irq_uart(void (*input)(void));
