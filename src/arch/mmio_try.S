/* SPDX-License-Identifier: Apache-2.0 */
/*
 * u64 mmio_try(volatile void *p, u64 v, u32 how): see mmio_try.h. An abort of one of the accesses
 * goes on at mmio_try_failed (el2_sync in exit/vectors.S), x0 and x1 lost.
 */
	.text
	.globl	mmio_try
	.type	mmio_try, %function
mmio_try:
	/* What another exception overwrites: of the guest's there may be no copy yet. */
	mrs	x3, ELR_EL2
	mrs	x4, SPSR_EL2
	mrs	x5, ESR_EL2
	mrs	x6, FAR_EL2
	/* An access and its RET for each way: sizes 1, 2, 4, 8, of loads and then of stores. */
	and	x7, x2, #15
	rbit	x7, x7
	clz	x7, x7
	ubfx	x2, x2, #8, #1
	add	x7, x7, x2, lsl #2
	adr	x2, mmio_try_first
	add	x2, x2, x7, lsl #3
	br	x2
	.globl	mmio_try_first
mmio_try_first:
	ldrb	w0, [x0]
	ret
	ldrh	w0, [x0]
	ret
	ldr	w0, [x0]
	ret
	ldr	x0, [x0]
	ret
	strb	w1, [x0]
	ret
	strh	w1, [x0]
	ret
	str	w1, [x0]
	ret
	str	x1, [x0]
	ret
	.globl	mmio_try_failed
mmio_try_failed:
	msr	ELR_EL2, x3
	msr	SPSR_EL2, x4
	msr	ESR_EL2, x5
	msr	FAR_EL2, x6
	mov	x0, #-1
	ret
	.size	mmio_try, . - mmio_try
