/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of nidus as a UEFI application: where the firmware calls it, and where it is left. */
#include <offsets.h>	/* of src/exit/offsets.c */

	.arch	armv8.2-a
	.section .text.efi, "ax"

/*
 * efi_status efi_entry(image handle, system table): in the firmware's translation, wherever it put
 * us. To call C: add the load address to every R_AARCH64_RELATIVE, all of which are in .data.
 */
	.globl	efi_entry
efi_entry:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	adrp	x9, _start
	adrp	x10, __rela_start
	add	x10, x10, :lo12:__rela_start
	adrp	x11, __rela_end
	add	x11, x11, :lo12:__rela_end
1:	cmp	x10, x11
	b.hs	2f
	ldp	x12, x13, [x10], #24	/* offset, info, addend */
	ldur	x14, [x10, #-8]
	cmp	w13, #1027		/* R_AARCH64_RELATIVE */
	b.ne	1b
	add	x14, x14, x9
	str	x14, [x9, x12]
	b	1b
2:	bl	efi_main
	ldp	x29, x30, [sp], #16
	ret

/*
 * void efi_leave(image, size, tree, uart): to memory what is read or written there past the caches,
 * the instructions of the switch included; MMU and caches off; then boot as any loader would.
 */
	.globl	efi_leave
efi_leave:
	msr	DAIFSet, #0xf
	mrs	x9, CTR_EL0
	ubfx	x9, x9, #16, #4		/* DminLine, in words */
	mov	x10, #4
	lsl	x10, x10, x9
	mov	x11, x0
	add	x12, x0, x1
1:	dc	civac, x11
	add	x11, x11, x10
	cmp	x11, x12
	b.lo	1b
	adr	x11, 3f
	adr	x12, 4f
2:	dc	civac, x11
	add	x11, x11, x10
	cmp	x11, x12
	b.lo	2b
	dc	civac, x12
	dsb	sy
	ic	ialluis			/* what ran where the copy is now */
	dsb	sy
	isb
3:	mrs	x9, SCTLR_EL2
	mov	x10, #EFI_SCTLR_OFF
	bic	x9, x9, x10
	msr	SCTLR_EL2, x9
	isb
	ldr	w9, 4f
	add	x9, x0, x9
	mov	x0, x2
	mov	x1, x3
	br	x9
4:	.long	__efi_primary
