/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile code that cannot be C: one instruction of each kind in an L2, and EL2 without access to
 * its own memory.
 */
	.arch	armv8.2-a

	.macro	function name
	.globl	\name
	.balign	8
\name:
	.endm

	.text
/*
 * x0: an address. One instruction for every control there is; what traps or is undefined is stepped
 * over. None depends on a register's earlier value, and none could become a jump by such a step.
 */
function l2_one_of_each
	mov	x9, x0
	/* what HCR_EL2 and the fine-grained traps of registers are about */
	.irp	reg, sctlr_el1, cpacr_el1, ttbr0_el1, ttbr1_el1, tcr_el1, mair_el1, amair_el1, contextidr_el1, afsr0_el1, afsr1_el1, esr_el1, far_el1, par_el1, tpidr_el0, tpidrro_el0, csselr_el1, vbar_el1
	mrs	x1, \reg
	msr	\reg, x1
	.endr
	.irp	reg, midr_el1, mpidr_el1, revidr_el1, aidr_el1, ctr_el0, dczid_el0, ccsidr_el1, clidr_el1, isr_el1, id_aa64pfr0_el1, id_aa64mmfr0_el1, id_aa64isar1_el1, id_pfr0_el1, actlr_el1, s3_3_c13_c0_5, s3_0_c1_c2_4, s3_0_c2_c1_0, s3_0_c1_c2_0, s3_0_c1_c2_6, s3_3_c13_c0_7, s3_0_c5_c3_0, s3_0_c10_c4_1, s3_3_c9_c12_0, s3_3_c13_c2_0
	mrs	x1, \reg
	.endr
	/* debug */
	.irp	reg, mdscr_el1, dbgbvr0_el1, dbgbcr0_el1, dbgwvr0_el1, dbgwcr0_el1, mdrar_el1, oslsr_el1, osdlr_el1, dbgclaimclr_el1, dbgauthstatus_el1, mdccsr_el0, s2_0_c0_c6_2
	mrs	x1, \reg
	.endr
	msr	oslar_el1, xzr
	msr	mdscr_el1, xzr
	brk	#1
	/* maintenance */
	dc	zva, x9
	dc	cvac, x9
	dc	civac, x9
	dc	cvau, x9
	dc	ivac, x9
	ic	iallu
	ic	ialluis
	ic	ivau, x9
	tlbi	vmalle1
	tlbi	vmalle1is
	tlbi	vaae1is, xzr
	dsb	ish
	isb
	/* SIMD: FMOV, RDVL, RDSVL */
	.inst	0x9e660000
	.inst	0x04bf5020
	.inst	0x04bf5820
	/* counters and timers */
	.irp	reg, cntvct_el0, cntpct_el0, cntfrq_el0, cntkctl_el1, cntv_ctl_el0, cntp_ctl_el0, cntp_cval_el0, cntp_tval_el0, cntv_tval_el0
	mrs	x1, \reg
	.endr
	msr	cntp_ctl_el0, xzr
	msr	cntv_ctl_el0, xzr
	/*
	 * the virtual CPU interface: S3_0_C12_... ICC_IAR0, ICC_HPPIR0, ICC_IAR1, ICC_HPPIR1,
	 * ICC_RPR, ICC_CTLR, ICC_SRE, ICC_PMR, ICC_IGRPEN1
	 */
	.irp	reg, s3_0_c12_c8_0, s3_0_c12_c8_2, s3_0_c12_c12_0, s3_0_c12_c12_2, s3_0_c12_c11_3, s3_0_c12_c12_4, s3_0_c12_c12_5, s3_0_c4_c6_0, s3_0_c12_c12_7
	mrs	x1, \reg
	.endr
	mov	x1, #1023
	msr	s3_0_c12_c12_1, x1	/* ICC_EOIR1 */
	msr	s3_0_c12_c11_1, x1	/* ICC_DIR */
	mov	x1, #0xf0
	msr	s3_0_c4_c6_0, x1
	/* calls, PAuth, a store and a load, waiting */
	mov	x0, xzr
	svc	#1
	hvc	#9
	smc	#0
	.inst	0x9ac03000		/* PACGA X0, X0, X0 */
	str	xzr, [x9]
	ldr	x1, [x9]
	sevl
	wfe
	yield
	mov	x0, #7
	hvc	#0xfff
	b	.

/* x0 times: acknowledge, end and deactivate whatever is pending, of both groups. */
function l2_ack_all
	mov	x9, x0
	msr	s3_0_c12_c12_7, x9	/* ICC_IGRPEN1, ICC_IGRPEN0 */
	msr	s3_0_c12_c12_6, x9
	mov	x1, #0xf8
	msr	s3_0_c4_c6_0, x1	/* ICC_PMR */
	isb
1:	mrs	x1, s3_0_c12_c12_0	/* ICC_IAR1, ICC_EOIR1 */
	msr	s3_0_c12_c12_1, x1
	mrs	x2, s3_0_c12_c8_0	/* ICC_IAR0, ICC_EOIR0 */
	msr	s3_0_c12_c8_1, x2
	msr	s3_0_c12_c11_1, x1	/* ICC_DIR */
	isb
	sub	x9, x9, #1
	cbnz	x9, 1b
	mov	x0, xzr
	ret

/*
 * u64 blind_REG(u64 value, u64 elr, u64 hcr, u64 select): write REG with the MMU off, enter the L2
 * of that hcr at elr, and restore everything after its exit; returns ESR_EL2. No memory is accessed
 * meanwhile, because where it is depends on REG. select: 0 uses the name of EL1, 1 that of EL2.
 */
	.macro	save_callee
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	.endm
	.macro	restore_callee
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	.endm

	/* own: the level whose names the program's own registers have; what: their TLBI. */
	.macro	blind name, reg, own, what
function \name
	save_callee
	dsb	sy
	mrs	x19, sctlr_\own
	mrs	x20, vbar_\own
	mrs	x21, \reg\()_\own
	mrs	x22, hcr_el2
	adr	x24, 3f
	adrp	x3, blind_vectors
	add	x3, x3, :lo12:blind_vectors
	bic	x23, x19, #1
	msr	sctlr_\own, x23
	msr	vbar_\own, x3
	msr	elr_\own, x1
	mov	x4, #0x3c5
	msr	spsr_\own, x4
	isb
	cbz	w3, 1f
	msr	\reg\()_el2, x0
	b	2f
1:	msr	\reg\()_\own, x0
2:	isb
	mrs	x5, \reg\()_\own
	.ifc	\reg, vbar
	msr	vbar_\own, x3
	.endif
	msr	hcr_el2, x2
	isb
	eret
	.balign	8
3:	mrs	x0, esr_\own
	msr	hcr_el2, x22
	msr	\reg\()_\own, x21
	msr	vbar_\own, x20
	isb
	tlbi	\what
	dsb	nsh
	isb
	msr	sctlr_\own, x19
	isb
	msr	pan, #0		/* an exception may have set it */
	restore_callee
	ret
	.endm

	.irp	reg, sctlr, ttbr0, ttbr1, tcr, mair, amair, contextidr, afsr0, vbar
	blind	blind_\reg, \reg, el1, vmalle1
	.endr
	/* Without VHE. */
	.irp	reg, sctlr, ttbr0, tcr, mair, amair, contextidr, afsr0, vbar
	blind	blind_\reg\()_e2h0, \reg, el2, alle2
	.endr

/*
 * u64 upper_walk(u64 ttbr0, u64 va, u64 ttbr1, u64 tcr, u64 offset): with TTBR0_EL2 = ttbr0 load
 * from va, while this code runs at its address plus offset through ttbr1. Returns the syndrome of
 * the load's exception; 0: none.
 */
function upper_walk
	save_callee
	dsb	sy
	mrs	x19, ttbr0_el1
	mrs	x20, ttbr1_el1
	mrs	x21, tcr_el1
	mrs	x22, vbar_el1
	mov	x23, x4
	msr	ttbr1_el1, x2
	msr	tcr_el1, x3
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	adr	x5, 1f
	add	x5, x5, x23
	adr	x24, 2f
	add	x24, x24, x23
	adrp	x6, blind_vectors
	add	x6, x6, :lo12:blind_vectors
	add	x6, x6, x23
	br	x5
1:	msr	vbar_el1, x6
	msr	ttbr0_el1, x0
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	msr	esr_el1, xzr
	ldr	x7, [x1]
2:	mrs	x0, esr_el1
	msr	ttbr0_el1, x19
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	adr	x5, 3f
	sub	x5, x5, x23
	br	x5
3:	msr	vbar_el1, x22
	msr	tcr_el1, x21
	msr	ttbr1_el1, x20
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	restore_callee
	ret

/* Whatever exception comes: continue at x24, without accessing memory. */
	.balign	2048
blind_vectors:
	.rept	16
	.balign	128
	br	x24
	.endr

/* ---- an EL2 that cannot continue: each ends this CPU ---- */
	/* With the MMU on, its own tables are gone. */
	.macro	doom_tables reg, suffix, own, what
function doom_\reg\()\suffix
	msr	\reg\()_\own, x0
	isb
	tlbi	\what
	dsb	nsh
	isb
	b	.
	.endm

	.macro	dooms suffix, own, what
/* x0: the value of VBAR_EL2. Then an exception. */
function doom_vbar\suffix
	msr	vbar_\own, x0
	isb
	brk	#1
	b	.
/* The same by the exit of an L2: x0 VBAR_EL2, x1 the L2's address, x2 HCR_EL2. */
function doom_exit\suffix
	msr	vbar_\own, x0
	msr	elr_\own, x1
	mov	x4, #0x3c5
	msr	spsr_\own, x4
	msr	hcr_el2, x2
	isb
	eret
	doom_tables ttbr0, \suffix, \own, \what
	doom_tables tcr, \suffix, \own, \what
	doom_tables sctlr, \suffix, \own, \what
/* ERETs to itself for ever. */
function doom_eret\suffix
	adr	x0, doom_eret\suffix
	msr	elr_\own, x0
	mov	x4, #0x3c9
	msr	spsr_\own, x4
	isb
	eret
/* Illegal returns for ever: the vectors repeat it. */
function doom_illegal\suffix
	adrp	x0, 1f
	add	x0, x0, :lo12:1f
	msr	vbar_\own, x0
	isb
	brk	#1
	.balign	2048
1:	.rept	16
	.balign	128
	mov	x0, #0x3cd		/* EL3h */
	msr	spsr_\own, x0
	eret
	.endr
	.endm
	dooms	, el1, vmalle1
	dooms	_e2h0, el2, alle2
/* A stack that cannot be accessed, in vectors that use it. */
function doom_sp
	mov	sp, x0
	sub	sp, sp, #8
	brk	#1
	b	.
function doom_wfi
	msr	daifset, #15
1:	wfi
	b	1b

	.section .note.GNU-stack, "", %progbits
