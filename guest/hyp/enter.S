/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enters a guest of the guest hypervisor and returns at its exit; and the set-up that start.S calls
 * when it was started at EL2. Offsets are those of struct l2.
 */
#define L2_TPIDR (31 * 8)
#define L2_ELR (32 * 8)
#define L2_ESR (34 * 8)
#define L2_HPFAR (36 * 8)
#define L2_HOST_SP (37 * 8)
#define L2_HOST_TPIDR (38 * 8)
#define L2_ERET (39 * 8)

	.arch	armv8.3-a

	.text
/*
 * Instead of start.S's: stay at EL2, as host (E2H, TGE), nothing trapped; if there is no VHE, or
 * e2h0 was given, with E2H = 0 and interrupts routed to EL2. Uses x1, x2.
 */
	.globl	el2_leave
el2_leave:
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.ne	1f
	mrs	x1, id_aa64mmfr1_el1
	ubfx	x1, x1, #8, #4			/* VH */
	cbz	x1, 2f
	adrp	x1, e2h0
	ldrb	w1, [x1, :lo12:e2h0]
	cbnz	x1, 2f
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
	b	3f
2:	movz	x1, #0x0300, lsl #32		/* API, APK */
	movk	x1, #0x8000, lsl #16		/* RW */
	movk	x1, #0x0038			/* AMO, IMO, FMO */
	msr	hcr_el2, x1
	isb
	movz	x1, #0x30c5, lsl #16
	movk	x1, #0x0830
	msr	sctlr_el2, x1
	movz	x1, #0x37ff			/* TSM, TFP, TZ and what is RES1 */
	msr	cptr_el2, x1
	mov	x1, #3
	msr	cnthctl_el2, x1
3:	msr	cntvoff_el2, xzr
	msr	hstr_el2, xzr
	msr	mdcr_el2, xzr
	mrs	x1, midr_el1
	msr	vpidr_el2, x1
	mrs	x1, mpidr_el1
	msr	vmpidr_el2, x1
	mov	x1, #0xf
	msr	s3_4_c12_c9_5, x1		/* ICC_SRE_EL2 */
	msr	s3_4_c12_c11_0, xzr		/* ICH_HCR_EL2 */
	msr	vttbr_el2, xzr
	msr	tpidr_el2, xzr
	isb
1:	ret

/*
 * void el2_to_e2h0(const struct mmu_registers *r, u64 hcr): from VHE, with its MMU on, to E2H = 0
 * with the MMU on again. In between no memory is accessed.
 */
	.globl	el2_to_e2h0
el2_to_e2h0:
	ldp	x2, x3, [x0]
	ldp	x4, x5, [x0, #16]
	adrp	x6, vectors_e2h0
	add	x6, x6, :lo12:vectors_e2h0
	movz	x7, #0x37ff
	mov	x8, #3
	mrs	x9, sctlr_el1
	bic	x9, x9, #1
	msr	sctlr_el1, x9
	isb
	msr	hcr_el2, x1
	isb
	msr	vbar_el2, x6
	msr	mair_el2, x2
	msr	tcr_el2, x3
	msr	ttbr0_el2, x4
	msr	cptr_el2, x7
	msr	cnthctl_el2, x8
	isb
	tlbi	alle2
	dsb	sy
	isb
	msr	sctlr_el2, x5
	isb
	ret

	.macro	guest_gprs op
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

	.macro	guest_go insn
	guest_gprs ldp
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	\insn
	.endm

/* u64 l2_enter(struct l2 *): the number of the vector that it exited through */
	.globl	l2_enter
l2_enter:
	stp	x29, x30, [sp, #-96]!
	host_gprs stp
	mov	x1, sp
	mrs	x2, tpidr_el1
	stp	x1, x2, [x0, #L2_HOST_SP]
	ldr	x1, [x0, #L2_TPIDR]
	msr	tpidr_el1, x1
	msr	tpidr_el2, x0
	ldp	x1, x2, [x0, #L2_ELR]
	ldr	x3, [x0, #L2_ERET]
	cbz	x3, 4f
	/* ERETAA and ERETAB: sign the address, or (8) sign it wrong. */
	mov	x4, sp
	tbnz	x3, #1, 3f
	pacia	x1, x4
	b	5f
3:	pacib	x1, x4
5:	tbz	x3, #3, 4f
	eor	x1, x1, #(1 << 54)
4:	msr	elr_el2, x1
	msr	spsr_el2, x2
	ldr	x1, [x0, #L2_ERET]
	cbnz	x1, 1f
	guest_go eret
1:	tbz	x1, #0, 2f
	guest_go eretaa
2:	guest_go eretab

/*
 * Everything that happens while hyp_vectors are in force is an exit, exceptions of the host itself
 * too.
 */
	.balign	2048
	.globl	hyp_vectors
hyp_vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mrs	x0, tpidr_el2
	mov	x1, #\kind
	b	l2_exit
	.endr

l2_exit:
	guest_gprs stp
	str	x30, [x0, #240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	mrs	x2, tpidr_el1
	str	x2, [x0, #L2_TPIDR]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x0, #L2_ELR]
	mrs	x2, esr_el2
	mrs	x3, far_el2
	stp	x2, x3, [x0, #L2_ESR]
	mrs	x2, hpfar_el2
	str	x2, [x0, #L2_HPFAR]
	ldp	x2, x3, [x0, #L2_HOST_SP]
	mov	sp, x2
	msr	tpidr_el1, x3
	mov	x0, x1
	host_gprs ldp
	ldp	x29, x30, [sp], #96
	ret

/* ---- in an L2 ---- */
/* Where a function returns to that the hypervisor had it call. */
	.globl	l2_return
l2_return:
	hvc	#0xfff
	b	l2_return

	.section .note.GNU-stack, "", %progbits
