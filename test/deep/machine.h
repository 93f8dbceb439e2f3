/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine of the deep model: one CPU with EL2, FEAT_NV2, SVE and SME. Registers hold symbolic
 * tags that say who wrote them, vectors are cut into segments at the lengths that exist. Two nidus
 * run on it: l0 at EL2, l1 at EL1 as l0's guest.
 */
#pragma once

#include <setjmp.h>

#include "arch/sysreg.h"
#include "lib/types.h"
#include "state/exit.h"

#define SEGS 3 /* lengths of 128, 256 and 512 bits */
enum { L0, L1, NIDUS };
enum { G_V, G_W, G_B, GUESTS }; /* whose SIMD state it is: l1's two vcpus, and l0's other one */

/* What a register (or a place in memory) holds. */
typedef u8 tag;
enum {
	T_ZERO,
	T_JUNK,  /* somebody else's, or an old value: reading it is always wrong */
	T_SMSET, /* FPSR as a change of PSTATE.SM leaves it */
	T_HOST,  /* a nidus's own */
	T_ANY,   /* expectations only: its last write or zero, as the architecture allows */
	T_OWN,   /* + guest: its last write */
};

/* The data in SIMD registers; the same structure for the CPU and for what a guest must see. */
struct data {
	tag vec[SEGS]; /* Z0-Z31; segment 0 is V0-V31 */
	tag pred, ffr;
	tag status[3]; /* FPCR, FPSR, FPMR */
	tag za[SEGS], zt0;
	u8 svcr;
};

struct processor {
	struct data d;
	u64 reg[R_COUNT]; /* by their own names: EL1's and EL2's */
	u64 pc, pstate, x0;
	u64 daif; /* EL2's; EL1's is in pstate */
	bool at_el2;
	bool synced; /* what governs SIMD at this Exception level has taken effect as written */
};

/* The parameters of a pass. Lengths in segments, 0: none. */
struct setup {
	const char *name;
	u8 vl[GUESTS], svl[GUESTS]; /* of each guest's VM; of V and W the VM is l1's */
	u8 vl1, svl1;               /* of the VM that l1 is in */
	bool narrow; /* a shorter length zeroes what is above it (QEMU); else it keeps it */
	bool fa64, sme2;
	bool tcpac;            /* CPACR_EL1 has room for CPTR_EL2.TCPAC */
	bool two;              /* there is W */
	bool len2, len3, smcr; /* L2 changes its own lengths, L3 its own; SMCR_ELx separately */
	u8 cptrs;              /* which of the values of CPTR_EL2 L2 gives it, in guests.c */
	bool words; /* L2 changes another trap; the cached trap controls are part of the state */
};

extern const struct setup *setup;
extern struct processor m;
extern u8 *home[NIDUS][2]; /* of V and W; of l1 and B */

/* Moves of each vcpu's state since the counts were cleared, by nidus and its vcpu. */
extern u8 saves[NIDUS][2], loads[NIDUS][2];

/* A violation: records the line and leaves the event by longjmp(model_out). */
extern jmp_buf model_out;
extern char model_why[256];
noreturn void model_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * One thing that may happen within an event, at the point (counted from 0) that it names; points
 * seen, and exits to l0.
 */
enum mode {
	MODE_FAST,     /* nothing; fast paths */
	MODE_FULL,     /* nothing; both nidus use the slow path */
	MODE_L1_CHAOS, /* a host section of l1 at one of its chaos points */
	MODE_L0_CHAOS, /* a host section of l0 at one of its chaos points */
	MODE_L0_OTHER, /* B's turn, which uses SIMD, between two instructions of l1's */
	MODES
};
extern u8 mode;
extern int inject_at, inject_seen;
extern u32 exits;
void chaos_point(u32 nidus);

/* Segments that an ELx.LEN value gives; the length that EL1 has now. */
u32 segs_of(u64 len);
u32 el1_len(bool streaming);
/*
 * The length of the running guest; and a copy of the vectors at that length, the rest zeroed or
 * kept.
 */
u32 machine_len(bool streaming);
void machine_cut(tag *segs, u32 len);
/*
 * SMCR_ELx with this LEN, as guests write it: FA64 and EZT0, if they exist, are set with a long
 * LEN.
 */
#define LEN_LONG 15
u64 machine_smcr(u64 len);
/* PSTATE.SM, PSTATE.ZA := v, with the effects on the data. */
void machine_set_svcr(struct data *d, u64 v);
/* The lengths have changed, while FP, SVE and SME are usable as given. */
void machine_narrow(void);

/* An exception to EL2; m.pc says what l0 enters after it. */
void machine_exit(enum exit_kind kind, u64 esr);
void machine_exit_for_good(enum exit_kind kind, u64 esr); /* l0 may run another vcpu then */
/* ERET of EL2, and of EL1 that calls itself EL2. */
void machine_eret(void);
void machine_eret_el1(u64 iss);

/* Check that a nidus may use what CPTR_EL2 governs by these fields: l1 by an exit, if need be. */
extern const char *const nidus_name[];
void machine_needs(u32 nidus, u64 need, u64 ec, const char *what);

/* The outcome of an access to a register at EL1. */
enum outcome {
	ALLOWED,
	EXITS,     /* to EL2, with route.esr */
	UNDEFINED, /* or another exception to EL1 itself */
};
struct route {
	enum outcome outcome;
	u64 *place;
	u64 esr;
};
struct route machine_route(enum reg r, bool write);
/* The outcome of an instruction that needs these fields (CPTR_*) and has this exception class. */
struct route machine_simd(u64 need, u64 ec);
