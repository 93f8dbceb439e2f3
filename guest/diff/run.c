/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the code of a step in its context, prints every exception on the way, and continues after
 * it.
 */
#include "diff.h"

#include "mmu.h"

#define EVENTS_MAX 10
#define WATCH_WNR BIT(6)

static u32 code[1024] __attribute__((aligned(4096)));
static u32 code_words;
u64 run_hcr;

const char *const context_name[CONTEXTS] = { "host", "user", "guest", "guest-el0" };


void code_begin(void)
{
	code_words = 0;
}

void code_emit(u32 insn)
{
	if (code_words == SLOT_WORDS - 2)
		test_abort("a step's code is too long");
	code[code_words++] = insn;
}

/* Instructions are fetched from the point of unification. */
static void code_sync(void)
{
	u64 a, end = (u64)(code + code_words);

	for (a = (u64)code; a < end; a += 64)
		asm volatile("dc cvau, %0" ::"r"(a) : "memory");
	dsb(ish);
	for (a = (u64)code; a < end; a += 64)
		asm volatile("ic ivau, %0" ::"r"(a) : "memory");
	dsb(ish);
	isb();
}

static u64 code_base(enum context at)
{
	return at >= AT_GUEST ? L2_CODE : at == AT_USER ? MMU_EL0 + (u64)code : (u64)code;
}

u64 code_address(enum context at, u32 n)
{
	return code_base(at) + n * 4;
}

u64 code_page(void)
{
	return (u64)code;
}

void say_address(const char *what, u64 a)
{
	u32 at;

	for (at = AT_HOST; at < CONTEXTS; at++) {
		u64 base = code_base(at);

		if (a >= base && a < base + sizeof(code)) {
			say(" %s=code+%lx", what, a - base);
			return;
		}
	}
	say(" %s=%lx", what, a);
}

u64 context_spsr(enum context at)
{
	if (at == AT_USER || at == AT_GUEST_EL0)
		return SPSR_DAIF;
	return SPSR_DAIF | (at == AT_HOST && diff_el2 ? 9 : 5);
}

static bool here(u64 hcr)
{
	return !diff_el2 || (hcr & HCR_TGE) || (hcr & (HCR_IMO | HCR_FMO)) == (HCR_IMO | HCR_FMO);
}

void hcr_write(u64 v)
{
	u64 old, end;

	if (!diff_el2)
		return;
	old = sysreg_read(HCR_EL2);
	sysreg_write(HCR_EL2, v);
	isb();
	if (here(old) == here(v))
		return;
	/*
	 * At virtual EL2 the routing of interrupts changes at the next exit, which this is, or
	 * after 50 us (docs/nested.md).
	 */
	(void)sysreg_read(HPFAR_EL2);
	for (end = counter_phys() + ticks_us(60); here(v) && counter_phys() < end;)
		isb();
}

/* An L2 whose IMO and FMO differ does not get all interrupts that it should (docs/nested.md). */
static u64 hcr_for(enum context at)
{
	if (at >= AT_GUEST)
		return (run_hcr & ~(HCR_TGE | HCR_FMO)) | HCR_VM |
		       (run_hcr & HCR_IMO ? HCR_FMO : 0);
	return at == AT_USER ? run_hcr | HCR_TGE : run_hcr;
}

/* Whether FAR_ELx is valid for this exception class. */
static bool has_far(u64 esr)
{
	switch (ESR_EC(esr)) {
	case EC_IABT_LOW:
	case EC_IABT:
	case EC_PC:
	case EC_DABT_LOW:
	case EC_DABT:
	case EC_WATCH_LOW:
	case EC_WATCH:
		return !(esr & BIT(10));
	default:
		return false;
	}
}

/*
 * PSTATE of an exception. FEAT_NMI's bit is left out, because a VM may lack it. After an illegal
 * return some bits are UNKNOWN (SetPSTATEFromPSR()), and QEMU keeps PAN as well.
 */
static void say_spsr(u64 spsr)
{
	spsr &= ~SPSR_ALLINT;
	if (spsr & SPSR_IL)
		spsr &= ~SPSR_LOST;
	say(" spsr=%lx", spsr);
}

static void say_event(u64 vector, u64 esr, u64 elr, u64 spsr, u64 far)
{
	/*
	 * Once a watchpoint was hit by a write, QEMU 10.0 reports later reads as writes too. If two
	 * match one access, it is IMPLEMENTATION DEFINED which address is reported.
	 */
	if (ESR_EC(esr) == EC_WATCH || ESR_EC(esr) == EC_WATCH_LOW) {
		esr &= ~WATCH_WNR;
		far &= ~15UL;
	}
	say(" [%lu esr=%lx", vector, esr);
	say_address("elr", elr);
	say_spsr(spsr);
	if (has_far(esr))
		say_address("far", far);
}

/* Where to continue after an exception with this syndrome; false: nowhere. */
static bool go_on(u64 esr, u64 *elr, u64 *spsr)
{
	switch (ESR_EC(esr)) {
	case EC_SVC:
	case EC_HVC:
		return true;
	case EC_STEP_LOW:
	case EC_STEP:
		*spsr |= SPSR_SS;
		return true;
	case EC_ILL:
	case EC_IABT_LOW:
	case EC_IABT:
	case EC_PC:
	case EC_SP:
		return false;
	default:
		*elr += 4;
		return true;
	}
}

static bool is_end(u64 esr)
{
	return (ESR_EC(esr) == EC_SVC || ESR_EC(esr) == EC_HVC) && (esr & 0xffff) == CALL_END;
}

/*
 * An exception that L2 took itself: its vectors report it by a hypervisor call. True if that is the
 * end of the step.
 */
static bool told(struct run *r)
{
	u64 vector = (r->esr & 0xffff) - CALL_TELL, esr = sysreg_read(ESR_EL12);

	r->elr = sysreg_read(ELR_EL12);
	r->spsr = sysreg_read(SPSR_EL12);
	if (vector & 3) {
		say(" [guest %lu", vector);
		say_address("elr", r->elr);
		say_spsr(r->spsr);
		say("]");
		r->spsr |= SPSR_DAIF;
		return false;
	}
	if (is_end(esr))
		return true;
	say(" [guest");
	say_event(vector, esr, r->elr, r->spsr, sysreg_read(FAR_EL12));
	say("]]");
	return !go_on(esr, &r->elr, &r->spsr);
}

/* Print one exception of the code; true if that is its end. */
static bool event(struct run *r, u64 kind)
{
	u64 ec = ESR_EC(r->esr);

	if (kind & 3) {
		say(" [%lu", kind);
		say_address("elr", r->elr);
		say_spsr(r->spsr);
		if ((kind & 3) == 3)
			say(" esr=%lx", r->esr);
		else
			interrupt_take((kind & 3) == 2);
		say("]");
		return false;
	}
	if (is_end(r->esr))
		return true;
	if (kind == 8 && ec == EC_HVC && (r->esr & 0xfff0) == CALL_TELL)
		return told(r);
	say_event(kind, r->esr, r->elr, r->spsr, r->far);
	/* The address of a stage 2 fault, except of a permission fault that is not a walk's. */
	if (diff_el2 && kind == 8 && (ec == EC_DABT_LOW || ec == EC_IABT_LOW) &&
	    ((r->esr & 0x3c) != 0xc || (r->esr & BIT(7))) && (r->esr & 0x3f) != 0x21)
		say(" hpfar=%lx", r->hpfar);
	say("]");
	return !go_on(r->esr, &r->elr, &r->spsr);
}

void code_run_at(enum context at, u64 spsr, u32 offset, u64 *x, u32 count)
{
	struct run r = { .elr = code_address(at, offset), .spsr = spsr };
	u64 vttbr = 0, vtcr = 0;
	u32 i;

	code[code_words] = at == AT_GUEST ? INSN_HVC(CALL_END) : INSN_SVC(CALL_END);
	code[code_words + 1] = INSN_SVC(CALL_END); /* at EL0, where HVC is UNDEFINED */
	code_words += 2;
	code_sync();
	memcpy(r.x, x, count * sizeof(*x));
	if (at >= AT_GUEST) {
		vttbr = sysreg_read(VTTBR_EL2);
		vtcr = sysreg_read(VTCR_EL2);
		sysreg_write(VTTBR_EL2, memory_vttbr);
		sysreg_write(VTCR_EL2, memory_vtcr);
		sysreg_write(VBAR_EL12, L2_VECTORS);
	}
	hcr_write(hcr_for(at));
	for (i = 0; i < EVENTS_MAX; i++)
		if (event(&r, run_enter(&r)))
			break;
	hcr_write(run_hcr);
	if (at >= AT_GUEST) {
		sysreg_write(VTTBR_EL2, vttbr);
		sysreg_write(VTCR_EL2, vtcr);
	}
	memcpy(x, r.x, count * sizeof(*x));
	if (i == EVENTS_MAX)
		say(" ...");
}

void code_run(enum context at, u64 *x, u32 count)
{
	code_run_at(at, context_spsr(at), 0, x, count);
}

/*
 * A timer's interrupt ends when the timer's condition does. Those of EL2 belong to nobody without
 * an EL2, and are pending by a write alone.
 */
static void quiet(u32 intid)
{
	if (!diff_el2 && intid != 27 && intid != 30)
		return;
	switch (intid) {
	case 25:
		sysreg_write(ICH_HCR_EL2, 0);
		break;
	case 26:
		sysreg_write(CNTHP_CTL_EL2, 2);
		break;
	case 28:
		sysreg_write(CNTHV_CTL_EL2, 2);
		break;
	case 27:
		if (diff_el2)
			sysreg_write(CNTV_CTL_EL02, 2);
		else
			sysreg_write(CNTV_CTL_EL0, 2);
		break;
	case 30:
		if (diff_el2)
			sysreg_write(CNTP_CTL_EL02, 2);
		else
			sysreg_write(CNTP_CTL_EL0, 2);
		break;
	}
	isb();
}

void interrupt_take(bool fiq)
{
	u32 id = (u32)(fiq ? sysreg_read(ICC_IAR0_EL1) : sysreg_read(ICC_IAR1_EL1));

	dsb(sy);
	say(" %s%u", fiq ? "fiq" : "irq", id);
	if (id >= INTID_SPURIOUS - 3)
		return;
	quiet(id);
	if (fiq)
		sysreg_write(ICC_EOIR0_EL1, id);
	else
		sysreg_write(ICC_EOIR1_EL1, id);
	isb();
	if (sysreg_read(ICC_CTLR_EL1) & 2) {
		sysreg_write(ICC_DIR_EL1, id);
		isb();
	}
}

void run_died(u64 kind, u64 esr, u64 elr, u64 far)
{
	extern const char _head[];

	test_abort("an exception of the tester's own: vector %lu esr 0x%lx elr 0x%lx far 0x%lx",
		   kind, esr, elr - (u64)_head, far);
}
