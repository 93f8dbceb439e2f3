/* SPDX-License-Identifier: Apache-2.0 */
/* Entry to the guest and the vectors of EL2. */

#include <offsets.h>	/* of src/exit/offsets.c */

	.arch	armv8.2-a
#define FRAME		128	/* x19-x30, vcpu, its exit function, FRAME_SAVED */
#define FRAME_VCPU	96
#define FRAME_EXIT	104
#define FRAME_SAVED	112	/* not 0: a fast path has put x18-x29 into vcpu->gpr */
/* 16 KiB of stack in a 32 KiB slot: bit 14 of SP is set while on it */
#define STACK_SHIFT	14

/* Between a block of the guest's registers and vcpu->gpr; x0 = vcpu, op = ldp or stp. */
	.macro	x4_x17, op
	\op	x4, x5, [x0, #32]
	\op	x6, x7, [x0, #48]
	\op	x8, x9, [x0, #64]
	\op	x10, x11, [x0, #80]
	\op	x12, x13, [x0, #96]
	\op	x14, x15, [x0, #112]
	\op	x16, x17, [x0, #128]
	.endm
	.macro	x18_x29, op
	\op	x18, x19, [x0, #144]
	\op	x20, x21, [x0, #160]
	\op	x22, x23, [x0, #176]
	\op	x24, x25, [x0, #192]
	\op	x26, x27, [x0, #208]
	\op	x28, x29, [x0, #224]
	.endm

	.text
/*
 * u64 vcpu_enter(struct vcpu *vcpu, u64 (*exit)(struct vcpu *vcpu, u64 kind)): run the guest. Each
 * time it traps exit() is called, with enum exit_kind; 0 enters again, anything else is what
 * vcpu_enter() returns. The GPRs are vcpu->gpr (offset 0) meanwhile; everything else is in place.
 */
	.globl	vcpu_enter
	.type	vcpu_enter, %function
vcpu_enter:
	stp	x19, x20, [sp, #-FRAME]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	x0, x1, [sp, #FRAME_VCPU]
guest_enter:
	ldp	x2, x3, [x0, #16]
	x4_x17	ldp
	x18_x29	ldp
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	eret
	dsb	nsh		/* no straight-line speculation past the ERET */
	isb
	.size	vcpu_enter, . - vcpu_enter

/* From a lower EL: [sp] = guest's x0, x1; x1 = enum exit_kind; below them vcpu_enter's frame. */
guest_exit:
	ldr	x0, [sp, #16 + FRAME_VCPU]
guest_exit_of:			/* x0 = vcpu */
	stp	x2, x3, [x0, #16]
	x4_x17	stp
	x18_x29	stp
	str	x30, [x0, #240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	ldr	x2, [sp, #FRAME_EXIT]
	blr	x2
exit_done:
	mov	x1, x0
	ldr	x0, [sp, #FRAME_VCPU]
	cbz	x1, guest_enter
	mov	x0, x1
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #FRAME
	ret

/*
 * Fast paths: a physical interrupt, and synchronous exits of a vcpu with EL2 whose class has one
 * (exit_table). C is called with x18-x29 in the CPU, as it preserves them; the others are in
 * vcpu->gpr. Verdict DONE: ERET; DONE_GPRS: with all of vcpu->gpr. Else all registers are saved
 * there, and run_continue(vcpu, verdict, kind) goes on as vcpu_enter()'s exit function does. x0 =
 * vcpu, whose x2, x3 are saved; [sp] = x0, x1.
 */
	.macro	fast_path, kind, call, function
	x4_x17	stp
	str	x30, [x0, #240]
	ldp	x4, x5, [sp], #16
	stp	x4, x5, [x0]
	str	xzr, [sp, #FRAME_SAVED]
	\call	\function
	cbnz	w0, 1f
	ldr	x0, [sp, #FRAME_VCPU]
	ldp	x2, x3, [x0, #16]
	x4_x17	ldp
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	eret
	dsb	nsh
	isb
1:	mov	w1, w0
	mov	w2, #\kind
	b	go_on
	.endm
go_on:
	ldr	x0, [sp, #FRAME_VCPU]
	cmp	w1, #DONE_GPRS
	b.eq	guest_enter
	/* One of them may have been read into since. */
	ldr	x3, [sp, #FRAME_SAVED]
	cbnz	x3, 1f
	x18_x29	stp
1:	bl	run_continue
	b	exit_done

/* x1 = ESR_EL2, x3 = the path */
sync:
	fast_path EXIT_SYNC, blr, x3
irq:
	ldr	x0, [sp, #16 + FRAME_VCPU]
	stp	x2, x3, [x0, #16]
	fast_path EXIT_IRQ, bl, fast_irq

/* function(vcpu, esr), with the register that the instruction names in vcpu->gpr. */
	.macro	with_gprs, function, shift
	.globl	\function\()_gprs
	.type	\function\()_gprs, %function
\function\()_gprs:
	ubfx	x2, x1, #\shift, #5
	sub	x2, x2, #18
	cmp	x2, #29 - 18
	b.hi	\function
	x18_x29	stp
	str	x0, [sp, #FRAME_SAVED]
	b	\function
	.size	\function\()_gprs, . - \function\()_gprs
	.endm
	with_gprs fast_sys, SYS64_RT_SHIFT
	with_gprs fast_mmio, DABT_SRT_SHIFT

/* The checks of untrapped.def's last column, to 2f if not quiet. x0 = vcpu, x2 = its VNCR page. */
#define FLAG_NONE
#define FLAG_TARGET
#define FLAG_FLAG(field)		ldrb w3, [x0, VCPU_##field]; cbnz w3, 2f;
#define FLAG_BIT_SET(word, bit)
#define FLAG_WORD(word, field)
#define FLAG_REGISTER(reg, field)
#define LOCAL_NONE
#define LOCAL_TARGET
#define LOCAL_FLAG(field)
#define LOCAL_BIT_SET(word, bit)	ldr x3, [x2, VNCR_##word]; tbnz x3, bit, 2f;
#define LOCAL_WORD(word, field)		\
	ldr x1, [x2, VNCR_##word]; ldr x3, [x0, VCPU_##field]; cmp x1, x3; b.ne 2f;
#define LOCAL_REGISTER(reg, field)	\
	mrs x1, reg; ldr x3, [x0, VCPU_##field]; cmp x1, x3; b.ne 2f;

/*
 * An ERET of vEL2 to itself or to its host EL0: vEL2's SPSR and ELR are SPSR_EL1 and ELR_EL1, the
 * register bank stays, nothing else changes. It is done without C because saving registers for C
 * would be half of its cost. Uncommon cases (ERETA, another level, an illegal return, something
 * that vEL2 has done without a trap: the rows of traps/untrapped.def) are C's, as any exit. x1 =
 * ESR_EL2.
 */
eret_within:
	ldrb	w2, [x0, #VCPU_IN_VEL2]	/* vEL1's may trap to vEL2 */
	cbz	w2, 7f
	tbnz	x1, #ERETA_BIT, 3f
	mrs	x1, S3_5_C4_C0_0	/* SPSR_EL12 */
	ldr	x2, [x0, #VCPU_VNCR]
	ldr	x3, [x2, #VNCR_HCR_EL2]
	tbz	x3, #HCR_TGE_BIT, 4f
	and	x3, x1, #PSTATE_M
	cbz	x3, 6f
	cmp	x3, #PSTATE_EL2H
	b.ne	2f
1:
#define UNTRAPPED(quiet, act, when, local)	FLAG_##local
#include "traps/untrapped.def"
5:
#define UNTRAPPED(quiet, act, when, local)	LOCAL_##local
#include "traps/untrapped.def"
	mrs	x1, S3_5_C4_C0_0	/* SPSR_EL12 */
	and	x3, x1, #PSTATE_EL2T	/* EL2h is EL1h to the CPU */
	sub	x1, x1, x3, lsr #1
	mov	x3, #LEVEL_SPSR & 0xffff
	movk	x3, #LEVEL_SPSR >> 16, lsl #16
	and	x1, x1, x3
	msr	SPSR_EL2, x1
	mrs	x1, S3_5_C4_C0_1	/* ELR_EL12 */
	msr	ELR_EL2, x1
	ldr	x1, [x0, #VCPU_LOCAL_ERETS]
	add	x1, x1, #1
	str	x1, [x0, #VCPU_LOCAL_ERETS]
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [sp], #16
	eret
	dsb	nsh
	isb
4:	and	x1, x1, #PSTATE_M	/* SPSR_EL12, with TGE = 0 */
	cmp	x1, #PSTATE_EL2H
	b.ne	2f
	mvn	x3, x3
	tst	x3, #HCR_IMO_FMO	/* vgic_vel2_takes_all() */
	b.eq	1b
	b	2f
6:	ldrb	w3, [x0, #VCPU_HOST_ERETS]
	cbnz	w3, 5b
2:	mrs	x1, ESR_EL2
3:	adrp	x3, fast_eret
	add	x3, x3, :lo12:fast_eret
	b	sync
7:	adrp	x3, fast_trap
	add	x3, x3, :lo12:fast_trap
	b	sync

	.macro	lower_irq
	.balign	128
	stp	x0, x1, [sp, #-16]!
	b	irq
	.endm

	.macro	lower, kind
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\kind
	b	guest_exit
	.endm

	/* Without a fast path everything is saved at once. */
	.macro	lower_sync
	.balign	128
	stp	x0, x1, [sp, #-16]!
	ldr	x0, [sp, #16 + FRAME_VCPU]
	ldr	x1, [x0, #VCPU_FAST]
	cbz	x1, 1f
	stp	x2, x3, [x0, #16]
	mov	x3, x1			/* exit_table */
	mrs	x1, ESR_EL2
	ubfx	x2, x1, #ESR_EC_SHIFT, #6
	cmp	x2, #EC_ERET
	b.eq	eret_within
	add	x3, x3, x2, lsl #EXIT_ROW_SHIFT
	ldrb	w2, [x0, #VCPU_IN_VEL2]
	ldr	x3, [x3, x2, lsl #3]	/* its fast[in_vel2] */
	cbnz	x3, sync
	ldp	x2, x3, [x0, #16]
1:	mov	x1, #EXIT_SYNC
	b	guest_exit_of
	.endm

	/* Exceptions that nidus itself must never take: report and halt. */
	.macro	unexpected, kind
	.balign	128
	mov	x0, #\kind
	b	el2_unexpected
	.endm

	.section .vectors, "ax"
	.balign	2048
	.globl	vectors
vectors:
	/* Current EL with SP_EL0: nidus never selects it. */
	unexpected 4
	unexpected 5
	unexpected 6
	unexpected 7
	/* Current EL with SP_ELx */
	.balign	128
	/* In the guard, or about to be: this context is not resumed, so x0 is free. */
	mov	x0, sp
	sub	x0, x0, #2048
	tbz	x0, #STACK_SHIFT, 1f
	b	el2_sync
1:	adrp	x0, overflow_stack_top
	add	x0, x0, :lo12:overflow_stack_top
	mov	sp, x0
	mov	x0, #8
	b	el2_unexpected
	.balign	128
	b	el2_irq
	.balign	128
	b	el2_irq
	/* SError: only those that serror_take() unmasks. */
	.balign	128
	stp	x0, x1, [sp, #-16]!
	adr	x0, serror_window
	mrs	x1, ELR_EL2
	sub	x1, x1, x0
	cmp	x1, #4
	b.hi	1f
	ldp	x0, x1, [sp], #16
	eret
	dsb	nsh
	isb
1:	mov	x0, #EXIT_SERROR
	b	el2_unexpected
	/* Lower EL, AArch64 */
	lower_sync
	lower_irq
	lower	EXIT_FIQ
	lower	EXIT_SERROR
	/* Lower EL, AArch32 */
	lower	EXIT_SYNC
	lower_irq
	lower	EXIT_FIQ
	lower	EXIT_SERROR

	.text
/*
 * An interrupt taken in nidus itself, where it has unmasked them: caller-saved state, ELR and SPSR.
 */
el2_irq:
	stp	x0, x1, [sp, #-192]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	mrs	x0, ELR_EL2
	mrs	x1, SPSR_EL2
	stp	x30, x0, [sp, #160]
	str	x1, [sp, #176]
	bl	irq_handle
	ldp	x30, x0, [sp, #160]
	ldr	x1, [sp, #176]
	msr	ELR_EL2, x0
	msr	SPSR_EL2, x1
	ldp	x18, x29, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp], #192
	eret
	dsb	nsh
	isb

/*
 * A synchronous exception in nidus itself is a fault of its own, except for an abort of an access
 * that may have one. x0 and x1 are free.
 */
el2_sync:
	adrp	x0, mmio_try_first
	add	x0, x0, :lo12:mmio_try_first
	mrs	x1, ELR_EL2
	sub	x1, x1, x0
	cmp	x1, #8 * 8
	b.hs	1f
	mrs	x1, ESR_EL2
	lsr	x1, x1, #26
	cmp	x1, #0x25	/* EC: a data abort without a change of level */
	b.ne	1f
	adrp	x0, mmio_try_failed
	add	x0, x0, :lo12:mmio_try_failed
	msr	ELR_EL2, x0
	eret
	dsb	nsh
	isb
1:	mov	x0, #0
	b	el2_unexpected

/* void serror_take(void) */
	.globl	serror_take
	.type	serror_take, %function
serror_take:
	msr	DAIFClr, #4
serror_window:
	isb
	msr	DAIFSet, #4
	ret
	.size	serror_take, . - serror_take

el2_unexpected:
	mrs	x1, ESR_EL2
	mrs	x2, ELR_EL2
	mrs	x3, FAR_EL2
	bl	el2_panic
2:	wfi
	b	2b

	.section .stacks, "aw", %nobits
	/* The slot's lower half is never mapped: 16 KiB of guard, 16 KiB of stack. */
	.balign	32768
	.space	32768
	.globl	boot_stack_top
boot_stack_top:
	.globl	cpu_stacks
cpu_stacks:
	.space	32768 * 32	/* MAX_CPUS; slot 0 is the boot CPU's spare */
	.space	4096
overflow_stack_top:
