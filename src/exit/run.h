/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: the only loop that enters a guest, and the only place that acts on verdicts. */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

enum run_result {
	RUN_ENTER,   /* 0; internal, vectors.S knows it: the guest is to be entered */
	RUN_SLEEP,   /* waits for an interrupt or a wake-up */
	RUN_PREEMPT, /* its CPU is wanted */
	RUN_STOP,    /* CPU_OFF, or the VM is stopping */
	RUN_AGAIN,   /* internal: the last exit is to be handled again */
	RUN_BEGIN,   /* internal: nothing is unfinished, the entry may be prepared */
};

/* Run a loaded vcpu on this CPU until it sleeps, is preempted or stops. IRQs masked. */
enum run_result vcpu_run(struct vcpu *vcpu);

/*
 * vectors.S: enter the guest. On each exit that no fast path (exit/fast.h) completes, handle(vcpu,
 * kind) is called on this stack, with the guest's general registers in vcpu->gpr; if it returns 0
 * the guest is entered again, else vcpu_enter() returns its result. IRQs masked.
 */
u64 vcpu_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind));

/*
 * vectors.S: continue after a fast path's verdict that is not DONE, like vcpu_enter()'s handle().
 */
u64 run_continue(struct vcpu *vcpu, enum verdict verdict, enum exit_kind kind);

/*
 * Acknowledge one interrupt and return its INTID, which irq_acked() then handles, along with what
 * else is pending. INTID_OVER: it was the timer of vcpu, which is in its guest, or an LPI for it,
 * and one list register has delivered it; that needs no sched_tick() (whoever queues a vcpu here,
 * or leaves other work, ticks or sends an SGI), and if more is pending it comes at once.
 */
#define INTID_OVER 1024 /* no interrupt has it: LPIs begin at 8192 */
u32 irq_redeliver(struct vcpu *vcpu);
void irq_acked(u32 intid);

/* Acknowledge and handle the physical interrupts that are pending on this CPU, at least one. */
void irq_handle(void);

#define IRQ_OWN_MAX 8
/*
 * Enable an SPI of a device of nidus's own, with its handler, which runs with interrupts masked.
 * Boot CPU.
 */
void irq_own(u32 intid, bool edge, void (*fn)(u32 intid));
/* Set the handler of the machine's UART interrupt, which is enabled. Boot CPU, once. */
void irq_uart(void (*input)(void));
