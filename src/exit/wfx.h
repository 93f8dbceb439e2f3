/* SPDX-License-Identifier: Apache-2.0 */
/* WFI, WFE, WFIT, WFET. */
#pragma once

#include "exit/exit.h"

/* EC 0x01: WFI sleeps unless an interrupt is pending; the others only give the CPU a chance. */
enum verdict wfx_trap(struct vcpu *vcpu, const struct exit *exit);
