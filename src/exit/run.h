/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: the only loop that enters a guest, and the only place that acts on verdicts. */
#pragma once

#include "lib/types.h"

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
 * vectors.S: enter the guest. On each exit handle(vcpu, enum exit_kind) is called on this stack,
 * with the guest's general registers in vcpu->gpr; if it returns 0 the guest is entered again, else
 * vcpu_enter() returns that. IRQs masked.
 */
u64 vcpu_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind));

/*
 * vectors.S, the short ways of a vcpu that has EL2: vEL2 accessed a register that traps (EC 0x18),
 * vEL2's ERET, which may be to L2 (not ERETAA, ERETAB), HVC of L2. Of vcpu->gpr x0-x17 and x30 are
 * there, and Rt. 0: done, ERET with these. Else all are to be put there, and run_long(vcpu, that)
 * goes on like vcpu_enter()'s handle().
 */
u64 run_sys(struct vcpu *vcpu);
u64 run_eret(struct vcpu *vcpu);
u64 run_hvc(struct vcpu *vcpu);
/* L2's ERET, or its access to what is EL2's alone (EC 0x18, op1 4 to 7). */
u64 run_reflect(struct vcpu *vcpu);
u64 run_long(struct vcpu *vcpu, u64 code);
/* Likewise of every vcpu: a physical interrupt took the guest out. */
u64 run_irq(struct vcpu *vcpu);

/*
 * Acknowledge one interrupt. 0: the timer of vcpu, which is in its guest, and that is over with one
 * list register: nothing for sched_tick() (who queues a vcpu here, or leaves other work, ticks or
 * sends an SGI), and if more is pending it comes at once. Else irq_acked(that) handles it, and what
 * is pending besides.
 */
#define IRQ_ACKED_NONE (1023 + 1)
u64 irq_again(struct vcpu *vcpu);
void irq_acked(u64 acked);

/* Acknowledge and handle the physical interrupts that are pending on this CPU, at least one. */
void irq_handle(void);

/* What is to be called at the interrupt of the machine's UART, which is enabled. Boot CPU, once. */
void irq_uart(void (*input)(void));
