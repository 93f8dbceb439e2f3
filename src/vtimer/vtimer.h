/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's generic timers, and nidus's own software timers on CNTHP. The virtual timer is the guest's
 * own (CNTV, HW-bit list register); the physical one too where CNTPOFF_EL2 works, else emulated. A VM that
 * has EL2 has four timers: nested.h.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

struct vcpu;
struct cpu;

/* A software timer; on one CPU's list while armed. */
struct timer {
	struct list node;
	struct cpu *cpu; /* whose list; NULL when not armed */
	u64 deadline;    /* CNTPCT */
	void (*fn)(struct timer *t); /* on that CPU, interrupts masked, timer lock not held */
};

void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Arm (or re-arm) on this CPU. */
void timer_set(struct timer *t, u64 deadline);
/* Disarm, wherever it is armed; its function may be running when this returns. */
void timer_cancel(struct timer *t);
/* CNTHP fired on this CPU: run what is due, program the next. */
void timer_interrupt(void);

struct vtimer {
	u64 cntv_ctl, cntv_cval; /* while not loaded */
	u64 cntp_ctl, cntp_cval; /* while not loaded, or always if emulated */
	struct timer virt_wake; /* stands for CNTV while not loaded */
	struct timer phys;      /* stands for CNTP while emulated (or not loaded); for both emulated ones */
	bool phys_line;         /* level of the emulated physical timer */
	/* Of a vcpu that has EL2 (nested.h), whose four timers take turns in CNTV and CNTP. */
	u64 cnthv_ctl, cnthv_cval; /* while L2 runs, or not loaded */
	u64 cnthp_ctl, cnthp_cval; /* likewise */
	u32 el2_lines;             /* PPIs that emulated ones hold high */
	u64 el2_cntvoff;           /* L1's CNTVOFF_EL2 that the software timer was set by */
};

/* INTIDs of the guest's timers, as its device tree says. */
#define GUEST_PPI_VIRT 27
#define GUEST_PPI_PHYS 30

/* Tell whether CNTPOFF_EL2 really offsets what EL1 sees: found out once at boot (boot/probe.c). */
void vtimer_set_cntpoff(bool works);
bool vtimer_has_cntpoff(void);
void vtimer_reset(struct vcpu *vcpu);
void vtimer_load(struct vcpu *vcpu);
void vtimer_put(struct vcpu *vcpu);
/* The virtual (or direct physical) timer of the loaded vcpu fired: INTID of this machine. */
void vtimer_interrupt(struct vcpu *vcpu, u32 intid);
/*
 * The lines of its timers that are not emulated, bit n for PPI n: whether each is enabled, not masked, and its condition
 * is met (AArch64.CheckTimerConditions). loaded: as this CPU has them; else by their registers in memory.
 */
u32 vtimer_lines(const struct vcpu *vcpu, bool loaded);
/* The physical counter, CNTPCT_EL0. */
u64 counter_now(void);

/* The emulated physical timer: CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTP_TVAL_EL0 and CNTPCT_EL0 as they trap. */
enum vtimer_reg { VTIMER_CTL, VTIMER_CVAL, VTIMER_TVAL, VTIMER_COUNT };
u64 vtimer_phys_read(struct vcpu *vcpu, enum vtimer_reg reg);
void vtimer_phys_write(struct vcpu *vcpu, enum vtimer_reg reg, u64 v);
/* REQ_TIMER: an emulated timer came due; set its line. In the vcpu's own run loop. */
void vtimer_update(struct vcpu *vcpu);
