/* SPDX-License-Identifier: Apache-2.0 */
/* The PL011's registers (Arm DDI 0183, r1p5), for the driver and for the emulation. */
#pragma once

#define PL011_SIZE 0x1000
#define PL011_FIFO 16 /* entries, up to r1p4; later ones have 32 */

#define PL011_DR 0x000
#define PL011_RSR 0x004 /* ECR when written */
#define PL011_FR 0x018
#define PL011_ILPR 0x020
#define PL011_IBRD 0x024
#define PL011_FBRD 0x028
#define PL011_LCR_H 0x02c
#define PL011_CR 0x030
#define PL011_IFLS 0x034
#define PL011_IMSC 0x038
#define PL011_RIS 0x03c
#define PL011_MIS 0x040
#define PL011_ICR 0x044
#define PL011_DMACR 0x048
#define PL011_ID 0xfe0 /* PeriphID0..3, PCellID0..3 */

#define PL011_DR_FE (1U << 8)
#define PL011_DR_PE (1U << 9)
#define PL011_DR_BE (1U << 10)
#define PL011_DR_OE (1U << 11)

#define PL011_RSR_OE (1U << 3)

#define PL011_FR_CTS (1U << 0)
#define PL011_FR_DSR (1U << 1)
#define PL011_FR_DCD (1U << 2)
#define PL011_FR_BUSY (1U << 3)
#define PL011_FR_RXFE (1U << 4)
#define PL011_FR_TXFF (1U << 5)
#define PL011_FR_RXFF (1U << 6)
#define PL011_FR_TXFE (1U << 7)
#define PL011_FR_RI (1U << 8)

#define PL011_LCR_BRK (1U << 0)
#define PL011_LCR_FEN (1U << 4)
#define PL011_LCR_WLEN8 (3U << 5)

#define PL011_CR_UARTEN (1U << 0)
#define PL011_CR_LBE (1U << 7)
#define PL011_CR_TXE (1U << 8)
#define PL011_CR_RXE (1U << 9)
#define PL011_CR_DTR (1U << 10)
#define PL011_CR_RTS (1U << 11)
#define PL011_CR_OUT1 (1U << 12)
#define PL011_CR_OUT2 (1U << 13)
#define PL011_CR_RTSEN (1U << 14)
#define PL011_CR_CTSEN (1U << 15)

/* In IMSC, RIS, MIS and ICR. */
#define PL011_INT_RI (1U << 0)
#define PL011_INT_CTS (1U << 1)
#define PL011_INT_DCD (1U << 2)
#define PL011_INT_DSR (1U << 3)
#define PL011_INT_RX (1U << 4)
#define PL011_INT_TX (1U << 5)
#define PL011_INT_RT (1U << 6)
#define PL011_INT_FE (1U << 7)
#define PL011_INT_PE (1U << 8)
#define PL011_INT_BE (1U << 9)
#define PL011_INT_OE (1U << 10)
#define PL011_INT_ALL 0x7ffU
