/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake machine that the explorer runs nidus's own SIMD code on: registers hold symbolic tags
 * that say who wrote them, vectors are cut into segments at the vector lengths that exist.
 */
#pragma once

#include <setjmp.h>

#include "lib/types.h"

#define CPUS 2
#define VCPUS 3
#define SEGS 3 /* lengths of 128, 256 and 512 bits */

/* What a register (or a place in memory) holds. */
typedef u8 tag;
enum {
	T_ZERO,
	T_JUNK,  /* somebody else's, or an old value: reading it is always wrong */
	T_SMSET, /* FPSR as a change of PSTATE.SM leaves it */
	T_HOST,  /* nidus's own */
	T_ANY,   /* expectations only: its last write or zero, as the architecture allows */
	T_OWN,   /* + vcpu: its last write */
};

/* The data in SIMD registers; the same structure for a CPU and for what a vcpu must see. */
struct data {
	tag vec[SEGS]; /* Z0-Z31; segment 0 is V0-V31 */
	tag pred, ffr;
	tag status[3]; /* FPCR, FPSR, FPMR */
	tag za[SEGS], zt0;
	u8 svcr, zcr_el1, smcr_el1; /* values, LEN only */
};
#define DATA_TAGS 12 /* the tags in front of svcr */

struct machine_cpu {
	struct data d;
	u64 cptr, zcr_el2, smcr_el2, daif;
	u64 cpacr; /* CPACR_EL1 */
	u64 esr;   /* ESR_EL2 */
	bool synced; /* CPTR_EL2 has taken effect as written */
	bool in_guest;
};

/* The parameters of a pass. Lengths in segments, 0: none. */
struct setup {
	const char *name;
	u8 vcpus[2];     /* of each VM */
	u8 vl[2], svl[2];
	bool narrow;     /* a shorter length zeroes what is above it (QEMU); else it keeps it */
	bool fa64, sme2;
	bool tcpac; /* CPACR_EL1 has room for CPTR_EL2.TCPAC: vEL2 writes it without a trap */
	bool nested;     /* VM A has EL2 */
	bool one_cpu;    /* the other one stays idle */
	bool simd_switch; /* VM A: flush at each level switch */
	bool words; /* L1 changes another trap of L2's; VM A may nest deeper */
};

extern const struct setup *setup;
extern struct machine_cpu mach[CPUS];
extern u8 *home[VCPUS];
extern int cur; /* the CPU that runs */

/* Moves of each vcpu's state since move_reset(). */
extern u32 saves[VCPUS], loads[VCPUS];
void move_reset(void);

/*
 * Interrupts: the point (counted from 0) at which one with a host section comes, or -1; points
 * seen.
 */
extern int inject_at, inject_seen;
void model_irq_point(void);
/* The same wherever nidus has a chaos point, masked or not. */
void model_chaos_point(void);

/* A violation: records the line and leaves the event by longjmp(model_out). */
extern jmp_buf model_out;
extern char model_why[256];
noreturn void model_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

u32 vm_of(u32 vcpu);
/* Segments that an ELx.LEN value gives. */
u32 segs_of(u64 len);
/* The length the guest on cpu executes with now, in or out of streaming mode. */
u32 guest_len(const struct machine_cpu *m, bool streaming);
/*
 * An ERET to a guest with this CPACR_EL1, or a change of its lengths: what the machine does to
 * registers above them. QEMU: nothing is zeroed while FP traps, nor if what CPTR_EL2 traps (at EL2
 * as well) had a length of 0 before.
 */
void machine_narrow(struct machine_cpu *m, u64 cpacr);
/* The ERET that enters a guest. */
void machine_eret(struct machine_cpu *m);
/*
 * SMCR_ELx with this LEN, as guests write it: FA64 and EZT0, if they exist, are set with a long
 * LEN.
 */
u64 machine_smcr(u64 len);
/* PSTATE.SM, PSTATE.ZA := v, with the effects on the data. */
void machine_set_svcr(struct data *d, u64 v);
