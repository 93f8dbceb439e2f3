/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a VM's own stage 2 and a vcpu's own identity into this CPU. */
#include "traps/identity.h"

#include "arch/barrier.h"
#include "arch/idspace.h"
#include "arch/sysreg.h"
#include "mm/tlb.h"
#include "state/cpu.h"
#include "state/vm.h"

/*
 * Invalidate the VMID's local TLB entries if they may not be this vcpu's. The VMID names the VM,
 * not the vcpu: entries that another vcpu of it left in this CPU's TLB (its own use of an ASID,
 * entries it invalidated locally elsewhere) must not be used by this one. So a vcpu that comes to a
 * CPU where it was not the VM's last, or that ran elsewhere since, starts clean.
 */
static void tlb_take_over(struct vcpu *vcpu, struct cpu *cpu)
{
	struct vm *vm = vcpu->vm;

	if (vm->last_ran[cpu->index] == vcpu && vcpu->last_cpu == cpu)
		return;
	isb(); /* VTTBR_EL2 first */
	tlb_invalidate_vmid_local();
	vm->last_ran[cpu->index] = vcpu;
	vcpu->last_cpu = cpu;
}

void identity_load(struct vcpu *vcpu)
{
	u64 midr = vcpu->vm->id_regs.v[IDX_MIDR_EL1];

	stage2_load(&vcpu->vm->stage2);
	tlb_take_over(vcpu, cpu_this());
	if (sysreg_read(VPIDR_EL2) != midr)
		sysreg_write(VPIDR_EL2, midr);
	if (sysreg_read(VMPIDR_EL2) != vcpu->vmpidr)
		sysreg_write(VMPIDR_EL2, vcpu->vmpidr);
}
