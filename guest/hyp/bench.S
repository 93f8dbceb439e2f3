/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Round trips into a lower exception level and back, with as few instructions as possible on either
 * side.
 */
	.arch	armv8.2-a

	.text
/*
 * void bench_run(n, elr, spsr): enter until it has exited n times. HCR_EL2 is set by the caller,
 * VBAR_EL2 is changed.
 */
	.globl	bench_run
bench_run:
	stp	x29, x30, [sp, #-16]!
	adrp	x3, bench_vectors
	add	x3, x3, :lo12:bench_vectors
	msr	vbar_el2, x3
	msr	elr_el2, x1
	msr	spsr_el2, x2
	isb
	eret
bench_done:
	ldp	x29, x30, [sp], #16
	ret

	.balign	2048
bench_vectors:
	.skip	0x400
	subs	x0, x0, #1
	b.eq	bench_done
	eret

	.balign	64
/* In L2, and at host EL0 */
	.globl	bench_hvc
bench_hvc:
	hvc	#0
	b	bench_hvc
	.globl	bench_svc
bench_svc:
	svc	#0
	b	bench_svc

	.section .note.GNU-stack, "", %progbits
