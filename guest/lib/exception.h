/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions of a guest program: catch one on purpose, run something at EL0. */
#pragma once

#include "cpu.h"
#include "lib/types.h"

/* The interrupted context; start.S knows the layout. */
struct frame {
	u64 x[31];
	u64 sp_el0;
	u64 elr, spsr, esr, far;
};

/* What a caught synchronous exception said. */
struct trap {
	u32 count;
	u64 esr, far, elr;
};

#define ESR_EC(esr) FIELD(esr, 31, 26)
#define ESR_ISS(esr) FIELD(esr, 24, 0)
enum {
	EC_UNKNOWN = 0x00,
	EC_SVE = 0x19,
	EC_FP = 0x07,
	EC_BTI = 0x0d,
	EC_SVC = 0x15,
	EC_HVC = 0x16,
	EC_SMC = 0x17,
	EC_SYS = 0x18,
	EC_SME = 0x1d,
	EC_IABT_LOW = 0x20,
	EC_IABT = 0x21,
	EC_PC_ALIGN = 0x22,
	EC_DABT_LOW = 0x24,
	EC_DABT = 0x25,
	EC_BRK = 0x3c,
};

/*
 * From here to trap_disarm() a synchronous exception at EL1 on this CPU is recorded in *t and
 * execution continues: after the instruction or, if the fetch itself failed, at the address in x30
 * (as if the function called had returned).
 */
void trap_arm(struct trap *t);
void trap_disarm(void);

/*
 * Run f->elr at EL0 with f's registers; returns when it takes a synchronous exception, which f
 * then describes (esr, far, elr, registers). Interrupts go to the CPU's handlers if f->spsr
 * unmasks them.
 */
void el0_run(struct frame *f);

/* For start.S. */
void exception_entry(struct frame *f, u64 kind);
void el0_enter(struct frame *f);
noreturn void el0_leave(void);
