/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that runs in a guest, or at host EL0, and cannot be C. Position-independent, wherever it is
 * mapped.
 */
	.arch	armv8.3-a

	.macro	function name
	.globl	\name
	.balign	8
\name:
	.endm

	.text
/* ---- host EL0 ---- */
function el0_svc
	add	x1, x0, #1
	svc	#0x123
	b	.
function el0_undef
	mrs	x1, sctlr_el1
	b	.
function el0_store
	str	x0, [x1]
	b	.
function el0_hvc
	hvc	#1
	b	.
function el0_fp
	.inst	0x9e660000		/* fmov x0, d0 */
	b	.
function el0_counter
	mrs	x1, cntvct_el0
	svc	#2
	b	.
function el0_jump
	br	x1
	b	.

/* ---- L2 ---- */
/* HVC with a different number in every register; returns how many were wrong afterwards. */
	.macro	set_gprs
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #(0x100 + \n)
	.endr
	.endm
	.macro	check_gprs
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	cmp	x\n, #(0x200 + \n)
	cinc	x0, x0, ne
	.endr
	.endm
function l2_all_gprs
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	set_gprs
	hvc	#2
	str	x0, [sp, #-16]!
	mov	x0, #0
	check_gprs
	ldr	x1, [sp], #16
	cmp	x1, #0x200
	cinc	x0, x0, ne
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #96
	ret

/* A call from any address. */
function hvc_7
	hvc	#7
	b	.
/* An empty function, and one instruction of each kind: x0 in, x0 out. */
function l2_nop
	ret
function l2_smc
	smc	#0x1234
	ret
function l2_wfi
	wfi
	ret
function l2_load8
	ldrb	w0, [x0]
	ret
function l2_load64
	ldr	x0, [x0]
	ret
function l2_store64
	str	x1, [x0]
	ret
function l2_load_pair
	ldp	x0, x1, [x0]
	ret
function l2_store_pair
	stp	x0, x1, [x0]
	ret
function l2_load_pair32
	ldp	w0, w1, [x0]
	add	x0, x0, x1, lsl #32
	ret
function l2_store_pair32
	stp	w1, w2, [x0]
	ret
function l2_call_x0
	stp	x29, x30, [sp, #-16]!
	blr	x0
	ldp	x29, x30, [sp], #16
	ret
function l2_spin
1:	ldr	x1, [x0]
	yield
	cbz	x1, 1b
	mov	x0, x1
	ret

/*
 * Vectors that report to the hypervisor which one was taken: HVC #(0x100 + number). Then they
 * return by ERET.
 */
	.balign	2048
	.globl	l2_telling_vectors
l2_telling_vectors:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	hvc	#(0x100 + \n)
	eret
	.endr

/*
 * x0: values for the EL1 registers in the order of L2_BANK, TPIDR_EL1 last; SP_EL1 is the stack
 * pointer.
 */
	.macro	bank_all op
	\op	sctlr_el1, 0
	\op	cpacr_el1, 1
	\op	ttbr0_el1, 2
	\op	ttbr1_el1, 3
	\op	tcr_el1, 4
	\op	esr_el1, 5
	\op	far_el1, 6
	\op	afsr0_el1, 7
	\op	afsr1_el1, 8
	\op	mair_el1, 9
	\op	amair_el1, 10
	\op	vbar_el1, 11
	\op	contextidr_el1, 12
	\op	elr_el1, 13
	\op	spsr_el1, 14
	\op	cntkctl_el1, 15
	\op	sp_el0, 17
	\op	tpidr_el0, 18
	\op	tpidrro_el0, 19
	\op	par_el1, 20
	\op	mdscr_el1, 21
	\op	csselr_el1, 22
	\op	tpidr_el1, 23
	.endm
	.macro	bank_set name, n
	ldr	x1, [x0, #(\n * 8)]
	msr	\name, x1
	.endm
	.macro	bank_get name, n
	mrs	x1, \name
	str	x1, [x0, #(\n * 8)]
	.endm
/* Write all, HVC, read all. */
function l2_bank_both
	bank_all bank_set
	ldr	x1, [x0, #(16 * 8)]
	mov	sp, x1
	isb
	hvc	#3
	bank_all bank_get
	mov	x1, sp
	str	x1, [x0, #(16 * 8)]
	hvc	#4

	.section .note.GNU-stack, "", %progbits
