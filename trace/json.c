/* SPDX-License-Identifier: Apache-2.0 */
/* A trace as Chrome's JSON, which many viewers take. */
#include <inttypes.h>

#include "slices.h"

/* Microseconds, as the format has it. */
static void put_head(FILE *out, const char *phase, u32 vm, u32 vcpu, u64 ns)
{
	fprintf(out, ",\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64 ".%03" PRIu64, phase,
		vm + 1, vcpu, ns / 1000, ns % 1000);
}

/* Names are nidus's own, except for those of VMs, which a device tree gives. */
static void put_string(FILE *out, const char *key, const char *s)
{
	fprintf(out, ",\"%s\":\"", key);
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s >= ' ')
			fputc(*s, out);
	fputc('"', out);
}

static void put_name(FILE *out, const char *what, u32 vm, u32 vcpu, const char *name)
{
	fprintf(out, ",\n{\"ph\":\"M\",\"pid\":%u,\"tid\":%u,\"name\":\"%s\",\"args\":{\"of\":0", vm + 1,
		vcpu, what);
	put_string(out, "name", name);
	fprintf(out, "}}");
}

static void on_vm(void *user, const struct trace *t, u32 vm, const char *name)
{
	(void)t;
	put_name(user, "process_name", vm, 0, name);
}

static void on_vcpu(void *user, u32 vm, u32 vcpu, const char *name)
{
	put_name(user, "thread_name", vm, vcpu, name);
}

static void put_record(FILE *out, const struct trace_record *r)
{
	char what[96];

	fprintf(out, ",\"args\":{\"detail\":\"0x%" PRIx64 "\",\"data\":\"0x%" PRIx64 "\"",
		r->detail, r->data);
	if (is_exit(r))
		put_string(out, "verdict", verdict_name(TRACE_HOW(r->what) & TRACE_VERDICT));
	else
		put_string(out, "what", event_cause(r, what));
	fprintf(out, "}");
}

static void put_args(FILE *out, const struct slice *s)
{
	put_string(out, "name", s->name);
	put_string(out, "cat", s->category);
	if (s->record)
		put_record(out, s->record);
	fprintf(out, "}");
}

static void on_begin(void *user, u32 vm, u32 vcpu, const struct slice *s)
{
	put_head(user, "B", vm, vcpu, s->ns);
	put_args(user, s);
	if (!s->flow)
		return;
	put_head(user, s->kind == FRAME_GUEST ? "f" : "s", vm, vcpu, s->ns);
	fprintf(user, ",\"id\":%" PRIu64 ",\"name\":\"reflected\",\"cat\":\"exit\"%s}", s->flow,
		s->kind == FRAME_GUEST ? ",\"bp\":\"e\"" : "");
}

static void on_end(void *user, u32 vm, u32 vcpu, u64 ns)
{
	put_head(user, "E", vm, vcpu, ns);
	fprintf(user, "}");
}

static void on_instant(void *user, u32 vm, u32 vcpu, const struct slice *s)
{
	put_head(user, "i", vm, vcpu, s->ns);
	put_args(user, s);
}

static void on_counter(void *user, u32 vm, u32 vcpu, u64 ns, enum counter which, u64 value)
{
	put_head(user, "C", vm, vcpu, ns);
	fprintf(user, ",\"name\":\"vcpu %u: %s\",\"args\":{\"%s\":%" PRIu64 "}}", vcpu,
		counter_name(which), counter_unit(which), value);
}

int json_write(struct trace *t, FILE *out)
{
	static const struct viewer viewer = {
		on_vm, on_vcpu, on_begin, on_end, on_instant, on_counter,
	};

	/* An empty event first, so that each other one begins with a comma. */
	fprintf(out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
		     "{\"ph\":\"M\",\"pid\":0,\"tid\":0,\"name\":\"process_name\",\"args\":{\"name\":\"nidus\"}}");
	slices_show(t, &viewer, out);
	fprintf(out, "\n]}\n");
	return ferror(out) ? 1 : 0;
}
