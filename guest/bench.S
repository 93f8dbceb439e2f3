/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors that note the counter before anything else, and the operations to be measured, each a
 * function.
 */
	.arch	armv8.2-a

	.text
	.balign	2048
	.globl	bench_vectors
bench_vectors:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	msr	tpidr_el0, x0
	mrs	x0, cntvct_el0
	msr	tpidrro_el0, x0
	mrs	x0, tpidr_el0
	b	vectors + \n * 128
	.endr

	.macro	function name
	.globl	\name
\name:
	.endm

function op_empty
	ret

function op_hvc_version
	movz	w0, #0x8000, lsl #16
	hvc	#0
	ret

function op_smc_version
	movz	w0, #0x8000, lsl #16
	smc	#0
	ret

/* EOI of no interrupt, as kvm-unit-tests does */
function op_eoi
	mov	w0, #1023
	msr	icc_eoir1_el1, x0
	isb
	ret

function op_read_id
	mrs	x0, id_aa64pfr0_el1
	ret

/* All of the own regime, as an operating system does it. */
function op_tlbi
	tlbi	vmalle1is
	dsb	ish
	isb
	ret

/* At EL2: an exception return to EL2. */
function op_eret_el2
	adr	x0, 1f
	msr	elr_el2, x0
	mov	x0, #0x3c9		/* DAIF, EL2h */
	msr	spsr_el2, x0
	eret
1:	ret

function op_fp
	fmov	d0, xzr
	ret

function op_fp_hvc_version
	fmov	d0, xzr
	b	op_hvc_version

function op_fp_smc_version
	fmov	d0, xzr
	b	op_smc_version

function op_vl
	.inst	0x04bf5020		/* rdvl x0, #1 */
	ret

	.balign	8
	.globl	mmio_address
	.globl	op_mmio_read
	.globl	op_fp_mmio_read
op_fp_mmio_read:
	fmov	d0, xzr
op_mmio_read:
	adrp	x0, mmio_address
	ldr	x0, [x0, :lo12:mmio_address]
	ldr	w0, [x0]
	ret

	.section .data
	.balign	8
mmio_address:
	.quad	0

	.section .note.GNU-stack, "", %progbits
