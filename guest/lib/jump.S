/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Not a guest: QEMU's -kernel in tests that give nidus a device tree of their own
 * (test/system/lib.sh).
 */
	.text
	movz	x0, #0x4400, lsl #16
	movz	x8, #0x4100, lsl #16
	br	x8
	.section .note.GNU-stack, "", %progbits
