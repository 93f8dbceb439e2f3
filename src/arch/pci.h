/* SPDX-License-Identifier: Apache-2.0 */
/* PCI configuration space: registers and bits that nidus uses (PCI Local Bus 3.0, PCI Express). */
#pragma once

#include "lib/types.h"

#define PCI_CFG_SIZE 4096
#define PCI_ID 0x00
#define PCI_COMMAND 0x04 /* and the status in the upper half */
#define PCI_CLASS 0x08
#define PCI_HEADER 0x0c
#define PCI_BAR0 0x10
#define PCI_BUSES 0x18       /* of a bridge: primary, secondary, subordinate */
#define PCI_BRIDGE_IO 0x1c   /* what it forwards: base and limit, the secondary status above, */
#define PCI_BRIDGE_MEM 0x20  /* memory below 4 GiB, in units of 1 MiB, */
#define PCI_BRIDGE_PREF 0x24 /* prefetchable memory, whose */
#define PCI_BRIDGE_PREF_BASE_HIGH 0x28
#define PCI_BRIDGE_PREF_LIMIT_HIGH 0x2c
#define PCI_SUBSYSTEM 0x2c
#define PCI_CAP 0x34
#define PCI_INTERRUPT 0x3c
#define PCI_HEADER_END 0x40
#define PCI_NOBODY 0xffffffffU /* what answers where no function is */
#define PCI_CAPS_END 0x100

/* Of a bridge's words: a window's base and limit, 31:20 of the addresses; and how it is closed. */
#define PCI_WINDOW_BASE(v) (FIELD(v, 15, 4) << 20)
#define PCI_WINDOW_LIMIT(v) (FIELD(v, 31, 20) << 20 | 0xfffffUL)
#define PCI_WINDOW_MAKE(base, limit) ((u32)(FIELD(base, 31, 20) << 4 | FIELD(limit, 31, 20) << 20))
#define PCI_WINDOW_CLOSED 0x0000fff0U
#define PCI_WINDOW_IO_CLOSED 0x00f0U
#define PCI_WINDOW_64 BIT(0) /* prefetchable memory may be beyond 4 GiB */
#define PCI_BUSES_SET(primary, secondary, last)                                                    \
	((u32)(primary) | (u32)(secondary) << 8 | (u32)(last) << 16)
#define PCI_BUSES_MASK 0xffffffU
#define PCI_BRIDGE_RESET BIT(22) /* of PCI_INTERRUPT: the secondary bus is in reset */

#define PCI_COMMAND_MEMORY BIT(1)
#define PCI_COMMAND_MASTER BIT(2)
#define PCI_COMMAND_PARITY BIT(6)
#define PCI_COMMAND_SERR BIT(8)
#define PCI_COMMAND_NO_INTX BIT(10)
#define PCI_STATUS_INTX BIT(19)
#define PCI_STATUS_CAPS BIT(20)
#define PCI_HEADER_TYPE(v) ((u32)FIELD(v, 22, 16))
#define PCI_HEADER_MULTI BIT(23)
#define PCI_HEADER_BRIDGE 1U
#define PCI_CLASS_BRIDGE 0x06

#define PCI_BAR_IO BIT(0)
#define PCI_BAR_64 BIT(2)
#define PCI_BAR_PREFETCH BIT(3)
#define PCI_BAR_FLAGS 0xfUL

#define PCI_CAPS_MAX 48 /* that fit: a list of more goes in circles */
#define PCI_CAP_PM 0x01
#define PCI_CAP_MSI 0x05
#define PCI_MSI_ENABLE BIT(16)
#define PCI_MSI_VECTORS_LOG2(v) MIN((u32)FIELD(v, 19, 17), 5U)
#define PCI_MSI_COUNT MASK(22, 20) /* of them enabled */
#define PCI_MSI_64 BIT(23)
#define PCI_MSI_MASKS BIT(24)
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_EXPRESS 0x10
#define PCI_CAP_MSIX 0x11
#define PCI_MSIX_ENABLE BIT(31)
#define PCI_MSIX_MASK BIT(30)
#define PCI_MSIX_VECTORS(v) ((u32)FIELD(v, 26, 16) + 1)
#define PCI_MSIX_BAR(v) ((u32)FIELD(v, 2, 0))
#define PCI_MSIX_MASKED 1U /* in a vector's control */
#define PCI_CAP_ID(v) ((u32)FIELD(v, 7, 0))
#define PCI_CAP_NEXT(v) ((u32)FIELD(v, 15, 8) & 0xfcU)

/* PCI Express capability. */
#define PCI_EXP_TYPE(v) ((u32)FIELD(v, 23, 20))
#define PCI_EXP_ROOT_PORT 4
#define PCI_EXP_UPSTREAM 5
#define PCI_EXP_DOWNSTREAM 6
#define PCI_EXP_TO_PCI 7
#define PCI_EXP_DEVCAP 4
#define PCI_EXP_DEVCAP_FLR BIT(28)
#define PCI_EXP_DEVCTL 8 /* and the device status in the upper half */
#define PCI_EXP_DEVCTL_PHANTOM BIT(9)
#define PCI_EXP_DEVCTL_FLR BIT(15)
#define PCI_EXP_DEVSTA_PENDING BIT(21)
#define PCI_EXP_DEVCAP2 0x24
#define PCI_EXP_DEVCTL2 0x28
#define PCI_EXP_ARI BIT(5) /* of both: forwarding to device numbers other than 0 */
#define PCI_EXP_SIZE 0x3c

/* Power management capability. */
#define PCI_PM_CSR 4
#define PCI_PM_CSR_STATE 3UL
#define PCI_PM_CSR_NO_RESET BIT(3)

/* Extended capabilities, of which the first is here. */
#define PCI_EXT 0x100U
#define PCI_EXT_MAX 480 /* that fit */
#define PCI_EXT_ID(v) ((u32)FIELD(v, 15, 0))
#define PCI_EXT_NEXT(v) ((u32)FIELD(v, 31, 20) & 0xffcU)
#define PCI_EXT_SRIOV 0x10
#define PCI_EXT_ACS 0x0d
#define PCI_ACS 4 /* what it can; what is on in the upper half */
#define PCI_ACS_SIZE 8
#define PCI_ACS_ON(v) ((v) >> 16)
/* Source validation, redirection of requests and completions, upstream forwarding. */
#define PCI_ACS_WANTED (BIT(0) | BIT(2) | BIT(3) | BIT(4))

/* Single Root I/O Virtualization. */
#define PCI_SRIOV_CTL 0x08 /* and a status in the upper half */
#define PCI_SRIOV_CTL_ENABLE BIT(0)
#define PCI_SRIOV_CTL_MEMORY BIT(3)
#define PCI_SRIOV_CTL_ARI BIT(4)
#define PCI_SRIOV_TOTAL(v) ((u32)FIELD(v, 31, 16)) /* of the word at */
#define PCI_SRIOV_INITIAL 0x0c
#define PCI_SRIOV_COUNT 0x10
#define PCI_SRIOV_PLACE 0x14 /* of the first one's requester ID, and from one to the next */
#define PCI_SRIOV_OFFSET(v) ((u32)FIELD(v, 15, 0))
#define PCI_SRIOV_STRIDE(v) ((u32)FIELD(v, 31, 16))
#define PCI_SRIOV_DEVICE 0x18 /* their device ID, in the upper half */
#define PCI_SRIOV_PAGES 0x1c  /* sizes that it can: bit 0 is 4 KiB; and the one in use */
#define PCI_SRIOV_PAGE 0x20
#define PCI_SRIOV_BAR0 0x24
#define PCI_SRIOV_SIZE 0x40

#define PCI_VENDOR_VIRTIO 0x1af4
