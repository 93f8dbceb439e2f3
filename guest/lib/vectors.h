/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assembly: a table of exception vectors, each of which stores x0, x1 in a frame on the stack and
 * its number in x1; and the frame's other general registers but x30.
 */
#pragma once

#define FRAME_SIZE (36 * 8)

	.macro	vector kind, save
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x1, #\kind
	b	\save
	.endm

	.macro	vector_table name, save
	.balign	2048
	.globl	\name
\name:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind, \save
	.endr
	.endm

	.macro	frame_gprs op
	\op	x2, x3, [sp, #16]
	\op	x4, x5, [sp, #32]
	\op	x6, x7, [sp, #48]
	\op	x8, x9, [sp, #64]
	\op	x10, x11, [sp, #80]
	\op	x12, x13, [sp, #96]
	\op	x14, x15, [sp, #112]
	\op	x16, x17, [sp, #128]
	\op	x18, x19, [sp, #144]
	\op	x20, x21, [sp, #160]
	\op	x22, x23, [sp, #176]
	\op	x24, x25, [sp, #192]
	\op	x26, x27, [sp, #208]
	\op	x28, x29, [sp, #224]
	.endm
