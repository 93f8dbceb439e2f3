/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions that move SIMD registers; contracts in simd_regs.h. SME's own instructions are
 * given as words: assemblers that are still in use lack them.
 */
	.arch	armv9-a+sve2

	.macro	function name
	.globl	\name
	.type	\name, %function
	.p2align 4
\name:
	.endm
	.macro	endfunction name
	ret
	.size	\name, . - \name
	.endm

	/* LDR, STR ZA[w12, \n], [x0, #\n, MUL VL] */
	.macro	ldr_za n
	.inst	0xe1000000 | \n
	.endm
	.macro	str_za n
	.inst	0xe1200000 | \n
	.endm
	/* RDSVL x0, #1 */
	.macro	rdsvl_x0
	.inst	0x04bf5820
	.endm
	/* MOV ZA0H.B[w12, 0], P0/M, Z0.B: row w12 of ZA */
	.macro	mov_za_row
	.inst	0xc0000000
	.endm

	.macro	stp_v i, j, offset
	stp	q\i, q\j, [x0, #\offset]
	.endm
	.macro	ldp_v i, j, offset
	ldp	q\i, q\j, [x0, #\offset]
	.endm
	.macro	all_v op
	\op	0, 1, 0
	\op	2, 3, 32
	\op	4, 5, 64
	\op	6, 7, 96
	\op	8, 9, 128
	\op	10, 11, 160
	\op	12, 13, 192
	\op	14, 15, 224
	\op	16, 17, 256
	\op	18, 19, 288
	\op	20, 21, 320
	\op	22, 23, 352
	\op	24, 25, 384
	\op	26, 27, 416
	\op	28, 29, 448
	\op	30, 31, 480
	.endm

	.text

function simd_regs_vl
	rdvl	x0, #1
endfunction simd_regs_vl

function simd_regs_svl
	rdsvl_x0
endfunction simd_regs_svl

function simd_regs_save_v
	all_v	stp_v
endfunction simd_regs_save_v

function simd_regs_load_v
	all_v	ldp_v
endfunction simd_regs_load_v

/* x2 = where P0-P15 go, behind 32 vectors; FFR follows them. */
	.macro	p_base
	addvl	x2, x0, #16
	addvl	x2, x2, #16
	.endm

function simd_regs_save_z
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	z\i, [x0, #\i, mul vl]
	.endr
	.irp	i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	z\i, [x0, #\i, mul vl]
	.endr
	p_base
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	p\i, [x2, #\i, mul vl]
	.endr
	cbz	w1, 1f
	/*
	 * FFR is read through a predicate register, all of which are safe by now; P0 is put back.
	 */
	rdffr	p0.b
	str	p0, [x2, #16, mul vl]
	ldr	p0, [x2, #0, mul vl]
1:
endfunction simd_regs_save_z

function simd_regs_load_z
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ldr	z\i, [x0, #\i, mul vl]
	.endr
	.irp	i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	z\i, [x0, #\i, mul vl]
	.endr
	p_base
	cbz	w1, 1f
	ldr	p0, [x2, #16, mul vl]
	wrffr	p0.b
1:
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ldr	p\i, [x2, #\i, mul vl]
	.endr
endfunction simd_regs_load_z

/* Sixteen rows a turn: a row is at least 16 bytes, so there are always that many. */
	.macro	all_za op
	mov	w12, #0
1:
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	\i
	.endr
	add	w12, w12, #16
	add	x0, x0, x1, lsl #4
	cmp	x12, x1
	b.lo	1b
	.endm

function simd_regs_save_za
	all_za	str_za
endfunction simd_regs_save_za

function simd_regs_load_za
	all_za	ldr_za
endfunction simd_regs_load_za

function simd_regs_save_zt0
	.inst	0xe13f8000 /* STR ZT0, [x0] */
endfunction simd_regs_save_zt0

function simd_regs_load_zt0
	.inst	0xe11f8000 /* LDR ZT0, [x0] */
endfunction simd_regs_load_zt0

function simd_regs_scramble_v
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	dup	v\i\().2d, x0
	add	x0, x0, x0, lsl #7
	.endr
	.irp	i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	dup	v\i\().2d, x0
	add	x0, x0, x0, lsl #7
	.endr
endfunction simd_regs_scramble_v

function simd_regs_scramble_z
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	mov	z\i\().d, x0
	add	x0, x0, x0, lsl #7
	ptrue	p\i\().h
	.endr
	.irp	i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	mov	z\i\().d, x0
	add	x0, x0, x0, lsl #7
	.endr
	wrffr	p0.b
endfunction simd_regs_scramble_z

function simd_regs_scramble_za
	mov	w12, #0
	ptrue	p0.b
1:	mov	z0.d, x0
	mov_za_row
	add	x0, x0, x0, lsl #7
	add	w12, w12, #1
	cmp	x12, x1
	b.lo	1b
endfunction simd_regs_scramble_za

	.section .note.GNU-stack, "", %progbits
