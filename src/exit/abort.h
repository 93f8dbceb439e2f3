/* SPDX-License-Identifier: Apache-2.0 */
/* Stage-2 aborts of a guest: emulated devices, and addresses with nothing behind them. */
#pragma once

#include "exit/exit.h"

/* EC 0x20 and EC 0x24: an instruction or data abort from a lower EL. */
enum verdict iabt_trap(struct vcpu *vcpu, const struct exit *exit);
enum verdict dabt_trap(struct vcpu *vcpu, const struct exit *exit);
