/* SPDX-License-Identifier: Apache-2.0 */
/* Where Linux enters a program. */
	.text
	.globl	_start
	.balign	8
/* Linux enters with argc, argv, environment and auxiliary vector from SP on. */
_start:
	mov	x29, #0
	mov	x30, #0
	mov	x0, sp
	bl	linux_start
	mov	x8, #94			/* exit_group */
	svc	#0
	brk	#0

	.section .note.GNU-stack, "", %progbits
