/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the SIMD registers are used for: a block filled from a seed, and a sum over a block, in V
 * registers or in Z registers at the length in force. x0: block of 4096 bytes, x1: seed.
 */
	.arch	armv8.2-a+sve

	.macro	function name
	.globl	\name
	.balign	8
\name:
	.endm

	.text
/* Each 64-bit word is the seed times 2 i + 1, i its index. */
function fill_v
	mov	x2, #4096
	fmov	d0, x1
	dup	v0.2d, v0.d[0]		/* step of a vector: 4 seed */
	fmov	d1, x1
	add	x3, x1, x1, lsl #1
	mov	v1.d[1], x3
	shl	v0.2d, v0.2d, #2
1:	str	q1, [x0], #16
	add	v1.2d, v1.2d, v0.2d
	subs	x2, x2, #16
	b.ne	1b
	ret

function sum_v
	mov	x2, #4096
	movi	v0.2d, #0
1:	ldr	q1, [x0], #16
	add	v0.2d, v0.2d, v1.2d
	subs	x2, x2, #16
	b.ne	1b
	addp	d0, v0.2d
	fmov	x0, d0
	ret

function fill_z
	ptrue	p0.d
	mov	x2, #4096
	index	z1.d, #1, #2		/* 2 i + 1 */
	dup	z2.d, x1
	cntd	x3
	lsl	x3, x3, #1
	mul	x3, x3, x1
	dup	z0.d, x3		/* step of a vector */
	movprfx	z3, z1
	mul	z3.d, p0/m, z3.d, z2.d
	cntb	x4
1:	st1d	z3.d, p0, [x0]
	add	z3.d, z3.d, z0.d
	add	x0, x0, x4
	subs	x2, x2, x4
	b.ne	1b
	ret

function sum_z
	ptrue	p0.d
	mov	x2, #4096
	dup	z0.d, #0
	cntb	x4
1:	ld1d	z1.d, p0/z, [x0]
	add	z0.d, z0.d, z1.d
	add	x0, x0, x4
	subs	x2, x2, x4
	b.ne	1b
	uaddv	d0, p0, z0.d
	fmov	x0, d0
	ret

/* The vector length in force, in bits. */
function vector_bits
	rdvl	x0, #8
	ret
