/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the model into what a viewer draws. */
#include <stdlib.h>
#include <string.h>

#include "slices.h"

#define BIN_NS 1000000

struct shower {
	const struct viewer *viewer;
	void *user;
	bool named[TRACE_VMS][16];
	u64 bin[TRACE_VMS][16];		   /* which millisecond is counted */
	u64 value[TRACE_VMS][16][COUNTERS]; /* in it */
};

const char *counter_name(enum counter which)
{
	return (const char *const[]){ "level switches", "exits", "SIMD bytes" }[which];
}

const char *counter_unit(enum counter which)
{
	return which == COUNTER_SIMD ? "bytes/ms" : "per ms";
}

static u64 ns_at(const struct model *m, u64 time)
{
	return ns_of(m->t, time - m->t->area.boot);
}

static void name_tracks(struct shower *s, struct model *m, struct vcpu_model *v)
{
	char vm[32], name[48];
	bool first = true;

	if (s->named[v->vm][v->index])
		return;
	for (u32 i = 0; i < 16; i++)
		first &= !s->named[v->vm][i];
	s->named[v->vm][v->index] = true;
	vm_name(m->t, v->vm, vm);
	if (first)
		s->viewer->vm(s->user, m->t, v->vm, vm);
	snprintf(name, sizeof(name), "%s vcpu %u", vm, v->index);
	s->viewer->vcpu(s->user, v->vm, v->index, name);
}

static void flush_bin(struct shower *s, struct vcpu_model *v, u64 ns)
{
	u64 *value = s->value[v->vm][v->index];

	for (u32 c = 0; c < COUNTERS; c++) {
		s->viewer->counter(s->user, v->vm, v->index, ns, (enum counter)c, value[c]);
		value[c] = 0;
	}
}

static void add_to_bin(struct model *m, struct vcpu_model *v, u64 time, enum counter which,
		       u64 value)
{
	struct shower *s = m->user;
	u64 bin = ns_at(m, time) / BIN_NS, *now = &s->bin[v->vm][v->index];

	/* Records are in the order in which they were written, and some are of a time before. */
	if (bin > *now) {
		if (*now)
			flush_bin(s, v, *now * BIN_NS);
		if (*now && bin > *now + 1) /* nothing in between */
			flush_bin(s, v, (*now + 1) * BIN_NS);
		*now = bin;
	}
	s->value[v->vm][v->index][which] += value;
}

static const char *guest_name(const struct model *m, const struct vcpu_model *v, u32 depth,
			      char buf[32])
{
	bool nested = m->t->area.vm[v->vm].nested;

	snprintf(buf, 32, nested ? "L%u" : "guest", depth);
	return buf;
}

static void on_begin(struct model *m, struct vcpu_model *v, u64 time, enum frame_kind kind,
		     u32 depth, const struct trace_record *r, u64 flow)
{
	struct shower *s = m->user;
	char name[128], cause[64], guest[32];

	name_tracks(s, m, v);
	if (kind == FRAME_GUEST)
		guest_name(m, v, depth, name);
	else if (kind == FRAME_NIDUS)
		snprintf(name, sizeof(name), "nidus");
	else
		snprintf(name, sizeof(name), "%s %s %s", guest_name(m, v, depth, guest),
			 class_name(exit_class_of(r)), exit_cause(r, cause));
	s->viewer->begin(s->user, v->vm, v->index,
			 &(struct slice){ ns_at(m, time), name,
					  kind == FRAME_GUEST ? "guest" : "exit", r, flow, kind });
}

static void on_end(struct model *m, struct vcpu_model *v, u64 time)
{
	struct shower *s = m->user;

	s->viewer->end(s->user, v->vm, v->index, ns_at(m, time));
}

static void on_instant(struct model *m, struct vcpu_model *v, const struct trace_record *r)
{
	struct shower *s = m->user;
	u32 event = TRACE_EVENT(r->what);
	char name[128], cause[96];

	name_tracks(s, m, v);
	event_cause(r, cause);
	snprintf(name, sizeof(name), "%s%s%.*s", event_name(event), cause[0] ? " " : "",
		 (int)strcspn(cause, ","), cause);
	s->viewer->instant(s->user, v->vm, v->index,
			   &(struct slice){ ns_at(m, r->time), name, "event", r, 0, FRAME_NIDUS });
	if (event == TRACE_CLAIM || event == TRACE_FLUSH)
		add_to_bin(m, v, r->time, COUNTER_SIMD, r->detail);
	if (event == TRACE_LEVEL || (event == TRACE_TAKE && TRACE_HOW(r->what) & TRACE_TAKE_NESTED))
		add_to_bin(m, v, r->time, COUNTER_SWITCHES, 1);
}

static void on_exit_record(struct model *m, struct vcpu_model *v, const struct trace_record *r,
			   u32 depth)
{
	u32 how = TRACE_HOW(r->what);
	bool switched = (depth > 1) != !!(how & TRACE_NESTED);

	name_tracks(m->user, m, v);
	add_to_bin(m, v, trace_written(r), COUNTER_EXITS, 1);
	if ((how & TRACE_FAST) && switched && exit_class_of(r) != EXIT_CLASS_IRQ)
		add_to_bin(m, v, trace_written(r), COUNTER_SWITCHES, 1);
}

static const struct listener listener = {
	.begin = on_begin, .end = on_end, .instant = on_instant, .exit = on_exit_record
};

void slices_show(struct trace *t, const struct viewer *viewer, void *user)
{
	struct shower *s = calloc(1, sizeof(*s));
	struct model *m = malloc(sizeof(*m));

	s->viewer = viewer;
	s->user = user;
	model_run(m, t, &listener, s);
	for (u32 vm = 0; vm < TRACE_VMS; vm++)
		for (u32 i = 0; i < 16; i++)
			if (s->bin[vm][i]) {
				flush_bin(s, &m->vcpu[vm][i], s->bin[vm][i] * BIN_NS);
				flush_bin(s, &m->vcpu[vm][i], (s->bin[vm][i] + 1) * BIN_NS);
			}
	free(m);
	free(s);
}
