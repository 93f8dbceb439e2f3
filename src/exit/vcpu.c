/* SPDX-License-Identifier: Apache-2.0 */
/* A vcpu's state outside the run loop: reset, load, put. */
#include "exit/vcpu.h"

#include "arch/barrier.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "exit/exit.h"
#include "exit/serror.h"
#include "exit/sysreg_emul.h"
#include "lib/check.h"
#include "nested/level.h"
#include "nested/vncr.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/trace.h"
#include "traps/bank.h"
#include "traps/identity.h"
#include "traps/vel2.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

void vcpu_reset(struct vcpu *vcpu, u64 pc, u64 x0)
{
	CHECK(!vcpu->loaded_cpu);
	for (u32 i = 0; i < ARRAY_SIZE(vcpu->gpr); i++)
		vcpu->gpr[i] = 0;
	vcpu->gpr[0] = x0;
	vcpu->pc = pc;
	vcpu->pstate = PSTATE_EL1H_MASKED;
	vcpu->debug_live = false;
	vcpu->exit_waits = false;
	vcpu->pair.done = 0;
	sysreg_reset(vcpu);
	vcpu->sr[SR_CPACR_EL1] = simd_cpacr_hidden(&vcpu->simd);
	vcpu->fast = vcpu->has_vel2 && !simd_chaos ? exit_table : NULL;
	if (vcpu->has_vel2) {
		vcpu->vel2_fn = sysreg_vel2_table(vcpu->nvhe);
		vel2_reset(vcpu);
		vncr_reset(vcpu);
	}
	simd_vcpu_reset(vcpu);
	vtimer_reset(vcpu);
	vgic_vcpu_reset(vcpu);
}

void vcpu_load(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	CHECK(!cpu->loaded && !vcpu->loaded_cpu);
	/* One that came while none was loaded is not this vcpu's. */
	serror_poll();
	if (unlikely(vcpu->has_vel2))
		level_load(vcpu);
	else
		identity_load(vcpu);
	simd_chaos_point();
	sysreg_load(vcpu);
	simd_chaos_point();
	vtimer_load(vcpu);
	vgic_load(vcpu);
	simd_chaos_point();
	vcpu->pc_dirty = true;
	vcpu->traps_stale = true;
	vcpu->account.switches++;
	trace_load(vcpu, cpu);
	trace_event(vcpu, TRACE_LOAD, 0, 0, 0);
	cpu->loaded = vcpu;
	__atomic_store_n(&vcpu->loaded_cpu, cpu, __ATOMIC_RELAXED);
}

void vcpu_put(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	CHECK(cpu->loaded == vcpu);
	/*
	 * Table walks of the old regime complete before anything of it changes, and so do TLBIs and
	 * cache maintenance that the guest began here, as its own DSB may come on another CPU.
	 */
	dsb(sy);
	/* An SError caused by its accesses must not be taken in another VM. */
	serror_poll();
	simd_chaos_point();
	simd_flush(vcpu);
	simd_chaos_point();
	if (unlikely(vcpu->has_vel2))
		level_put(vcpu);
	/*
	 * In this order: once the GIC's state is free for others to read, the timers' lines are in
	 * memory too.
	 */
	vtimer_put(vcpu);
	vgic_put(vcpu);
	sysreg_save(vcpu);
	simd_chaos_point();
	trace_event(vcpu, TRACE_PUT, 0, 0, 0);
	cpu->loaded = NULL;
	/* From here on another CPU may take it. */
	__atomic_store_n(&vcpu->loaded_cpu, NULL, __ATOMIC_RELEASE);
}
