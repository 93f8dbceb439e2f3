/* SPDX-License-Identifier: Apache-2.0 */
/* Code that the tests of debug exceptions run, and the vectors that take the exceptions. */
	.arch	armv8.2-a
	.text

/*
 * A debug exception is recorded and disables all others; the interrupted code then continues where
 * it was.
 */
	.balign	2048
	.globl	debug_vectors
debug_vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	stp	x0, x1, [sp, #-32]!
	str	x2, [sp, #16]
	mov	x1, #\kind
	b	1f
	.endr
1:	adrp	x0, debug_seen
	add	x0, x0, :lo12:debug_seen
	ldr	x2, [x0]
	add	x2, x2, #1
	stp	x2, x1, [x0]
	mrs	x1, esr_el2
	mrs	x2, elr_el2
	stp	x1, x2, [x0, #16]
	mrs	x1, spsr_el2
	mrs	x2, far_el2
	stp	x1, x2, [x0, #32]
	msr	mdscr_el1, xzr
	adr	x1, debug_twice_at	/* which would return to itself for ever */
	mrs	x2, elr_el2
	cmp	x1, x2
	b.ne	2f
	add	x2, x2, #4
	msr	elr_el2, x2
2:	isb
	ldr	x2, [sp, #16]
	ldp	x0, x1, [sp], #32
	eret

/* Instructions for breakpoints. */
	.globl	debug_target
debug_target:
	nop
	ret

/* The same at EL0; x1 is the address of a watchpoint. */
	.globl	debug_el0
debug_el0:
	nop
	str	xzr, [x1]
	svc	#0x321

/* void debug_unmask(u64 mdscr): MDSCR_EL1 first, then PSTATE.D. */
	.globl	debug_unmask, debug_unmask_at
debug_unmask:
	msr	mdscr_el1, x0
	isb
	msr	daifclr, #8
debug_unmask_at:
	nop
	nop
	msr	daifset, #8
	ret

/* void debug_late(u64 mdscr): PSTATE.D first, then MDSCR_EL1. */
	.globl	debug_late, debug_late_at
debug_late:
	msr	daifclr, #8
	nop
	msr	mdscr_el1, x0
debug_late_at:
	isb
	nop
	msr	daifset, #8
	ret

/* void debug_return(u64 mdscr, u64 spsr): an ERET with this SPSR to the NOP. */
	.globl	debug_return, debug_return_at
debug_return:
	msr	mdscr_el1, x0
	msr	spsr_el2, x1
	adr	x0, debug_return_at
	msr	elr_el2, x0
	isb
	eret
debug_return_at:
	nop
	nop
	msr	daifset, #8
	ret

/* The same to an instruction that traps to the hypervisor below a virtual EL2. */
	.globl	debug_return_trap, debug_trap_at
debug_return_trap:
	msr	mdscr_el1, x0
	msr	spsr_el2, x1
	adr	x0, debug_trap_at
	msr	elr_el2, x0
	isb
	eret
debug_trap_at:
	mrs	x0, hpfar_el2
	nop
	msr	daifset, #8
	ret

/*
 * The same to an ERET, which returns to itself, with PSTATE.SS 0: exceptions are enabled at its
 * source.
 */
	.globl	debug_return_twice
debug_return_twice:
	msr	mdscr_el1, x0
	msr	spsr_el2, x1
	adr	x0, debug_twice_at
	msr	elr_el2, x0
	isb
	eret
	.globl	debug_twice_at
debug_twice_at:
	eret
	msr	daifset, #8
	ret

	.bss
	.balign	16
	.globl	debug_seen
debug_seen:
	.space	48
