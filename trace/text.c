/* SPDX-License-Identifier: Apache-2.0 */
/* A trace as text, one event a line, like trace-cmd report for KVM. */
#include <inttypes.h>

#include "arch/esr.h"
#include "trace.h"

static void head(const struct trace *t, FILE *out, const struct trace_record *r, u32 cpu, u64 time,
		 const char *event)
{
	char vm[32], who[48];
	u64 ns = ns_of(t, time - t->area.boot);

	snprintf(who, sizeof(who), "%s/%u", vm_name(t, TRACE_VM(r->what), vm),
		 TRACE_VCPU(r->what));
	fprintf(out, "%16s [%03u] %6" PRIu64 ".%09" PRIu64 ": %-12s ", who, cpu, ns / 1000000000,
		ns % 1000000000, event);
}

static const char *level_of(u32 how)
{
	return how & TRACE_NV ? "L2 (vEL2)" : how & TRACE_NESTED ? "L2" : "L1";
}

static void write_exit(struct trace *t, FILE *out, const struct trace_record *r, u32 cpu)
{
	u32 how = TRACE_HOW(r->what), class = exit_class_of(r);
	bool irq = class == EXIT_CLASS_IRQ || class == EXIT_CLASS_FIQ;
	bool abort = class == EXIT_CLASS_DABT || class == EXIT_CLASS_IABT;
	char cause[64];

	head(t, out, r, cpu, r->time, "kvm_exit:");
	if (irq)
		fprintf(out, "IRQ: ");
	else
		fprintf(out, "TRAP: HSR_EC: 0x%04x (%s), ", (u32)ESR_EC(r->detail),
			class_name(class));
	fprintf(out, "%s 0x%" PRIx64 " %s %s\n",
		abort                                      ? "IPA:"
		: how & TRACE_NESTED && !exit_of_nested(r) ? "VTTBR:"
							   : "PC:",
		r->data, exit_of_nested(r) ? "L2" : "L1", exit_cause(r, cause));
	if ((how & TRACE_VERDICT) >= SLEEP && (how & TRACE_VERDICT) <= AGAIN)
		return;
	head(t, out, r, cpu, trace_written(r), "kvm_entry:");
	fprintf(out, "%s, %s after %.2f us\n", level_of(how), verdict_name(how & TRACE_VERDICT),
		us_of(t, TRACE_TICKS(r->what)));
}

static void write_event(struct trace *t, FILE *out, const struct trace_record *r, u32 cpu)
{
	u32 event = TRACE_EVENT(r->what), how = TRACE_HOW(r->what);
	char name[16];

	snprintf(name, sizeof(name), "%s:", event_name(event));
	head(t, out, r, cpu, r->time, event == TRACE_RUN ? "kvm_entry:" : name);
	if (event == TRACE_RUN)
		fprintf(out, "PC: 0x%" PRIx64 " %s\n", r->data, level_of(how));
	else if (event == TRACE_TAKE)
		fprintf(out,
			"to vEL2 from %s, vector +0x%x, ESR 0x%" PRIx64 ", PC: 0x%" PRIx64 "\n",
			how & TRACE_TAKE_NESTED ? "L2" : "itself", (how & 3) * 0x80, r->detail,
			r->data);
	else
		fprintf(out, "how %u, 0x%" PRIx64 ", 0x%" PRIx64 "\n", how, r->detail, r->data);
}

int text_write(struct trace *t, FILE *out)
{
	const struct trace_record *r;
	u32 cpu = 0;

	fprintf(out, "cpus=%u\n", t->area.cpus);
	trace_rewind(t);
	while ((r = trace_next(t, &cpu))) {
		if (is_exit(r))
			write_exit(t, out, r, cpu);
		else
			write_event(t, out, r, cpu);
	}
	for (cpu = 0; cpu < t->area.cpus; cpu++)
		if (t->cpu[cpu].lost)
			fprintf(out, "CPU:%u [LOST %" PRIu64 " EVENTS]\n", cpu, t->cpu[cpu].lost);
	return ferror(out) ? 1 : 0;
}
