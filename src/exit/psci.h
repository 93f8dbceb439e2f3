/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI 1.1 (DEN0022) for guests. */
#pragma once

#include "exit/exit.h"

/*
 * Answer the PSCI function fid (0x84000000-0x8400001f or its 64-bit twin) of the vcpu's x1..x3; the
 * result goes to *ret. The verdict tells what becomes of the vcpu: RESUME (with the result), SLEEP,
 * AGAIN, DEAD, or of its VM: STOP_VM, RESET_VM.
 */
enum verdict psci_call(struct vcpu *vcpu, u32 fid, s64 *ret);
/*
 * vcpu->powered_down: if there is a wake-up event, CPU_SUSPEND ends: it starts again at the entry
 * point that was given. False: there is none, it was kicked for something else and sleeps on.
 * Loaded.
 */
bool psci_resume(struct vcpu *vcpu) must_check;
