/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arm64 Image header, a PE header behind it for UEFI (efi_entry.S), and the first instructions
 * of each CPU.
 */
#include <offsets.h>	/* of src/exit/offsets.c */

	.arch	armv8.2-a
	.section .head, "ax"
	.globl	_start
_start:
	ccmp	x18, #0, #0xd, pl	/* no effect; its first bytes are "MZ", as PE has it */
	b	primary
	.quad	0			/* text_offset */
	.quad	__image_size
	.quad	0xa			/* flags: little-endian, 4 KiB pages, anywhere in RAM */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	pe_header - _start	/* where the DOS header of "MZ" has it too */

/*
 * Microsoft's PE/COFF specification: a PE32+ application for UEFI on AArch64, without base
 * relocations (it moves itself). Its sections lie in the file as they do in memory.
 */
pe_header:
	.ascii	"PE\0\0"
	.short	0xaa64			/* Machine */
	.short	3			/* NumberOfSections */
	.long	0, 0, 0			/* TimeDateStamp, symbols */
	.short	pe_sections - pe_optional
	.short	0x206			/* executable, no line numbers, no debug information */
pe_optional:
	.short	0x20b			/* PE32+ */
	.short	0			/* linker */
	.long	__pe_text_size, __pe_data_size, 0
	.long	__pe_entry
	.long	__pe_text		/* BaseOfCode */
	.quad	0			/* ImageBase */
	.long	4096, 512		/* SectionAlignment, FileAlignment */
	.short	0, 0, 0, 0, 0, 0	/* versions */
	.long	0
	.long	__image_size
	.long	__pe_text		/* SizeOfHeaders */
	.long	0			/* CheckSum */
	.short	10			/* Subsystem: UEFI application */
	.short	0x100			/* no section is both written and executed */
	.quad	0, 0, 0, 0		/* stack and heap */
	.long	0
	.long	6			/* NumberOfRvaAndSizes */
	.quad	0, 0, 0, 0, 0, 0
pe_sections:
	/*
	 * Name; VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData; no relocations and
	 * line numbers; Characteristics
	 */
	.macro	pe_section, name, address, size, file_size, flags
	.ascii	"\name"
	.org	pe_sections + 40 * pe_count + 8
	.long	\size, \address, \file_size, \address, 0, 0, 0, \flags
	.set	pe_count, pe_count + 1
	.endm
	.set	pe_count, 0
	pe_section ".text", __pe_text, __pe_text_size, __pe_text_size, 0x60000020
	pe_section ".rodata", __pe_rodata, __pe_rodata_size, __pe_rodata_size, 0x40000040
	pe_section ".data", __pe_data, __pe_data_memory, __pe_data_size, 0xc0000040

/*
 * Set the controls of nidus's own execution, whatever firmware left: HCR_EL2 with E2H if the CPU
 * has VHE (if not, boot_primary() says so and halts), SCTLR_EL2, no guarded control stack for the
 * first return (FEAT_GCS), and CPTR_EL2, which may trap what libfdt uses, open until simd_boot().
 */
	.macro	el2_setup
	mrs	x9, CurrentEL
	cmp	x9, #(2 << 2)
	b.ne	9f
	mov_q	x10, BOOT_HCR
	mrs	x9, ID_AA64MMFR1_EL1
	ubfx	x9, x9, #8, #4		/* VH */
	cbz	x9, 1f
	orr	x10, x10, #BOOT_HCR_E2H
1:	msr	HCR_EL2, x10
	mov_q	x10, BOOT_SCTLR
	msr	SCTLR_EL2, x10
	isb
	mov_q	x10, BOOT_CPTR
	msr	CPTR_EL2, x10
	mrs	x9, ID_AA64PFR1_EL1
	ubfx	x9, x9, #44, #4		/* GCS */
	cbz	x9, 2f
	msr	S3_4_C2_C5_0, xzr	/* GCSCR_EL2, GCSCR_EL12, GCSCRE0_EL1 */
	msr	S3_5_C2_C5_0, xzr
	msr	S3_0_C2_C5_2, xzr
2:
	adrp	x9, vectors
	add	x9, x9, :lo12:vectors
	msr	VBAR_EL2, x9
	msr	SPSel, #1
	isb
9:
	.endm

	.macro	mov_q, reg, val
	movz	\reg, #((\val) & 0xffff)
	movk	\reg, #(((\val) >> 16) & 0xffff), lsl #16
	.endm

	.section .text.head, "ax"
	.globl	primary_efi
primary_efi:				/* from efi_leave: x1 is the UART for errors, or 0 */
	mov	x21, x1
	b	1f
primary:
	mov	x21, #-1		/* a guess */
1:	msr	DAIFSet, #0xf
	mov	x20, x0			/* device tree */
	el2_setup

	/* Linked at 0: add the load address to every R_AARCH64_RELATIVE. */
	adrp	x1, _start
	adrp	x2, __rela_start
	add	x2, x2, :lo12:__rela_start
	adrp	x3, __rela_end
	add	x3, x3, :lo12:__rela_end
1:	cmp	x2, x3
	b.hs	2f
	ldp	x4, x5, [x2]		/* offset, info */
	ldr	x6, [x2, #16]		/* addend */
	add	x2, x2, #24
	cmp	w5, #1027		/* R_AARCH64_RELATIVE */
	b.ne	1b
	add	x6, x6, x1
	str	x6, [x1, x4]
	b	1b
2:
	adrp	x2, __bss_start
	add	x2, x2, :lo12:__bss_start
	adrp	x3, __bss_end
	add	x3, x3, :lo12:__bss_end
3:	cmp	x2, x3
	b.hs	4f
	stp	xzr, xzr, [x2], #16
	b	3b
4:
	adrp	x1, boot_stack_top
	add	x1, x1, :lo12:boot_stack_top
	mov	sp, x1
	mov	x29, xzr
	mov	x0, x20
	mov	x1, x21
	bl	boot_primary
5:	wfi
	b	5b

/* PSCI CPU_ON starts a secondary here, MMU off, x0 = its struct cpu. */
	.globl	secondary
secondary:
	msr	DAIFSet, #0xf
	mov	x20, x0
	el2_setup
	ldr	x1, [x20]		/* cpu->stack_top */
	mov	sp, x1
	mov	x29, xzr
	bl	stage1_enable
	mov	x0, x20
	bl	boot_secondary
6:	wfi
	b	6b
