/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI 1.1 (DEN0022) for guests. */
#pragma once

#include "exit/exit.h"

/*
 * Handle the PSCI function fid (0x84000000-0x8400001f or its 64-bit twin) of the vcpu, with
 * arguments x1..x3; the result goes to *ret. Returns the vcpu's verdict: RESUME (with the result),
 * SLEEP, AGAIN, DEAD, or its VM's: STOP_VM, RESET_VM.
 */
enum verdict psci_call(struct vcpu *vcpu, u32 fid, s64 *ret);
/*
 * End a CPU_SUSPEND to a power-down state if there is a wake-up event: the vcpu starts at the entry
 * point that it gave. False: it was kicked for another reason and sleeps again. Loaded.
 */
bool psci_resume(struct vcpu *vcpu) must_check;
