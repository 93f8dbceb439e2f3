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

static void write_exit(const struct trace *t, FILE *out, const struct trace_record *r, u32 cpu)
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
	exit_cause(r, cause);
	fprintf(out, "%s 0x%" PRIx64 " %s%s%s\n",
		abort                                      ? "IPA:"
		: how & TRACE_NESTED && !exit_of_nested(r) ? "VTTBR:"
							   : "PC:",
		r->data, exit_of_nested(r) ? "L2" : "L1", cause[0] ? " " : "", cause);
}

/* The entry that ended an exit, if it ended in one. */
static void write_entry(const struct trace *t, FILE *out, const struct trace_record *r, u32 cpu)
{
	u32 how = TRACE_HOW(r->what);

	if ((how & TRACE_VERDICT) >= SLEEP && (how & TRACE_VERDICT) <= AGAIN)
		return;
	head(t, out, r, cpu, trace_written(r), "kvm_entry:");
	fprintf(out, "%s, %s after %.2f us\n", level_of(how), verdict_name(how & TRACE_VERDICT),
		us_of(t, TRACE_TICKS(r->what)));
}

static void write_event(const struct trace *t, FILE *out, const struct trace_record *r, u32 cpu)
{
	u32 event = TRACE_EVENT(r->what);
	char name[16], cause[96];

	snprintf(name, sizeof(name), "%s:", event_name(event));
	head(t, out, r, cpu, r->time, event == TRACE_RUN ? "kvm_entry:" : name);
	event_cause(r, cause);
	fprintf(out, event == TRACE_RUN ? "%s %s\n" : "%s\n", cause, level_of(TRACE_HOW(r->what)));
}

/* ---- in the order of time ---- */

/*
 * A CPU's records give two lines for an exit, with those of what happened in between before it.
 * exit: the next exit's record, at or behind at; begun: its first line is written.
 */
struct lines {
	const struct cpu_log *log;
	u64 at, exit;
	bool begun;
};

static u64 next_exit(const struct cpu_log *log, u64 at)
{
	while (at < log->count && !is_exit(&log->record[at]))
		at++;
	return at;
}

/* Whether the next line is the exit's first one. */
static bool exit_first(struct lines *l)
{
	if (l->exit < l->at)
		l->exit = next_exit(l->log, l->at);
	return !l->begun && l->exit < l->log->count &&
	       l->log->record[l->exit].time <= l->log->record[l->at].time;
}

/* The next line's time. */
static u64 line_time(struct lines *l)
{
	const struct trace_record *r = &l->log->record[l->at];

	if (exit_first(l))
		return l->log->record[l->exit].time;
	return trace_written(r);
}

static void write_line(const struct trace *t, FILE *out, struct lines *l, u32 cpu)
{
	const struct trace_record *r = &l->log->record[l->at];

	if (exit_first(l)) {
		write_exit(t, out, &l->log->record[l->exit], cpu);
		l->begun = true;
		return;
	}
	if (is_exit(r)) {
		write_entry(t, out, r, cpu);
		l->begun = false;
	} else {
		write_event(t, out, r, cpu);
	}
	l->at++;
}

int text_write(struct trace *t, FILE *out)
{
	struct lines line[TRACE_CPUS] = { 0 };

	fprintf(out, "cpus=%u\n", t->area.cpus);
	for (u32 i = 0; i < TRACE_CPUS; i++) {
		line[i].log = &t->cpu[i];
		line[i].exit = next_exit(&t->cpu[i], 0);
	}
	for (;;) {
		u32 best = TRACE_CPUS;

		for (u32 i = 0; i < TRACE_CPUS; i++)
			if (line[i].at < t->cpu[i].count &&
			    (best == TRACE_CPUS || line_time(&line[i]) < line_time(&line[best])))
				best = i;
		if (best == TRACE_CPUS)
			break;
		write_line(t, out, &line[best], best);
	}
	for (u32 i = 0; i < TRACE_CPUS; i++)
		if (t->cpu[i].lost)
			fprintf(out, "CPU:%u [LOST %" PRIu64 " EVENTS]\n", i, t->cpu[i].lost);
	return ferror(out) ? 1 : 0;
}
