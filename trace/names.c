/* SPDX-License-Identifier: Apache-2.0 */
/* Names for the numbers in a trace. */
#include <inttypes.h>
#include <string.h>

#include "arch/esr.h"
#include "arch/gicv3.h"
#include "arch/idspace.h"
#include "arch/sysreg_table.h"
#include "exit/run.h"
#include "trace.h"

const char *class_name(u32 class)
{
	static const char *const name[EXIT_CLASS_COUNT] = {
#define X(id, text) [EXIT_CLASS_##id] = text,
		EXIT_CLASSES(X)
#undef X
	};

	return class < EXIT_CLASS_COUNT ? name[class] : "?";
}

const char *event_name(u32 event)
{
	static const char *const name[] = {
#define X(id, text) [TRACE_##id - TRACE_EXITS] = text,
		TRACE_EVENTS(X)
#undef X
	};

	if (event < TRACE_EXITS)
		return "exit";
	return event < TRACE_EVENT_END ? name[event - TRACE_EXITS] : "?";
}

const char *verdict_name(u32 verdict)
{
	static const char *const name[] = {
		[DONE] = "done",         [DONE_GPRS] = "done",
		[RESUME] = "resume",     [SKIP] = "emulated",
		[REFLECT] = "reflected", [UNDEF] = "undefined",
		[INJECT] = "injected",   [INJECT_FAR] = "injected",
		[ABORT] = "abort",       [SLEEP] = "sleep",
		[DEAD] = "dead",         [STOP_VM] = "stop",
		[RESET_VM] = "reset",    [AGAIN] = "again",
		[PASS] = "pass",         [REFLECT_ABORT] = "reflected",
	};

	return verdict < ARRAY_SIZE(name) ? name[verdict] : "?";
}

const char *vm_name(const struct trace *t, u32 vm, char buf[32])
{
	const char *name = t->area.vm[vm].name;
	u32 n = 0;

	/* It is a device tree's, and goes into JSON, lines and columns. */
	for (; n < sizeof(t->area.vm[vm].name) && name[n]; n++)
		buf[n] = name[n] > ' ' && name[n] <= '~' && !strchr("\"\\<>&", name[n]) ? name[n]
											: '?';
	buf[n] = '\0';
	if (!n)
		snprintf(buf, 32, "vm%" PRIu32, vm + 1);
	return buf;
}

/*
 * Registers and instructions: those that nidus emulates, the ID registers, and those that a
 * hypervisor may trap.
 */
static const struct {
	u32 key;
	const char *name;
} sysregs[] = {
#define SYSREG(name, op0, op1, crn, crm, op2, ...)                                                 \
	{ SYSREG_KEY(op0, op1, crn, crm, op2), #name },
#include "arch/sysreg.def"
#define ID(name, crm, op2) { SYSREG_KEY(3, 0, 0, crm, op2), #name },
	IDSPACE_REGS(ID)
#undef ID
#define TRAP(name, op0, op1, crn, crm, op2, ...) { SYSREG_KEY(op0, op1, crn, crm, op2), #name },
#include "arch/trap.def"
	/* Registers that only EL2 has. */
/* clang-format off */
#define EL2(name, crn, crm, op2) { SYSREG_KEY(1, 4, crn, crm, op2), name },
	EL2("AT_S1E2R", 7, 8, 0) EL2("AT_S1E2W", 7, 8, 1) EL2("AT_S12E1R", 7, 8, 4)
	EL2("AT_S12E1W", 7, 8, 5) EL2("AT_S12E0R", 7, 8, 6) EL2("AT_S12E0W", 7, 8, 7)
	EL2("TLBI_IPAS2E1IS", 8, 0, 1) EL2("TLBI_RIPAS2E1IS", 8, 0, 2)
	EL2("TLBI_IPAS2LE1IS", 8, 0, 5) EL2("TLBI_RIPAS2LE1IS", 8, 0, 6)
	EL2("TLBI_RVAE2IS", 8, 2, 1) EL2("TLBI_RVALE2IS", 8, 2, 5)
	EL2("TLBI_ALLE2IS", 8, 3, 0) EL2("TLBI_VAE2IS", 8, 3, 1) EL2("TLBI_ALLE1IS", 8, 3, 4)
	EL2("TLBI_VALE2IS", 8, 3, 5) EL2("TLBI_VMALLS12E1IS", 8, 3, 6)
	EL2("TLBI_IPAS2E1", 8, 4, 1) EL2("TLBI_RIPAS2E1", 8, 4, 2) EL2("TLBI_IPAS2LE1", 8, 4, 5)
	EL2("TLBI_RVAE2", 8, 6, 1) EL2("TLBI_ALLE2", 8, 7, 0) EL2("TLBI_VAE2", 8, 7, 1)
	EL2("TLBI_ALLE1", 8, 7, 4) EL2("TLBI_VALE2", 8, 7, 5) EL2("TLBI_VMALLS12E1", 8, 7, 6)
#undef EL2
	/* clang-format on */
};

static const char *sysreg_cause(u64 esr, char buf[64])
{
	u32 key = (u32)esr & SYSREG_KEY_MASK;
	const char *verb = SYS64_OP0(esr) == 1 ? "" : SYS64_READ(esr) ? "read " : "write ";

	for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++)
		if (sysregs[i].key == key) {
			snprintf(buf, 64, "%s%s", verb, sysregs[i].name);
			return buf;
		}
	snprintf(buf, 64, "%sS%d_%d_C%d_C%d_%d", verb, (int)SYS64_OP0(esr), (int)SYS64_OP1(esr),
		 (int)SYS64_CRN(esr), (int)SYS64_CRM(esr), (int)FIELD(esr, 19, 17));
	return buf;
}

/* The devices of a VM that nidus builds; L1's VMs mostly have the same map. */
static const char *abort_cause(const struct trace_record *r, char buf[64])
{
	static const struct {
		u64 at, size;
		const char *name;
	} devices[] = {
		/* clang-format off */
		{ 0x04000000, 0x4000000, "flash" },
		{ 0x08000000, 0x10000, "GICD" },
		{ 0x08080000, 0x20000, "ITS" },
		{ 0x080a0000, 0xf60000, "GICR" },
		{ 0x09000000, 0x1000, "PL011" },
		{ 0x09010000, 0x1000, "PL031" },
		{ 0x09020000, 0x1000, "fw_cfg" },
		{ 0x0a000000, 0x4000, "virtio-mmio" },
		/* clang-format on */
	};
	u64 esr = r->detail;
	const char *what = exit_class_of(r) == EXIT_CLASS_IABT ? "fetch"
			   : esr & DABT_WNR			? "store"
								: "load";

	if (ESR_EC(esr) == EC_DABT_CUR)
		snprintf(buf, 64, "%s VNCR page", what);
	else if (esr & ABT_S1PTW)
		snprintf(buf, 64, "walk 0x%" PRIx64, r->data & ~0xfffUL);
	else
		snprintf(buf, 64, "%s 0x%" PRIx64, what, r->data & ~0xfffUL);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (r->data - devices[i].at < devices[i].size && !(esr & ABT_S1PTW))
			snprintf(buf, 64, "%s %s+0x%" PRIx64, what, devices[i].name,
				 r->data - devices[i].at);
	return buf;
}

const char *exit_cause(const struct trace_record *r, char buf[64])
{
	u64 esr = r->detail;

	buf[0] = '\0';
	switch ((enum exit_class)exit_class_of(r)) {
	case EXIT_CLASS_SYS:
		return sysreg_cause(esr, buf);
	case EXIT_CLASS_DABT:
	case EXIT_CLASS_IABT:
		return abort_cause(r, buf);
	case EXIT_CLASS_IRQ:
		snprintf(buf, 64, "INTID %" PRIu64, esr);
		break;
	case EXIT_CLASS_HVC:
	case EXIT_CLASS_SMC:
		snprintf(buf, 64, "#%" PRIu64, esr & 0xffff);
		break;
	case EXIT_CLASS_WFX:
		snprintf(buf, 64, "%s", (const char *[]){ "WFI", "WFE", "WFIT", "WFET" }[esr & 3]);
		break;
	case EXIT_CLASS_ERET:
		if (TRACE_HOW(r->what) & TRACE_NESTED && !exit_of_nested(r))
			snprintf(buf, 64, "to L2");
		break;
	default:
		break;
	}
	return buf;
}

static const char *run_result_name(u32 how)
{
	static const char *const name[] = {
		[RUN_SLEEP] = "sleeps", [RUN_PREEMPT] = "preempted", [RUN_STOP] = "stopped"
	};

	return how < ARRAY_SIZE(name) && name[how] ? name[how] : "?";
}

/* 4 KiB, 2 MiB ... */
static const char *size_text(u64 size, char buf[32])
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	u32 i = 0;

	for (; size && !(size & 1023) && i + 1 < ARRAY_SIZE(unit); i++)
		size >>= 10;
	snprintf(buf, 32, "%" PRIu64 " %s", size, unit[i]);
	return buf;
}

static void irq_cause(u64 lr, char buf[96])
{
	int n = snprintf(buf, 96, "INTID %" PRIu64 ", priority 0x%02x", lr & 0xffffffff,
			 (u32)ICH_LR_PRIORITY(lr));

	if (lr & ICH_LR_HW)
		snprintf(buf + n, 96 - (size_t)n, ", of physical %" PRIu64, (u64)ICH_LR_PINTID(lr));
}

const char *event_cause(const struct trace_record *r, char buf[96])
{
	u32 how = TRACE_HOW(r->what);
	char part[64];

	buf[0] = '\0';
	switch (TRACE_EVENT(r->what)) {
	case TRACE_RUN:
		snprintf(buf, 96, "PC: 0x%" PRIx64, r->data);
		break;
	case TRACE_END:
		snprintf(buf, 96, "%s", run_result_name(how));
		break;
	case TRACE_LEVEL:
		snprintf(buf, 96, "L1 to L2, VTTBR: 0x%" PRIx64, r->data);
		break;
	case TRACE_TAKE:
		snprintf(buf, 96,
			 "to vEL2 from %s, vector +0x%x, ESR: 0x%" PRIx64 ", PC: 0x%" PRIx64,
			 how & TRACE_TAKE_NESTED ? "L2" : "itself", (how & 15) * 0x80, r->detail,
			 r->data);
		break;
	case TRACE_INJECT:
		snprintf(buf, 96, "ESR: 0x%" PRIx64 ", PC: 0x%" PRIx64, r->detail, r->data);
		break;
	case TRACE_IRQ:
		irq_cause(r->detail, buf);
		break;
	case TRACE_IRQ_END:
		snprintf(buf, 96, "INTID %" PRIu64, r->detail & 0xffffffff);
		break;
	case TRACE_SHADOW:
		snprintf(buf, 96, "%s, IPA: 0x%" PRIx64, size_text(r->detail, part), r->data);
		break;
	case TRACE_TLBI:
		snprintf(buf, 96, "%s, 0x%" PRIx64, sysreg_cause(r->detail, part), r->data);
		break;
	case TRACE_CLAIM:
	case TRACE_FLUSH:
		snprintf(buf, 96, "%" PRIu64 " bytes", r->detail);
		break;
	case TRACE_START:
		snprintf(buf, 96, "%" PRIu64 " vcpus", r->detail);
		break;
	}
	return buf;
}

u64 ns_of(const struct trace *t, u64 ticks)
{
	u64 hz = t->area.hz;

	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

double us_of(const struct trace *t, u64 ticks)
{
	return (double)ticks * 1e6 / (double)t->area.hz;
}
