/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves whole SIMD register files between memory and the registers. Each function runs at EL1 and
 * EL0, wherever it is mapped, and uses x0-x3 and x12 only.
 */
	.arch	armv9.3-a+sve2+sme

	.macro	function name
	.globl	\name
	.balign	8
\name:
	.endm

	.macro	fp_all op
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
	fp_pair	\op, \n
	.endr
	.endm
	.altmacro
	.macro	fp_pair op, n
	fp_pair_	\op, \n, %\n+1
	.endm
	.macro	fp_pair_ op, n, m
	\op	q\n, q\m, [x0, #(\n * 16)]
	.endm

	.text
/* x0: 512 bytes, V0-V31 */
function fp_load
	fp_all	ldp
	ret
function fp_store
	fp_all	stp
	ret

	.macro	z_all op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	z\n, [x0, #\n, mul vl]
	.endr
	.endm
	.macro	p_all op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	p\n, [x2, #\n, mul vl]
	.endr
	.endm

/* x0: Z0-Z31, P0-P15, FFR at the vector length in force; x1: whether to include FFR */
function sve_load
	addvl	x2, x0, #31
	addvl	x2, x2, #1
	cbz	x1, 1f
	ldr	p0, [x2, #16, mul vl]
	wrffr	p0.b
1:	p_all	ldr
	z_all	ldr
	ret
function sve_store
	addvl	x2, x0, #31
	addvl	x2, x2, #1
	p_all	str
	cbz	x1, 1f
	rdffr	p0.b
	str	p0, [x2, #16, mul vl]
	ldr	p0, [x2, #0, mul vl]
1:	z_all	str
	ret

/* x0: ZA at the streaming vector length in force */
function za_load
	rdsvl	x1, #1
	mov	w12, #0
1:	ldr	za[w12, #0], [x0, #0, mul vl]
	addsvl	x0, x0, #1
	add	w12, w12, #1
	cmp	w12, w1
	b.lo	1b
	ret
function za_store
	rdsvl	x1, #1
	mov	w12, #0
1:	str	za[w12, #0], [x0, #0, mul vl]
	addsvl	x0, x0, #1
	add	w12, w12, #1
	cmp	w12, w1
	b.lo	1b
	ret

/* x0: 64 bytes, ZT0; PSTATE.ZA is 1. SME2 is newer than the assembler. */
function zt0_load
	.inst	0xe11f8000 /* LDR ZT0, [x0] */
	ret
function zt0_store
	.inst	0xe13f8000 /* STR ZT0, [x0] */
	ret

function vl_bytes
	rdvl	x0, #1
	ret
function svl_bytes
	rdsvl	x0, #1
	ret

/* One FP instruction that changes no register */
function fp_touch
	fmov	x0, d0
	ret

/* EL0: spin for x4 counter ticks, run the function at x5, tell EL1 */
function el0_spin_and_call
	mrs	x6, cntvct_el0
1:	mrs	x7, cntvct_el0
	sub	x7, x7, x6
	cmp	x7, x4
	b.lo	1b
	blr	x5
	svc	#1

	.section .note.GNU-stack, "", %progbits
