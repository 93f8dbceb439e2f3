/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The benchmark bench.c at EL2 with VHE, as a host, where it was started there: instead of the way
 * down to EL1.
 */
	.arch	armv8.2-a

	.text
	.globl	el2_leave
el2_leave:
	mrs	x1, currentel
	cmp	x1, #(2 << 2)
	b.ne	1f
	movz	x1, #0x0004, lsl #32		/* E2H */
	movk	x1, #0x8800, lsl #16		/* RW, TGE */
	msr	hcr_el2, x1
	isb
	movz	x1, #0x30d0, lsl #16
	movk	x1, #0x0800
	msr	sctlr_el2, x1
	msr	cptr_el2, xzr
	msr	cntvoff_el2, xzr
	mov	x1, #0xf
	msr	s3_4_c12_c9_5, x1		/* ICC_SRE_EL2 */
	msr	s3_4_c12_c11_0, xzr		/* ICH_HCR_EL2 */
1:	isb
	ret

	.section .note.GNU-stack, "", %progbits
