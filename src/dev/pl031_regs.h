/* SPDX-License-Identifier: Apache-2.0 */
/* The PL031's registers (Arm DDI 0224, r1p3), for the driver and for the emulation. */
#pragma once

#define PL031_SIZE 0x1000

#define PL031_DR 0x000
#define PL031_MR 0x004
#define PL031_LR 0x008
#define PL031_CR 0x00c
#define PL031_IMSC 0x010
#define PL031_RIS 0x014
#define PL031_MIS 0x018
#define PL031_ICR 0x01c
#define PL031_ID 0xfe0 /* PeriphID0..3, PCellID0..3 */

#define PL031_CR_START (1U << 0)
#define PL031_INT (1U << 0) /* in IMSC, RIS, MIS and ICR */
