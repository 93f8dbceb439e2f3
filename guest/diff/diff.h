/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The differential tester's guest: short programs made from a seed, which run at EL2 or EL1 and
 * print all they observe. The same image runs on the bare machine and in a VM of nidus, and must
 * print the same.
 *
 * A program is a list of steps, a step one operation with its operands. All of a program is made
 * before its first step runs, from the seed and its number alone, and never from anything that the
 * machine returns: leaving out a step (struct program.mask) leaves the others as they are, and so
 * the host's tool finds the shortest program.
 */
#pragma once

#include "arch/barrier.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "dt.h"
#include "gic.h"
#include "psci.h"
#include "lib/string.h"
#include "lib/types.h"
#include "random.h"
#include "test.h"

#define STEPS_MAX 24
#define STEP_ARGS 6

/* ---- where the code of a step runs ---- */
enum context {
	AT_HOST,     /* the program's own level: EL2, or EL1 */
	AT_USER,     /* EL0 below it: host EL0 with HCR_EL2.TGE = 1 */
	AT_GUEST,    /* L2: EL1 below EL2, its MMU off */
	AT_GUEST_EL0, /* EL0 of L2 */
	CONTEXTS,
};

/* An L2's addresses: IPA = VA, as its MMU is off. */
#define L2_CODE 0x80000000UL      /* the page that steps' code is put into */
/* its EL1 vectors, which report exceptions by HVC #(0x100 + number) */
#define L2_VECTORS 0x80001000UL
#define L2_WINDOW 0x100000000UL   /* WINDOW_PAGES pages that steps map and unmap */
#define WINDOW_PAGES 16u
#define SLOT_WORDS 64u
#define DATA_WORD 768u            /* offset in the page of code where a step may keep data */
#define CALL_END 0xf00u           /* SVC or HVC: the end of a step's code */
#define CALL_TELL 0x100u

#define SPSR_DAIF 0x3c0UL
#define SPSR_D 0x200UL
#define SPSR_ALLINT BIT(13)
#define SPSR_IL BIT(20)
#define SPSR_SS BIT(21)
/* UNKNOWN after an illegal return: DIT, UAO, SSBS, BTYPE, TCO; and PAN */
#define SPSR_LOST (BIT(24) | BIT(23) | BIT(22) | BIT(12) | BIT(25) | MASK(11, 10))
#define SPSR_FREE 0xf1f003dfUL /* the bits of SPSR that steps write */

enum {
	EC_UNKNOWN = 0x00,
	EC_WFX = 0x01,
	EC_FP = 0x07,
	EC_ILL = 0x0e,
	EC_SVC = 0x15,
	EC_HVC = 0x16,
	EC_SMC = 0x17,
	EC_SYS = 0x18,
	EC_ERET = 0x1a,
	EC_IABT_LOW = 0x20,
	EC_IABT = 0x21,
	EC_PC = 0x22,
	EC_DABT_LOW = 0x24,
	EC_DABT = 0x25,
	EC_SP = 0x26,
	EC_BKPT_LOW = 0x30,
	EC_BKPT = 0x31,
	EC_STEP_LOW = 0x32,
	EC_STEP = 0x33,
	EC_WATCH_LOW = 0x34,
	EC_WATCH = 0x35,
	EC_BRK = 0x3c,
};

#define ESR_EC(esr) FIELD(esr, 31, 26)

/* run.S knows the layout. */
struct run {
	u64 x[31];
	u64 elr, spsr;
	u64 esr, far, hpfar;
	u64 host_sp;
};

/* Enter the code; returns at its next exception, with the number of the vector. */
u64 run_enter(struct run *r);
extern const char run_vectors[], run_l2_vectors[];

/* Vector of an exception of the tester itself, which ends the run. */
void run_died(u64 kind, u64 esr, u64 elr, u64 far);

/* ---- programs ---- */
struct rng {
	u64 s;
};

struct op;

struct step {
	const struct op *op;
	u64 a[STEP_ARGS];
};

struct program {
	u32 count;
	u32 mask; /* bit n: step n runs */
	struct step step[STEPS_MAX];
};

/*
 * A kind of step. weight: how often it is chosen, relative to the sum of all weights. At EL1 only
 * those with el1 exist. gen() fills a[] from the rng alone. name() prints what the step does,
 * before it runs. run() does it, and prints what it saw with say().
 */
struct op {
	const char *kind;
	u32 weight;
	bool el1;
	void (*gen)(struct step *s, struct rng *r);
	void (*name)(const struct step *s);
	void (*run)(const struct step *s);
};

/* Each family of operations ends with an empty row. */
extern const struct op ops_hcr[], ops_reg[], ops_insn[], ops_eret[], ops_memory[], ops_gic[],
	ops_debug[], ops_stage1[];

/* A random element of the list. */
static inline u32 rng_below(struct rng *r, u32 n)
{
	return (u32)((random_next(&r->s) >> 32) * n >> 32);
}

static inline u64 rng_next(struct rng *r)
{
	return random_next(&r->s);
}

/* True once in n times. */
static inline bool rng_once(struct rng *r, u32 n)
{
	return !rng_below(r, n);
}

/* A random context of those that exist (diff_el2). */
u32 rng_context(struct rng *r);

/* ---- program and output ---- */
extern bool diff_el2;
extern const char *const context_name[CONTEXTS];

/* Add to the output of the step. A line is one step. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- run.c: code ---- */
/* Begin the code of a step; emit() then adds its instructions. */
void code_begin(void);
void code_emit(u32 insn);
/*
 * Run it in the context, with general registers x[0..count-1] from x; on return x has what they
 * were at its end. Exceptions on the way are printed, and the code continues after the instruction.
 * It may use all general registers.
 */
void code_run(enum context at, u64 *x, u32 count);
/* The same, entered by an ERET with this SPSR at word `offset` of the code. */
void code_run_at(enum context at, u64 spsr, u32 offset, u64 *x, u32 count);
/* The page that holds the code. */
u64 code_page(void);
/* The address of word n of the code, as the context sees it. */
u64 code_address(enum context at, u32 n);
/* Print an address; one in the code or in the window relative to it. */
void say_address(const char *what, u64 a);
/* The SPSR by which a context is entered: everything masked. */
u64 context_spsr(enum context at);

/*
 * Acknowledge what is signalled at the program's own level, print it and end it; a timer's
 * interrupt is masked at the timer.
 */
void interrupt_take(bool fiq);

/*
 * HCR_EL2 of the next L2, and of the host, which leaves out what only an L2 needs. Steps write it.
 */
extern u64 run_hcr;
/* Write HCR_EL2, then what depends on it. Nothing at EL1. */
void hcr_write(u64 v);
#define HCR_ALWAYS (HCR_E2H | HCR_RW)

/* ---- encodings ---- */
#define SYS_INSN(l, op0, op1, n, m, op2, rt)                                                       \
	(0xd5000000u | (u32)(l) << 21 | (u32)(op0) << 19 | (u32)(op1) << 16 | (u32)(n) << 12 |     \
	 (u32)(m) << 8 | (u32)(op2) << 5 | (u32)(rt))
#define INSN_NOP 0xd503201fu
#define INSN_ISB 0xd5033fdfu
#define INSN_DSB 0xd5033f9fu
#define INSN_SVC(n) (0xd4000001u | (u32)(n) << 5)
#define INSN_HVC(n) (0xd4000002u | (u32)(n) << 5)
#define INSN_SMC(n) (0xd4000003u | (u32)(n) << 5)
#define INSN_BRK(n) (0xd4200000u | (u32)(n) << 5)
#define INSN_ERET 0xd69f03e0u
#define INSN_EOR(d, n, m) (0xca000000u | (u32)(m) << 16 | (u32)(n) << 5 | (u32)(d))

/* ---- reset.c ---- */
/* Once: set up what never changes. */
void reset_init(void);
/* Put everything that a step can change into the same state before every program. */
void reset_all(void);
/* This CPU's redistributor. */
extern u64 reset_gicr;

/* ---- memory.c ---- */
void memory_init(void);
void memory_reset(void);
extern u64 memory_vttbr, memory_vtcr;
/* A physical page that windows show, 0 to 3: some words of data, and RETs from MEMORY_RET on. */
u64 memory_data(u32 n);
/* Which of them is mapped at this address; -1: none. */
s64 memory_data_index(u64 a);
#define MEMORY_RET 512u
/*
 * Whether the window's stage 2, as it is now, has a page there that may not be read (or written).
 */
bool memory_denied(u64 ipa, bool write);

/* ---- the families' own state ---- */
void stage1_init(void);
void stage1_reset(void);
void debug_reset(void);
void gic_reset(void);
/* A priority that no other INTID used by steps has: one of three, by n. */
u8 own_priority(u32 intid, u32 n);
