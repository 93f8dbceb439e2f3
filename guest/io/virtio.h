/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver for one virtio block device behind a virtio-mmio slot (Virtual I/O Device (VIRTIO)
 * Version 1.1, 4.2 and 5.2): one queue, one request at a time.
 */
#pragma once

#include "lib/types.h"

/* Find a block device and start it, with its interrupt routed to this CPU. */
void disk_init(void);
bool disk_is_there(void);
/* Whether the INTID is its interrupt. */
bool disk_is_intid(u32 intid);
/* Acknowledge its interrupt to the device. */
void disk_irq(void);
/* Request a read or write of bytes of a block, mapped 1:1, from the sector on. */
void disk_start(bool write, u64 sector, void *block, u32 bytes);
/* Whether the last request has completed successfully. */
bool disk_done(void);
