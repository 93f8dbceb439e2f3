/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enters a step's code by ERET, and returns at whatever exception comes next. The registers of the
 * level that this runs at have EL1's names: at EL2 with E2H = 1 those are EL2's. Offsets are those
 * of struct run.
 */
#define RUN_ELR (31 * 8)
#define RUN_ESR (33 * 8)
#define RUN_HPFAR (35 * 8)
#define RUN_HOST_SP (36 * 8)

	.arch	armv8.2-a

	.text
/* Instead of start.S's: stay at EL2, as host (E2H, TGE), nothing trapped. Uses x1, x2. */
	.globl	el2_leave
el2_leave:
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.ne	1f
	movz	x1, #0x0304, lsl #32		/* E2H, API, APK */
	movk	x1, #0x8800, lsl #16		/* RW, TGE */
	msr	hcr_el2, x1
	isb
	movz	x1, #0x30d0, lsl #16
	movk	x1, #0x0800
	msr	sctlr_el2, x1
	msr	cptr_el2, xzr
	mov	x1, #0xc03
	msr	cnthctl_el2, x1
	msr	cntvoff_el2, xzr
	msr	mdcr_el2, xzr
	mov	x1, #0xf
	msr	s3_4_c12_c9_5, x1		/* ICC_SRE_EL2 */
	isb
1:	ret

	.macro	gprs op
	\op	x2, x3, [x0, #16]
	\op	x4, x5, [x0, #32]
	\op	x6, x7, [x0, #48]
	\op	x8, x9, [x0, #64]
	\op	x10, x11, [x0, #80]
	\op	x12, x13, [x0, #96]
	\op	x14, x15, [x0, #112]
	\op	x16, x17, [x0, #128]
	\op	x18, x19, [x0, #144]
	\op	x20, x21, [x0, #160]
	\op	x22, x23, [x0, #176]
	\op	x24, x25, [x0, #192]
	\op	x26, x27, [x0, #208]
	\op	x28, x29, [x0, #224]
	.endm

	.macro	host_gprs op
	\op	x19, x20, [sp, #16]
	\op	x21, x22, [sp, #32]
	\op	x23, x24, [sp, #48]
	\op	x25, x26, [sp, #64]
	\op	x27, x28, [sp, #80]
	.endm

/* u64 run_enter(struct run *) */
	.globl	run_enter
run_enter:
	stp	x29, x30, [sp, #-96]!
	host_gprs stp
	mov	x1, sp
	str	x1, [x0, #RUN_HOST_SP]
	adrp	x1, run_now
	str	x0, [x1, #:lo12:run_now]
	ldp	x1, x2, [x0, #RUN_ELR]
	msr	elr_el1, x1
	msr	spsr_el1, x2
	gprs	ldp
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	eret

	.balign	2048
	.globl	run_vectors
run_vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	stp	x0, x1, [sp, #-16]!
	adrp	x0, run_now
	ldr	x0, [x0, #:lo12:run_now]
	mov	x1, #\kind
	cbnz	x0, run_exit
	b	run_lost
	.endr

run_exit:
	gprs	stp
	str	x30, [x0, #240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [x0, #RUN_ELR]
	mrs	x2, esr_el1
	mrs	x3, far_el1
	stp	x2, x3, [x0, #RUN_ESR]
	mrs	x3, currentel
	mov	x2, #0
	tbz	x3, #3, 1f
	mrs	x2, hpfar_el2
1:	str	x2, [x0, #RUN_HPFAR]
	ldr	x2, [x0, #RUN_HOST_SP]
	mov	sp, x2
	adrp	x2, run_now
	str	xzr, [x2, #:lo12:run_now]
	mov	x0, x1
	host_gprs ldp
	ldp	x29, x30, [sp], #96
	ret

/* An exception of the tester's own. */
run_lost:
	mov	x0, x1
	mrs	x1, esr_el1
	mrs	x2, elr_el1
	mrs	x3, far_el1
	b	run_died

	.bss
	.balign	8
run_now:
	.quad	0

/* ---- in an L2, on a page of its own ---- */
	.text
	.balign	4096
	.globl	run_l2_vectors
run_l2_vectors:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	hvc	#(0x100 + \n)
	.endr
	.balign	4096

	.section .note.GNU-stack, "", %progbits
