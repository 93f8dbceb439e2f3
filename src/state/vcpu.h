/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual CPU and where each piece of its state lives:
 *
 *   x0-x30                  vcpu->gpr from exit to entry, the CPU while the guest runs
 *   PC, PSTATE              vcpu->pc, vcpu->pstate from exit to entry (written back if pc_dirty)
 *   EL1 system registers    the CPU while cpu->loaded == vcpu, else vcpu->sr (rows of sysreg.def)
 *   GIC interface, timers   the CPU while loaded, else vcpu->vgic and vcpu->vtimer
 *   SIMD                    the CPU while live (simd/simd.h), else vcpu->simd
 *
 * Only the CPU that has a vcpu loaded (or, if none has, the holder of its scheduler slot) touches
 * its state; others reach it through atomic words and vcpu_kick(): those fields say so.
 */
#pragma once

#include "arch/esr.h"
#include "arch/pstate.h"
#include "arch/sysreg_table.h"
#include "lib/list.h"
#include "lib/types.h"
#include "state/account.h"
#include "state/exit.h"
#include "state/shadow.h"
#include "state/simd.h"
#include "state/traps.h"
#include "state/vgic.h"
#include "state/window.h"
#include "state/vtimer.h"

#define MAX_VCPUS 16 /* of one VM */

struct cpu;
struct stolen_time;
struct trace_ring;
struct vm;

enum vcpu_state {
	VCPU_OFF,      /* PSCI: not started, or CPU_OFF */
	VCPU_STARTING, /* CPU_ON is setting its registers */
	VCPU_RUNNABLE, /* on a run queue */
	VCPU_RUNNING,  /* in the run loop of vcpu->cpu */
	VCPU_SLEEPING, /* WFI or CPU_SUSPEND: vcpu_kick() makes it runnable */
	VCPU_DEAD,     /* its VM is stopping, or nidus stopped it */
};

/* vcpu->requests: bits that others set with vcpu_request(), served before the next entry. */
enum vcpu_request {
	REQ_STOP = 1,      /* the VM is stopping: leave the run loop */
	REQ_VGIC_SYNC = 2, /* fold the list registers back for another CPU */
	REQ_TIMER = 4,     /* an emulated timer came due */
	/* its own: work of vEL2's must complete before the next entry (shadow_work()) */
	REQ_WORK = 8,
	/* with REQ_STOP: an SError interrupt of its accesses was pending as it left a CPU */
	REQ_SERROR = 16,
};

/* has_vel2: whether vEL2's writes of MDSCR_EL1 trap (traps/debug.h). */
struct mdscr {
	u64 entries; /* account.level_entries at the last check */
	u64 since;   /* CNTPCT when that had changed */
	u8 quiet_entries; /* entries of vEL1 in a row with a harmless write before */
	bool enabled; /* a breakpoint or watchpoint is */
	bool write_lent;     /* they do not trap */
	bool numbered_lent;  /* accesses of vEL2 to numbered registers do not (debug_lend()) */
	u8 trapped_accesses; /* how many of them have trapped without effect */
};

/* Of vcpu->rare: which of its bytes is not 0. */
enum {
	RARE_VNCR = 1,
	RARE_TRACED = 0x100,
};

struct vcpu {
	u64 gpr[32]; /* offset 0: vectors.S. [31] is XZR: always 0 */
	u64 pc, pstate;
	u64 *vncr;          /* has_vel2: its VNCR page (nested/vncr.h) */
	/* has_vel2: exit_table, for the fast paths of frequent exits; NULL: none (simd.chaos) */
	const struct exit_row *fast;
	u64 local_erets;    /* ERETs of vEL2 to itself or host EL0 (vectors.S) */
	/*
	 * has_vel2. timers_trap: vEL2's accesses to vEL1's timers trap; timers_polled: they cannot,
	 * so they are compared at each exit, ERETs too.
	 */
	bool timers_trap, timers_polled;
	bool host_erets;    /* not timers_polled, and it has a host EL0 (vectors.S) */
	bool pc_dirty;      /* pc or pstate differ from ELR_EL2/SPSR_EL2 */
	bool traps_stale;   /* an input of traps_compute() changed */
	bool debug_live;    /* the guest uses the debug registers: no longer trapped */
	bool has_vel2;       /* of a VM that may be a hypervisor */
	bool cpacr_native;  /* has_vel2: vEL2's writes to CPACR_EL1 do not trap (vel2.h) */
	bool nvhe;           /* has_vel2: its EL2 has no VHE (traps/nvhe.h) */
	bool in_vel2;           /* vEL2 or its host EL0 is current; else vEL1, or EL1 */
	bool vel1_differs;      /* vel1_id_differs, vel1_vncr, or a CNTKCTL_EL1 to keep */
	bool vel1_id_differs;   /* vEL1 has another VTCR_EL2, MIDR_EL1 or MPIDR_EL1 than vEL2 */
	u8 index;           /* within its VM */
	/* Two rare conditions that fast paths test with one load. */
	union {
		struct {
			bool vel1_vncr; /* it has registers in memory (vEL2 has FEAT_NV2) */
			bool traced;    /* trace is not NULL */
		};
		u16 rare;
	};
	/* Of the CPU where it is loaded (state/trace.h), NULL: off; and whose events they are. */
	struct trace_ring *trace;
	u64 trace_id;
	u64 mdscr_quiet;    /* has_vel2: debug_vel2_quiet() */
	u64 sr[SR_COUNT];   /* system registers while not loaded, and emulated ones always */
	struct vm *vm;
	u64 vmpidr;         /* the guest's MPIDR_EL1 */
	u64 cpacr_hidden;   /* has_vel2: simd_cpacr_hidden() */
	struct shadow_vcpu shadow; /* has_vel2: vEL1 translations it used last */
	struct traps_cache traps; /* has_vel2 */
	struct reflection reflection; /* has_vel2: REFLECT_ABORT, and what fast_abort() found */
	struct exit exit;   /* the last one */
	u32 intid;          /* run_continue(): the interrupt that took it out, acknowledged */
	u64 inject_esr, inject_far; /* verdicts INJECT, INJECT_FAR */
	const char *stop_reason; /* verdict STOP_VM */
	struct mdscr mdscr;
	struct simd_vcpu simd;
	struct vgic_vcpu vgic;
	struct vtimer vtimer;
	struct shadow_walk shadow_walk; /* has_vel2 */
	struct account account;
	sysreg_fn *const *vel2_fn; /* has_vel2: by row, what serves vEL2's access (sysreg_vel2()) */

	/* Atomic: anybody. */
	u32 requests;
	u32 state; /* enum vcpu_state */

	/* Scheduler (sched.c): guarded by cpu->rq_lock of vcpu->cpu. */
	struct cpu *cpu; /* where it runs or is queued; atomic */
	struct list rq_node;
	u64 affinity;    /* bit n: may run on cpus[n] */
	struct cpu *loaded_cpu; /* the CPU that has cpu->loaded == this vcpu, or NULL */
	struct cpu *last_cpu;   /* where it ran last: vcpu_load() */
	u64 queued_at;          /* CNTPCT when it came to rq_node */
	u64 stolen;             /* state/stolen.h: ticks that it was there */
	struct stolen_time *stolen_record; /* where it is told; NULL: nobody has asked */

	/* PSCI CPU_ON: written by the caller while the vcpu is OFF. */
	u64 entry_pc, entry_x0;
	bool powered_down; /* CPU_SUSPEND to a power-down state: until psci_resume() */
	bool going_off;    /* CPU_OFF: leaves the run loop to VCPU_OFF, not to VCPU_DEAD */

	/* run.c: bits of vgic.work to ignore until the guest has run */
	u16 checked;
	/* maybe exit_waits, vgic.deferred or powered_down: handle these before anything else */
	bool unfinished;
	/* The last exit waits for other vcpus (AGAIN): it is handled again before all else. */
	bool exit_waits;
	/* Of its several accesses so many are done, and the first of them read value. */
	struct {
		u8 done;
		u64 value;
	} pair;

	/* Large and seldom used: out of reach of a single instruction's offset. */
	struct traps_other traps_other[TRAPS_OTHERS]; /* has_vel2: beside traps */
	u64 dbg[4][16];     /* DBGBVR, DBGBCR, DBGWVR, DBGWCR while not loaded */
	struct vncr_windows windows; /* has_vel2: on what vEL2's VNCR_EL2 names (nested/vncr.h) */
};

/* An input of all cached trap controls other than vEL2's words is about to change. */
static inline void vcpu_invalidate_traps(struct vcpu *vcpu)
{
	vcpu->traps.vel1.valid = vcpu->traps.vel2.valid = false;
	for (u32 i = 0; i < TRAPS_OTHERS; i++)
		vcpu->traps_other[i].vel1.valid = false;
}

/*
 * Notify vcpu of an interrupt or a request: if it sleeps it becomes runnable, if it runs on another
 * CPU that CPU leaves the guest. Takes no lock unless it slept. Any CPU.
 */
void vcpu_kick(struct vcpu *vcpu);
/* Set a request bit, then kick. */
void vcpu_request(struct vcpu *vcpu, u32 request);

/* Whether it runs below its virtual EL2, at vEL1. */
static inline bool vcpu_in_vel1(const struct vcpu *vcpu)
{
	return vcpu->has_vel2 && !vcpu->in_vel2;
}

/* Register n of the guest as an instruction names it: 31 reads as zero and ignores writes. */
static inline u64 vcpu_gpr(const struct vcpu *vcpu, u32 n)
{
	return vcpu->gpr[n];
}

static inline void vcpu_gpr_set(struct vcpu *vcpu, u32 n, u64 v)
{
	if (n != 31)
		vcpu->gpr[n] = v;
}

/*
 * Step over the instruction that this exit is about, as if it had completed: BTYPE and the
 * software-step state are cleared. Only A32/T32 code at EL0 has 2-byte instructions, which ESR.IL
 * tells. Returns whether the instruction was single-stepped: if the caller does nothing about it,
 * the CPU raises the step exception itself, without the syndrome of this instruction.
 */
static inline bool vcpu_step_over(struct vcpu *vcpu, const struct exit *exit)
{
	bool stepped = vcpu->pstate & PSTATE_SS;

	vcpu->pc += exit->esr & ESR_IL ? 4 : 2;
	vcpu->pstate &= ~(PSTATE_SS | PSTATE_BTYPE);
	vcpu->pc_dirty = true;
	return stepped;
}
