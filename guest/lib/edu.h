/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's `edu` device (-device edu,dma_mask=0xffffffffff), a PCI function that copies 4 KiB from or to
 * any address a tenth of a second after it was told to.
 */
#pragma once

#include "lib/types.h"

#define EDU_PAGE 4096UL
#define EDU_ID 0x11e81234u
#define CFG_COMMAND 0x04
#define CFG_BAR0 0x10
#define CFG_CAP 0x34
#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define COMMAND_NO_INTX 0x400u

#define EDU_LIVE 0x04
#define EDU_IRQ_STATUS 0x24
#define EDU_IRQ_RAISE 0x60
#define EDU_IRQ_ACK 0x64
#define EDU_SRC 0x80
#define EDU_DST 0x88
#define EDU_COUNT 0x90
#define EDU_CMD 0x98
#define EDU_BUFFER 0x40000UL
#define EDU_SIZE MIB(1)
#define CMD_RUN 1u
#define CMD_TO_RAM 2u
#define CMD_IRQ 4u
#define DMA_IRQ 0x100u

extern u64 edu_cfg, edu_bar; /* its configuration space, and where its registers are */
extern u32 edu_intid;        /* 0: none */
extern u32 edu_devfn;

/* Find the first one of the host bridge. */
bool edu_find(void);
/* Its registers go to `at`, then its command is this. */
void edu_put_bar(u64 at, u32 command);
/* Start a copy of EDU_PAGE bytes between the device's buffer and RAM: CMD_TO_RAM or 0, CMD_IRQ. */
void edu_dma_start(u64 ram, u32 command);
/* Whether it has ended. */
bool edu_dma_wait(void);
/* Both; it must end. */
void edu_dma(u64 ram, u32 command);

/* A page of numbers that a seed makes; whether it is one; whether it is zero. */
void edu_fill(u64 *page, u64 seed);
bool edu_is_filled(const u64 *page, u64 seed);
bool edu_is_zero(const u64 *page);
