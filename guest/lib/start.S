/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of a guest program: the arm64 Image header, the switch from EL2 to EL1 where it was started
 * at EL2, self-relocation, and the exception vectors. Runs at any 4 KiB-aligned address, x0 =
 * device tree.
 */
#include "vectors.h"

#define GCPU_STACK_TOP 0
#define GCPU_EL0_SP 8

	.arch	armv8.2-a

	.section .head, "ax"
	.globl	_head
_head:
	b	start
	nop
	.quad	0		/* text_offset */
	.quad	_image_size
	.quad	0xa		/* little-endian, 4 KiB pages, anywhere in RAM */
	.quad	0, 0, 0
#ifdef GUEST_RAW
	.long	0		/* no magic: a loader must treat it as a raw binary */
#else
	.ascii	"ARM\x64"
#endif
	.long	0

	.text
start:
	mov	x19, x0
	bl	el2_leave
	adrp	x20, _head
	add	x20, x20, :lo12:_head

	/* R_AARCH64_RELATIVE: *(base + offset) = base + addend. */
	adrp	x1, _rela_start
	add	x1, x1, :lo12:_rela_start
	adrp	x2, _rela_end
	add	x2, x2, :lo12:_rela_end
1:	cmp	x1, x2
	b.hs	2f
	ldp	x3, x4, [x1], #16
	ldr	x5, [x1], #8
	cmp	w4, #1027
	b.ne	1b
	add	x5, x5, x20
	str	x5, [x20, x3]
	b	1b

2:	adrp	x1, _bss_start
	adrp	x2, _bss_end
3:	cmp	x1, x2
	b.hs	4f
	stp	xzr, xzr, [x1], #16
	b	3b

4:	mov	x0, xzr
	bl	gcpu_address
	bl	cpu_setup
	mov	x0, x19
	bl	guest_start
5:	wfi
	b	5b

/* PSCI CPU_ON enters here with x0 = struct gcpu of this CPU. */
	.globl	secondary_entry
secondary_entry:
	mov	x19, x0
	bl	el2_leave
	mov	x0, x19
	bl	cpu_setup
	bl	secondary_start
6:	wfi
	b	6b

/* x0 = struct gcpu: stack, per-CPU pointer, vectors. */
cpu_setup:
	ldr	x1, [x0, #GCPU_STACK_TOP]
	msr	spsel, #1
	mov	sp, x1
	msr	tpidr_el1, x0
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.ne	1f
	mrs	x1, hcr_el2
	tbnz	x1, #34, 1f		/* E2H: EL2's registers have EL1's names */
	adrp	x1, vectors_e2h0
	add	x1, x1, :lo12:vectors_e2h0
	msr	vbar_el2, x1
	isb
	ret
1:	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	isb
	ret

/*
 * Started at EL2 (the bare machine, or a nested VM): continue at EL1, with nothing trapped to EL2.
 * A program that is to stay at EL2 has an el2_leave of its own; it may use x1 and x2.
 */
	.weak	el2_leave
el2_leave:
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.ne	1f
	mov	x1, #(1 << 31)
	mrs	x2, s3_0_c0_c7_4	/* ID_AA64MMFR4_EL1.E2H0: not 0, and E2H is RES1 */
	ubfx	x2, x2, #24, #4
	cbz	x2, 4f
	orr	x1, x1, #(1 << 34)
4:	msr	hcr_el2, x1
	isb
	mrs	x1, midr_el1
	msr	vpidr_el2, x1
	mrs	x1, mpidr_el1
	msr	vmpidr_el2, x1
	mov	x1, #0xc03		/* EL1PCTEN and EL1PTEN (EL1PCEN), where either E2H has them */
	msr	cnthctl_el2, x1
	msr	cntvoff_el2, xzr
	mov	x1, #0x33ff
	bic	x1, x1, #0x100		/* TZ: SVE does not trap */
	bic	x1, x1, #0x1000		/* TSM: SME does not trap */
	cbz	x2, 5f
	mov	x1, #0x3330000		/* with E2H: SMEN, FPEN, ZEN */
5:	msr	cptr_el2, x1
	msr	hstr_el2, xzr
	mov	x1, #0xf
	msr	s3_4_c12_c9_5, x1	/* ICC_SRE_EL2 */
	isb
	mrs	x1, id_aa64pfr0_el1
	ubfx	x2, x1, #32, #4
	cbz	x2, 2f
	mov	x2, #0xf
	msr	s3_4_c1_c2_0, x2	/* ZCR_EL2 */
2:	mrs	x1, id_aa64pfr1_el1
	ubfx	x2, x1, #24, #4
	cbz	x2, 3f
	mov	x2, #0xf
	movk	x2, #0xc000, lsl #16	/* FA64, EZT0 */
	msr	s3_4_c1_c2_6, x2	/* SMCR_EL2 */
3:	movz	x1, #0x30d0, lsl #16
	movk	x1, #0x0800
	mrs	x2, s3_0_c0_c7_4
	ubfx	x2, x2, #24, #4
	cbnz	x2, 6f
	msr	sctlr_el1, x1
	b	7f
6:	msr	s3_5_c1_c0_0, x1	/* SCTLR_EL12 */
7:	mov	x1, #0x3c5
	msr	spsr_el2, x1
	msr	elr_el2, x30
	eret
1:	isb
	ret

/* ---- exceptions: one frame, one C function -------------------------------------------------- */
	vector_table vectors, save_el1
	vector_table vectors_e2h0, save_el2

	/* By the register names of one level. */
	.macro	exception_save el
save_\el:
	frame_gprs stp
	mrs	x2, sp_el0
	stp	x30, x2, [sp, #240]
	mrs	x2, elr_\el
	mrs	x3, spsr_\el
	stp	x2, x3, [sp, #256]
	mrs	x2, esr_\el
	mrs	x3, far_\el
	stp	x2, x3, [sp, #272]
	mov	x0, sp
	bl	exception_entry
return_\el:
	ldp	x2, x3, [sp, #256]
	msr	elr_\el, x2
	msr	spsr_\el, x3
	ldp	x30, x2, [sp, #240]
	msr	sp_el0, x2
	frame_gprs ldp
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret
	.endm
	exception_save el1
	exception_save el2

/* void el0_enter(struct frame *): run it at EL0 until el0_leave() on this CPU. */
	.globl	el0_enter
el0_enter:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mrs	x1, tpidr_el1
	mov	x2, sp
	str	x2, [x1, #GCPU_EL0_SP]
	sub	sp, sp, #FRAME_SIZE
	mov	x3, #0
1:	ldr	x4, [x0, x3]
	str	x4, [sp, x3]
	add	x3, x3, #8
	cmp	x3, #FRAME_SIZE
	b.lo	1b
	b	return_el1

/* noreturn void el0_leave(void): return to the caller of el0_enter(). */
	.globl	el0_leave
el0_leave:
	mrs	x1, tpidr_el1
	ldr	x2, [x1, #GCPU_EL0_SP]
	mov	sp, x2
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

	.section .note.GNU-stack, "", %progbits
