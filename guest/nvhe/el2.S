/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EL2 of guest/nvhe.c: its set-up before the switch to EL1, which start.S calls, its vectors,
 * and EL1's calls of functions at EL2.
 */
#include "vectors.h"

	.arch	armv8.3-a

	.text
	.globl	el2_leave
el2_leave:
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.ne	1f
	msr	spsel, #1
	adrp	x1, el2_stack_top
	add	x1, x1, :lo12:el2_stack_top
	mov	sp, x1
	adrp	x1, el2_vectors
	add	x1, x1, :lo12:el2_vectors
	msr	vbar_el2, x1
	movz	x1, #0x0300, lsl #32		/* API, APK */
	movk	x1, #0x8000, lsl #16		/* RW; E2H is 0 */
	msr	hcr_el2, x1
	isb
	movz	x1, #0x30c5, lsl #16
	movk	x1, #0x0830
	msr	sctlr_el2, x1
	mrs	x1, midr_el1
	msr	vpidr_el2, x1
	mrs	x1, mpidr_el1
	msr	vmpidr_el2, x1
	mov	x1, #3
	msr	cnthctl_el2, x1
	msr	cntvoff_el2, xzr
	mov	x1, #0x22ff			/* TSM, TZ are 0 */
	msr	cptr_el2, x1
	msr	hstr_el2, xzr
	msr	mdcr_el2, xzr
	msr	vttbr_el2, xzr
	mov	x1, #0xf
	msr	s3_4_c12_c9_5, x1		/* ICC_SRE_EL2 */
	isb
	msr	s3_4_c12_c11_0, xzr		/* ICH_HCR_EL2 */
	movz	x1, #0x30d0, lsl #16
	movk	x1, #0x0800
	msr	sctlr_el1, x1
	mov	x1, #0x3c5
	msr	spsr_el2, x1
	msr	elr_el2, x30
	eret
1:	isb
	ret

	vector_table el2_vectors, el2_save

el2_save:
	frame_gprs stp
	mrs	x2, elr_el2
	stp	x30, x2, [sp, #240]
	mrs	x2, spsr_el2
	mrs	x3, esr_el2
	stp	x2, x3, [sp, #256]
	mrs	x2, far_el2
	mrs	x3, hpfar_el2
	stp	x2, x3, [sp, #272]
	mov	x0, sp
	bl	el2_exception
	ldp	x30, x2, [sp, #240]
	msr	elr_el2, x2
	ldr	x2, [sp, #256]
	msr	spsr_el2, x2
	frame_gprs ldp
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

/* u64 el2_call(u64 (*fn)(u64, u64, u64), u64 a, u64 b, u64 c): fn(a, b, c) at EL2 */
	.globl	el2_call
el2_call:
	hvc	#1
	ret

/* u64 load(u64 at), void store(u64 at, u64 value), and as EL0 would */
	.globl	try_load
try_load:
	ldr	x0, [x0]
	ret
	.globl	try_store
try_store:
	str	x1, [x0]
	ret
	.globl	try_ldtr
try_ldtr:
	ldtr	x0, [x0]
	ret
/* void call(u64 at): a fetch that fails returns to x30 */
	.globl	try_call
try_call:
	br	x0
/* void fp(void) */
	.globl	try_fp
try_fp:
	fmov	d0, xzr
	ret

	.bss
	.balign	16
	.space	16384
el2_stack_top:

	.section .note.GNU-stack, "", %progbits
