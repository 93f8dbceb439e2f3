/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks for an emulator that counts (bench/plugin): HINT instructions that do nothing. The word
 * "marks" on the command line announces them.
 */
#pragma once

#include "cpu.h"
#include "dt.h"

static inline void mark_begin(void)
{
	asm volatile("hint #126" ::: "memory");
}

static inline void mark_end(void)
{
	asm volatile("hint #127" ::: "memory");
}

/* Announce marks, if they are wanted, and leave the emulator time to translate the code anew. */
static inline void mark_start(void)
{
	if (!dt_flag("marks"))
		return;
	asm volatile("hint #125" ::: "memory");
	delay_us(10000);
}
