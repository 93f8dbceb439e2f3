/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercalls: the SMC Calling Convention (DEN0028) over HVC and SMC. */
#pragma once

#include "exit/exit.h"

/* EC 0x16: PC is already behind the instruction. */
enum verdict hvc_trap(struct vcpu *vcpu, const struct exit *exit);
/*
 * EC 0x17: trapped by HCR_EL2.TSC, so PC is at the instruction. No SMC of a guest reaches firmware.
 */
enum verdict smc_trap(struct vcpu *vcpu, const struct exit *exit);
