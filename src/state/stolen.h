/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stolen time (DEN0057): how long a vcpu could have run but waited in a run queue. Counted since
 * its VM started, whoever asks for it; CPU_OFF and CPU_ON do not begin anew.
 */
#pragma once

#include "state/vcpu.h"

/* What the guest reads, in a page that the VM has besides its RAM (layout.stolen). */
struct stolen_time {
	u32 revision, attributes; /* 0 */
	u64 ns;
	u64 pad[6]; /* structures are aligned to 64 bytes */
};

/* The vcpu begins, or ends, to wait in a run queue. Under the queue's lock. */
void stolen_begin(struct vcpu *vcpu);
void stolen_end(struct vcpu *vcpu);
/*
 * What the hypervisor below has taken of this CPU, cpu, since the last call, it took of the vcpu
 * that is loaded. Only if cpu->stolen_from is set.
 */
void stolen_below(struct cpu *cpu);
/* Forget everything, for one vcpu and in the VM's page: the VM starts. */
void stolen_reset(struct vcpu *vcpu);
void stolen_reset_page(struct vm *vm);
/*
 * Keep the structure in the VM's page for this vcpu up to date from now on; returns its IPA. The
 * vcpu's own CPU.
 */
u64 stolen_publish(struct vcpu *vcpu);
