/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over whole register files that fpcheck.c can compute again without them. */
	.arch	armv9.3-a+sve2+sme

	.macro	function name
	.globl	\name
	.balign	8
\name:
	.endm

	.text
	.altmacro
	.macro	sum_all kind
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	sum_\kind	\n, %\n+1
	.endr
	sum_\kind	31, 0
	.endm
	.macro	sum_v n, m
	add	v\n\().2d, v\n\().2d, v\m\().2d
	.endm
	.macro	sum_z n, m
	add	z\n\().d, z\n\().d, z\m\().d
	.endm

/* Each register += the next, in 64-bit lanes, V0 first; V31 += the new V0. */
function v_sum
	sum_all	v
	ret
function z_sum
	sum_all	z
	ret

/* The double 1/x0^2 + ... + 1/2^2 + 1/1^2, added up in this order, rounded as FPCR says. */
function fp_series
	fmov	d0, xzr
	fmov	d2, #1.0
1:	ucvtf	d1, x0
	fmul	d1, d1, d1
	fdiv	d1, d2, d1
	fadd	d0, d0, d1
	subs	x0, x0, #1
	b.ne	1b
	fmov	x0, d0
	ret

	.section .note.GNU-stack, "", %progbits
