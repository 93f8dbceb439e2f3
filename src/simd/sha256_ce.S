/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256's compression with the SHA2 instructions (FEAT_SHA256); contract in lib/sha256.h. Uses
 * V0-V19, so only inside a host section. -fpie's GOT is not needed: the constants are addressed
 * relative to PC.
 */
	.arch	armv8.2-a+sha2

	/*
	 * Four rounds with message words W = v\w0. v0, v1 are the state (a-d, e-h), v2 and v16
	 * temporaries; x3 walks the constants. The first form also extends the schedule: v\w0
	 * becomes the words 16 further on.
	 */
	.macro	rounds w0
	ld1	{v16.4s}, [x3], #16
	add	v16.4s, v16.4s, v\w0\().4s
	mov	v2.16b, v0.16b
	sha256h	q0, q1, v16.4s
	sha256h2 q1, q2, v16.4s
	.endm
	.macro	rounds_extend w0, w1, w2, w3
	rounds	\w0
	sha256su0 v\w0\().4s, v\w1\().4s
	sha256su1 v\w0\().4s, v\w2\().4s, v\w3\().4s
	.endm

	.text
	.globl	sha256_blocks_ce
	.type	sha256_blocks_ce, %function
	.p2align 4
/* x0 state, x1 data, x2 blocks (at least 1) */
sha256_blocks_ce:
	ld1	{v0.4s, v1.4s}, [x0]
1:	adrp	x3, sha256_k
	add	x3, x3, :lo12:sha256_k
	ld1	{v4.16b, v5.16b, v6.16b, v7.16b}, [x1], #64
	rev32	v4.16b, v4.16b
	rev32	v5.16b, v5.16b
	rev32	v6.16b, v6.16b
	rev32	v7.16b, v7.16b
	mov	v18.16b, v0.16b
	mov	v19.16b, v1.16b
	.rept	3
	rounds_extend 4, 5, 6, 7
	rounds_extend 5, 6, 7, 4
	rounds_extend 6, 7, 4, 5
	rounds_extend 7, 4, 5, 6
	.endr
	rounds	4
	rounds	5
	rounds	6
	rounds	7
	add	v0.4s, v0.4s, v18.4s
	add	v1.4s, v1.4s, v19.4s
	subs	x2, x2, #1
	b.ne	1b
	st1	{v0.4s, v1.4s}, [x0]
	ret
	.size	sha256_blocks_ce, . - sha256_blocks_ce

	.section .note.GNU-stack, "", %progbits
