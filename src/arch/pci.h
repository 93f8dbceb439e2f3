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
#define PCI_SUBSYSTEM 0x2c
#define PCI_CAP 0x34
#define PCI_INTERRUPT 0x3c
#define PCI_HEADER_END 0x40
#define PCI_CAPS_END 0x100

#define PCI_COMMAND_IO BIT(0)
#define PCI_COMMAND_MEMORY BIT(1)
#define PCI_COMMAND_MASTER BIT(2)
#define PCI_COMMAND_PARITY BIT(6)
#define PCI_COMMAND_SERR BIT(8)
#define PCI_COMMAND_NO_INTX BIT(10)
#define PCI_STATUS_INTX BIT(19)
#define PCI_STATUS_CAPS BIT(20)
#define PCI_HEADER_TYPE(v) ((u32)FIELD(v, 22, 16))
#define PCI_HEADER_MULTI BIT(23)
#define PCI_CLASS_BRIDGE 0x06

#define PCI_BAR_IO BIT(0)
#define PCI_BAR_64 BIT(2)
#define PCI_BAR_PREFETCH BIT(3)
#define PCI_BAR_FLAGS 0xfUL

#define PCI_CAPS_MAX 48 /* that fit: a list of more goes in circles */
#define PCI_CAP_PM 0x01
#define PCI_CAP_MSI 0x05
#define PCI_MSI_ENABLE BIT(16)
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_EXPRESS 0x10
#define PCI_CAP_MSIX 0x11
#define PCI_MSIX_ENABLE BIT(31)
#define PCI_CAP_ID(v) ((u32)FIELD(v, 7, 0))
#define PCI_CAP_NEXT(v) ((u32)FIELD(v, 15, 8) & 0xfcU)

/* PCI Express capability. */
#define PCI_EXP_DEVCAP 4
#define PCI_EXP_DEVCAP_FLR BIT(28)
#define PCI_EXP_DEVCTL 8 /* and the device status in the upper half */
#define PCI_EXP_DEVCTL_FLR BIT(15)
#define PCI_EXP_DEVSTA_PENDING BIT(21)
#define PCI_EXP_SIZE 0x3c

/* Power management capability. */
#define PCI_PM_CSR 4
#define PCI_PM_CSR_STATE 3UL
#define PCI_PM_CSR_NO_RESET BIT(3)

#define PCI_VENDOR_VIRTIO 0x1af4
