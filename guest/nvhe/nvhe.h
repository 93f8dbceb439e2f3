/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor without VHE: the program runs at EL1, and calls functions at EL2 by HVC. What it
 * observes must be the same on the bare machine and at a virtual EL2.
 */
#pragma once

#include "arch/sysreg.h"
#include "exception.h"
#include "gic.h"
#include "lib/types.h"
#include "suite.h"

#define HCR_NVHE (BIT(31) | BIT(40) | BIT(41)) /* RW, APK, API */
#define CPTR_NVHE 0x22ffUL                     /* its RES1 bits */

struct el2_frame {
	u64 x[31];
	u64 elr, spsr, esr, far, hpfar;
};

/* The last exception that EL2 took, other than calls; count says how many since el2_arm(). */
struct el2_seen {
	u64 kind, elr, spsr, esr, far, hpfar;
	u32 count, intid;
	u64 handler_spsr; /* PSTATE.{PAN,DAIF,SPSel} of the handler, as SPSR_ELx has them */
};
extern struct el2_seen seen;

enum el2_kind { EL2_SYNC = 4, EL2_IRQ, EL1_SYNC = 8, EL1_IRQ };

u64 el2_call(u64 (*fn)(u64, u64, u64), u64 a, u64 b, u64 c);
void el2_exception(struct el2_frame *f, u64 kind);
static inline void el2_arm(void)
{
	seen = (struct el2_seen){ 0 };
	asm volatile("" ::: "memory");
}

u64 try_load(u64 at);
void try_store(u64 at, u64 value);
u64 try_ldtr(u64 at);
void try_call(u64 at);
void try_fp(void);

#define ESR_OF(ec, iss) ((u64)(ec) << 26 | BIT(25) | (iss))
#define WRITE_EL2(name)                                                                            \
	static __attribute__((unused)) u64 write_##name(u64 v, u64 b, u64 c)                                               \
	{                                                                                          \
		(void)b;                                                                           \
		(void)c;                                                                           \
		sysreg_write(name, v);                                                             \
		isb();                                                                             \
		return sysreg_read(name);                                                          \
	}                                                                                          \
	static __attribute__((unused)) u64 read_##name(u64 a, u64 b, u64 c)                                                \
	{                                                                                          \
		(void)a;                                                                           \
		(void)b;                                                                           \
		(void)c;                                                                           \
		return sysreg_read(name);                                                          \
	}
/* Write at EL2 and return what reads back; read at EL2. */
#define el2_write(name, v) el2_call(write_##name, (v), 0, 0)
#define el2_read(name) el2_call(read_##name, 0, 0, 0)

/* Set HCR_EL2 for EL1, until set again. */
void el2_hcr(u64 bits);

void group_walk(void);
void group_register(void);
void group_trap(void);
void group_interrupt(void);
