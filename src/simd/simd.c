/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership of the SIMD registers: claim, flush, host sections, and the trap bits that follow from
 * it. The owner changes only with interrupts masked, so that an interrupt taken at EL2, which may
 * run a host section, comes before or after and never in between.
 */
#include "simd/simd.h"

#include "arch/barrier.h"
#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/simd.h"
#include "state/exit.h"
#include "lib/check.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/trace.h"
#include "state/vcpu.h"

bool simd_chaos;

/*
 * CPTR_EL2 with all SIMD traps set; as simd_close() leaves it, with CPACR_EL1 trapped as well,
 * because an entry may follow before the vcpu's needs are computed (hidden fields, the level,
 * vEL2's traps); and open for all that the machine has. Trace and activity monitors always trap.
 */
static u64 cptr_armed, cptr_closed, cptr_open;
/* The fields of CPACR_EL1 that the machine has. */
static u64 cpacr_zen, cpacr_smen;

void simd_cptr_init(void)
{
	cptr_armed = CPTR_TTA | (feat.amu ? CPTR_TAM : 0);
	cptr_closed = cptr_armed | CPTR_TCPAC;
	cpacr_zen = feat.sve ? CPTR_ZEN : 0;
	cpacr_smen = feat.sme ? CPTR_SMEN : 0;
	cptr_open = cptr_armed | CPTR_FPEN | cpacr_zen | cpacr_smen;
}

/*
 * Fields of features that the machine has and this VM lacks: the guest's own CPACR_EL1 must let
 * their instructions through to the trap that makes them UNDEFINED, or they would trap to EL1 with
 * the exception class of the feature.
 */
u64 simd_cpacr_hidden(const struct simd_vcpu *s)
{
	return (s->vl ? 0 : cpacr_zen) | (s->svl ? 0 : cpacr_smen);
}

u64 simd_cptr_granted(const struct simd_vcpu *s)
{
	return cptr_armed | CPTR_FPEN | (s->vl ? CPTR_ZEN : 0) | (s->svl ? CPTR_SMEN : 0) |
	       (simd_cpacr_hidden(s) ? CPTR_TCPAC : 0);
}

static bool is_live_on(const struct vcpu *vcpu, const struct cpu *cpu)
{
	return vcpu->simd.cpu == cpu && cpu->simd.owner == vcpu;
}

void simd_cptr_write(u64 cptr)
{
	simd_cptr_load(&cpu_this()->traps, cptr);
}

u64 simd_cptr(const struct vcpu *vcpu)
{
	if (is_live_on(vcpu, cpu_this()))
		return vcpu->simd.cptr;
	return cptr_armed | (vcpu->simd.cptr & CPTR_TCPAC);
}

void simd_open(void)
{
	simd_cptr_write(cptr_open);
	/* CPTR_EL2 traps EL2 too, and the write that opened it may not be synchronised yet. */
	isb();
}

void simd_close(void)
{
	simd_cptr_write(cptr_closed);
}

/* Set both pointers, always together. */
static void set_owner(struct cpu *cpu, struct vcpu *vcpu)
{
	cpu->simd.owner = vcpu;
	vcpu->simd.cpu = cpu;
}

static void clear_owner(struct cpu *cpu, struct vcpu *vcpu)
{
	cpu->simd.owner = NULL;
	vcpu->simd.cpu = NULL;
	/* Trap values computed while it was live are stale now. */
	vcpu->traps_stale = true;
}

/* Save and disown. CPTR_EL2 is open; the caller sets its next value. */
static void write_back(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 bytes = simd_state_save(vcpu);

	vcpu->simd.bytes += bytes;
	vcpu->simd.flushes++;
	trace_event(vcpu, TRACE_FLUSH, 0, bytes, 0);
	clear_owner(cpu, vcpu);
}

void simd_claim(struct vcpu *vcpu)
{
	u64 daif = irq_save();
	struct cpu *cpu = cpu_this();
	u64 bytes;

	if (!is_live_on(vcpu, cpu)) {
		CHECK(!cpu->simd.owner && !vcpu->simd.cpu && !cpu->simd.host);
		simd_open();
		bytes = simd_state_load(vcpu);
		vcpu->simd.bytes += bytes;
		vcpu->simd.claims++;
		trace_event(vcpu, TRACE_CLAIM, 0, bytes, 0);
		set_owner(cpu, vcpu);
	}
	if (unlikely(vcpu->has_vel2))
		vcpu->traps_stale = true; /* vEL2's traps, if vEL1 is about to run */
	simd_cptr_write(simd_cptr(vcpu));
	irq_restore(daif);
}

void simd_flush(struct vcpu *vcpu)
{
	u64 daif = irq_save();
	struct cpu *cpu = vcpu->simd.cpu;

	if (cpu) {
		CHECK(is_live_on(vcpu, cpu_this()));
		simd_open();
		write_back(cpu, vcpu);
		simd_close();
	}
	irq_restore(daif);
}

/* Drop the state that is live here, without a save. */
static void drop(struct vcpu *vcpu)
{
	u64 daif = irq_save();
	struct cpu *cpu = vcpu->simd.cpu;

	if (cpu) {
		CHECK(is_live_on(vcpu, cpu_this()));
		simd_open();
		simd_state_forget(vcpu);
		clear_owner(cpu, vcpu);
		simd_close();
	}
	irq_restore(daif);
}

void simd_vcpu_reset(struct vcpu *vcpu)
{
	drop(vcpu);
	vcpu->simd.vel1 = false; /* it starts at vEL2, if it has that */
	simd_state_reset(vcpu);
}

void simd_vcpu_destroy(struct vcpu *vcpu)
{
	drop(vcpu);
	simd_state_free(vcpu);
}

enum verdict simd_trap(struct vcpu *vcpu, const struct exit *exit)
{
	u64 ec = ESR_EC(exit->esr);

	if ((ec == EC_SVE && !vcpu->simd.vl) || (ec == EC_SME && !vcpu->simd.svl))
		return UNDEF;
	simd_claim(vcpu);
	return RESUME;
}

/*
 * Whether the home is in streaming mode: such a vcpu never runs with its state in memory. PSTATE.SM
 * decides whether an SVE instruction is checked against CPACR_EL1's ZEN or SMEN, ahead of any trap
 * to EL2: with SM = 0 of unowned registers the guest would get an exception (EC 0x19) that
 * streaming mode never raises. Linux takes it for a first use of SVE and zeroes Z and P.
 */
static bool is_streaming(const struct vcpu *vcpu)
{
	return vcpu->simd.state->svcr & SVCR_SM;
}

/*
 * Correct CPTR_EL2: a host section ran between the computation of the trap values and their load;
 * or the state is not live and must be.
 */
static __attribute__((noinline)) void check_repair(struct vcpu *vcpu)
{
	if (cpu_this()->simd.owner != vcpu && is_streaming(vcpu))
		simd_claim(vcpu);
	else if (is_live_on(vcpu, cpu_this()))
		simd_cptr_write(simd_cptr(vcpu));
	else
		simd_close();
	vcpu->traps_stale = true;
}

void simd_check(struct vcpu *vcpu)
{
	const struct cpu *cpu = cpu_this();
	bool open = cpu->traps.cptr & (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN);

	if (likely(cpu->simd.owner == vcpu)) {
		/* With vEL2's traps added, closed can be right for live state too. */
		if (likely(open || vcpu->has_vel2))
			return;
	} else if (likely(!open && !is_streaming(vcpu))) {
		return;
	}
	check_repair(vcpu);
}

void simd_host_begin(void)
{
	u64 daif = irq_save();
	struct cpu *cpu = cpu_this();

	CHECK(!cpu->simd.host);
	cpu->simd.host = true;
	cpu->simd.daif = daif;
	if (cpu->loaded) {
		cpu->loaded->simd.host_sections++;
		trace_event(cpu->loaded, TRACE_HOST, 0, 0, 0);
	}
	simd_open();
	if (cpu->simd.owner)
		write_back(cpu, cpu->simd.owner);
}

/*
 * The registers keep nidus's values: no guest sees them, as none is live, and a claim overwrites
 * all that its VM can reach.
 */
void simd_host_end(void)
{
	struct cpu *cpu = cpu_this();

	CHECK(cpu->simd.host);
	simd_close();
	cpu->simd.host = false;
	irq_restore(cpu->simd.daif);
}

/*
 * One point in four, pseudo-randomly: at every point a guest's first FP use would never complete.
 */
static bool chaos_now(void)
{
	static u64 state;
	u64 x = __atomic_load_n(&state, __ATOMIC_RELAXED);

	x = x * 6364136223846793005UL + 1442695040888963407UL; /* Knuth's MMIX generator */
	__atomic_store_n(&state, x, __ATOMIC_RELAXED);
	return !(x >> 62);
}

void simd_chaos_section(void)
{
	simd_host_begin();
	simd_scramble();
	simd_host_end();
}

void simd_chaos_maybe(void)
{
	if (chaos_now())
		simd_chaos_section();
}
