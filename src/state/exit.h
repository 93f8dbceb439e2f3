/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exit from the guest: its snapshot, its classes, the verdicts that handlers give, and the shape
 * of one.
 */
#pragma once

#include "arch/esr.h"
#include "arch/sysreg_table.h"
#include "lib/types.h"

struct vcpu;

/* Which vector the exit came through: vcpu_enter(). vectors.S has the same numbers. */
enum exit_kind { EXIT_SYNC, EXIT_IRQ, EXIT_FIQ, EXIT_SERROR };

/* Read once per exit; handlers read this and never ESR_EL2 itself. far, hpfar: ESR_HAS_FAR(). */
struct exit {
	u64 esr, far, hpfar, elr, spsr;
};

/* The faulting IPA of a stage-2 abort, unless the architecture leaves it UNKNOWN. */
static inline u64 exit_ipa(const struct exit *exit)
{
	return HPFAR_IPA(exit->hpfar) | (exit->far & MASK(11, 0));
}

/* What to do with the vcpu; only run.c acts on it. vectors.S knows that DONE is 0. */
enum verdict {
	DONE,       /* fast paths only (exit/fast.h): all is in place for the ERET */
	DONE_GPRS,  /* the same, but x18-x29 are in vcpu->gpr */
	RESUME,     /* enter again where the vcpu's pc is */
	SKIP,       /* step over the trapped instruction, then enter again */
	REFLECT,    /* give the exception to vEL2, with its syndrome */
	UNDEF,      /* the instruction is UNDEFINED for this guest: inject that */
	INJECT,     /* inject the synchronous exception whose ESR is vcpu->inject_esr; FAR stays */
	INJECT_FAR, /* the same, with vcpu->inject_far in FAR */
	ABORT,      /* inject an external abort for the access that the exit is about */
	SLEEP,      /* nothing to run until it is woken (WFI, CPU_OFF, CPU_SUSPEND) */
	DEAD,       /* the vcpu is off, or its VM is stopping already */
	STOP_VM,    /* stop its VM; vcpu->stop_reason: why, or NULL at its guest's request */
	RESET_VM,   /* reset its VM, at its guest's request */
	/* waits for other vcpus: handle the exit again, before anything else */
	AGAIN,
	/*
	 * Nothing was done, as it is for another handler: of fast paths (the slow path follows),
	 * sysreg_vel2() and vgic_vel2_icc() (sysreg_trap() decides). UNDEF is an answer.
	 */
	PASS,
	REFLECT_ABORT, /* give vEL2 the abort in vcpu->reflection instead */
};

/* The fast path of a synchronous exit (exit/fast.h), from its syndrome. */
typedef enum verdict exit_fast_fn(struct vcpu *vcpu, u64 esr);

/* Exit classes for accounting: perf kvm stat's names (esr_ec) where it has them. */
#define EXIT_CLASSES(X)                                                                            \
	X(UNKNOWN, "UNKNOWN")                                                                      \
	X(IRQ, "IRQ")                                                                              \
	X(FIQ, "FIQ")                                                                              \
	X(SERROR, "SError")                                                                        \
	X(WFX, "WFx")                                                                              \
	X(FP_ASIMD, "FP_ASIMD")                                                                    \
	X(SVE, "SVE")                                                                              \
	X(SME, "SME")                                                                              \
	X(PAC, "PAC")                                                                              \
	X(SVC, "SVC64")                                                                            \
	X(HVC, "HVC64")                                                                            \
	X(SMC, "SMC64")                                                                            \
	X(SYS, "SYS64")                                                                            \
	X(ERET, "ERET")                                                                            \
	X(IABT, "IABT_LOW")                                                                        \
	X(DABT, "DABT_LOW")                                                                        \
	X(OTHER, "OTHER")

enum exit_class {
#define X(id, name) EXIT_CLASS_##id,
	EXIT_CLASSES(X)
#undef X
	EXIT_CLASS_COUNT
};

/* A row of the dispatch of synchronous exits (exit/exit.c). vectors.S knows it (offsets.c). */
struct exit_row {
	exit_fast_fn *fast[2]; /* while vEL1, vEL2 runs; NULL: none */
	enum verdict (*handle)(struct vcpu *vcpu, const struct exit *exit);
	enum exit_class class;
};

/*
 * Emulate an access to a register. write: *value is what the guest writes; else *value is set to
 * what it reads (0 on entry). Returns SKIP, UNDEF, or another verdict.
 */
typedef enum verdict sysreg_fn(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value);
