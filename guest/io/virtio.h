/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver for one virtio block device behind a virtio-mmio slot (Virtual I/O Device (VIRTIO)
 * Version 1.1, 4.2 and 5.2): one queue, one request at a time.
 */
#pragma once

#include "lib/types.h"

/* Find a block device and start it, its interrupt to this CPU. */
void disk_init(void);
bool disk_is_there(void);
/* Whether the INTID is its interrupt. */
bool disk_is_intid(u32 intid);
/* Acknowledge its interrupt to the device. */
void disk_irq(void);
/* Ask for bytes of a block, 1:1 mapped, to be written to or read from the sector on. */
void disk_start(bool write, u64 sector, void *block, u32 bytes);
/* Whether the last request has come back as done. */
bool disk_done(void);
