/* SPDX-License-Identifier: Apache-2.0 */
/* The levels of each vcpu, from its records one after the other. */
#include <string.h>

#include "model.h"

/* ---- contexts ---- */

/*
 * The context that L1 enters. A new one is below the hypervisor whose ERET came last, if one did;
 * else it is L1's own guest.
 */
static u32 context_of(struct model *m, const struct vcpu_model *v, u64 vttbr, bool nv)
{
	struct context *c;
	u32 i;

	vttbr &= ~1UL; /* without CnP */
	for (i = 1; i < m->contexts; i++) {
		c = &m->context[i];
		if (c->vm == v->vm && c->vttbr == vttbr && c->nv == nv)
			return i;
	}
	if (m->contexts == ARRAY_SIZE(m->context))
		return m->contexts - 1;
	m->context[m->contexts] = (struct context){
		v->vm, MIN(v->eret_depth ? v->eret_depth + 1 : 2, DEPTH_MAX), vttbr, nv
	};
	return m->contexts++;
}

/* Else L1 itself runs at EL1 for a while, as Linux does when it boots: it has no guest yet. */
static bool has_stage2(const struct model *m, u32 context)
{
	return m->context[context].vttbr & MASK(47, 1);
}

/* ---- frames ---- */

static void push(struct model *m, struct vcpu_model *v, u64 time, struct frame f,
		 const struct trace_record *r, u64 flow)
{
	if (v->frames == STACK_MAX)
		return;
	v->stack[v->frames++] = f;
	if (m->listen->begin)
		m->listen->begin(m, v, time, f.kind, f.depth, r, flow);
}

static void pop_to(struct model *m, struct vcpu_model *v, u64 time, u32 frames)
{
	for (; v->frames > frames; v->frames--)
		if (m->listen->end)
			m->listen->end(m, v, time);
}

/*
 * The frame above which a context continues: exits of deeper ones, which wait for it, are passed
 * over.
 */
static u32 floor_for(const struct vcpu_model *v, u32 depth)
{
	for (u32 i = v->frames; i; i--)
		if (v->stack[i - 1].kind == FRAME_EXIT && v->stack[i - 1].depth > depth)
			return i;
	return 0;
}

/* The frame of the guest that is entered becomes the innermost one. */
static void show_guest(struct model *m, struct vcpu_model *v, u64 time, u32 depth, u32 context,
		       u64 flow)
{
	u32 base = floor_for(v, depth);

	for (u32 i = v->frames; i > base; i--)
		if (v->stack[i - 1].kind == FRAME_GUEST && v->stack[i - 1].depth == depth &&
		    v->stack[i - 1].context == context) {
			pop_to(m, v, time, i);
			return;
		}
	/* The ERET by which a hypervisor in between lets it run is over. */
	for (u32 i = base; i < v->frames; i++)
		if (v->stack[i].kind == FRAME_EXIT && v->stack[i].depth > 1 &&
		    v->stack[i].depth < depth) {
			pop_to(m, v, time, i);
			break;
		}
	/* Another guest of the same hypervisor, or the first one. */
	for (u32 i = base; i < v->frames; i++)
		if (v->stack[i].kind == FRAME_GUEST && v->stack[i].depth >= depth) {
			pop_to(m, v, time, i);
			break;
		}
	if (depth > 1 && v->frames > base && v->stack[v->frames - 1].kind == FRAME_EXIT)
		pop_to(m, v, time, v->frames - 1);
	push(m, v, time, (struct frame){ FRAME_GUEST, depth, context }, NULL, flow);
}

/* ---- costs ---- */

static void spend_guest(struct vcpu_model *v, u64 ticks)
{
	v->guest[v->depth] += ticks;
	for (u32 d = 2; d <= DEPTH_MAX; d++)
		if (v->open[d].cause)
			v->open[d].guest[v->depth] += ticks;
	if (v->depth == 1 && v->serves)
		v->served += ticks;
}

static void spend_nidus(struct vcpu_model *v, u64 ticks)
{
	v->nidus[v->depth] += ticks;
	for (u32 d = 2; d <= DEPTH_MAX; d++)
		if (v->open[d].cause)
			v->open[d].nidus += ticks;
}

static void close_cost(struct model *m, struct vcpu_model *v, u32 depth, u64 time)
{
	if (v->open[depth].cause && m->listen->cost)
		m->listen->cost(m, v, &v->open[depth], time);
	v->open[depth].cause = NULL;
}

/*
 * The guest runs: the exits that waited for it are over, and so are those that led there by an
 * ERET.
 */
static void enter(struct model *m, struct vcpu_model *v, u64 time, u32 context, u64 flow)
{
	u32 depth = context ? m->context[context].depth : 1;

	if (depth > 1) {
		if (v->open[depth].context != context)
			v->open[depth].cause = NULL;
		for (u32 d = 2; d <= depth; d++)
			close_cost(m, v, d, time);
		v->eret_depth = 0;
		v->for_nested += v->served;
		v->served = 0;
		v->serves = false;
	}
	show_guest(m, v, time, depth, context, flow);
	v->depth = depth;
	v->context = context;
	v->since = time;
	v->running = true;
}

/* ---- records ---- */

static void on_end(struct model *m, struct vcpu_model *v, const struct trace_record *r)
{
	if (v->running)
		spend_guest(v, r->time - v->since);
	if (v->run_begun)
		v->run += r->time - v->run_begun;
	v->run_begun = 0;
	v->running = false;
	v->ended = r->time;
	v->local_erets = r->detail;
	v->level_bytes = r->data;
	pop_to(m, v, r->time, 0);
}

static void on_run(struct model *m, struct vcpu_model *v, const struct trace_record *r)
{
	u32 how = TRACE_HOW(r->what), context = 0;
	u64 gap = v->ended ? r->time - v->ended : 0;

	v->asleep += gap;
	for (u32 d = 2; d <= DEPTH_MAX; d++)
		if (v->open[d].cause)
			v->open[d].asleep += gap;
	v->run_begun = r->time;
	if (how & TRACE_NESTED)
		context = v->context ? v->context : context_of(m, v, 0, how & TRACE_NV);
	if (v->entered) /* before the loop began */
		context = v->entered;
	v->entered = 0;
	v->taken = false;
	pop_to(m, v, r->time, 0);
	if (context)
		push(m, v, r->time, (struct frame){ FRAME_GUEST, 1, 0 }, NULL, 0);
	enter(m, v, r->time, context, 0);
}

/* The context in which this exit ends, and whether L2 was left for L1. */
static u32 target_of(struct model *m, struct vcpu_model *v, const struct trace_record *r)
{
	u32 how = TRACE_HOW(r->what);

	if (!(how & TRACE_NESTED))
		return 0;
	if ((how & TRACE_FAST) && !exit_of_nested(r) && exit_class_of(r) == EXIT_CLASS_ERET)
		return context_of(m, v, r->data, how & TRACE_NV);
	if (v->entered)
		return v->entered;
	return v->context ? v->context : context_of(m, v, 0, how & TRACE_NV);
}

/* The exit's own frame and costs; the caller adds what it led to. */
static void show_exit(struct model *m, struct vcpu_model *v, const struct trace_record *r,
		      bool reflected)
{
	u64 end = trace_written(r);

	push(m, v, r->time, (struct frame){ FRAME_EXIT, v->depth, v->context }, r, 0);
	if (reflected) {
		push(m, v, r->time, (struct frame){ FRAME_NIDUS, v->depth, 0 }, r, ++m->flow);
		pop_to(m, v, end, v->frames - 1);
	} else {
		pop_to(m, v, end, v->frames - 1);
	}
}

static void on_exit_record(struct model *m, struct vcpu_model *v, const struct trace_record *r)
{
	u64 end = trace_written(r), ticks = TRACE_TICKS(r->what);
	u32 how = TRACE_HOW(r->what), verdict = how & TRACE_VERDICT, target, depth;
	bool leaves, l2 = exit_of_nested(r);

	if (l2 != (v->depth > 1)) { /* the trace begins here, or something is lost */
		v->context = l2 ? context_of(m, v, 0, false) : 0;
		v->depth = l2 ? m->context[v->context].depth : 1;
	} else if (v->running) {
		spend_guest(v, r->time - v->since);
	}
	if (!v->frames) {
		push(m, v, r->time, (struct frame){ FRAME_GUEST, 1, 0 }, NULL, 0);
		if (v->depth > 1)
			push(m, v, r->time, (struct frame){ FRAME_GUEST, v->depth, v->context },
			     NULL, 0);
	}
	depth = v->depth;
	target = target_of(m, v, r);
	leaves = depth > 1 && (v->taken || !(how & TRACE_NESTED));
	v->level_entries += (how & TRACE_FAST) && !l2 && exit_class_of(r) == EXIT_CLASS_ERET;
	if (depth > 1)
		v->open[depth] = (struct cost){ .cause = r, .context = v->context, .depth = depth,
						.start = r->time, .reflected = leaves };
	if (leaves && has_stage2(m, v->context)) {
		v->serves = true;
		v->served = 0;
	}
	if (leaves)
		v->eret_depth = m->context[v->context].nv && exit_class_of(r) == EXIT_CLASS_ERET
					? depth : 0;
	spend_nidus(v, ticks);
	if (m->listen->exit)
		m->listen->exit(m, v, r, depth);
	show_exit(m, v, r, leaves && !target);
	v->running = false;
	v->entered = 0;
	v->taken = false;
	if (verdict < SLEEP || verdict > AGAIN)
		enter(m, v, end, target, leaves && !target ? m->flow : 0);
}

static void count(struct vcpu_model *v, const struct trace_record *r)
{
	switch (TRACE_EVENT(r->what)) {
	case TRACE_LEVEL:
		v->level_entries++;
		break;
	case TRACE_IRQ:
		v->irqs++;
		break;
	case TRACE_LOAD:
		v->loads++;
		break;
	case TRACE_CLAIM:
		v->claims++;
		v->bytes += r->detail;
		break;
	case TRACE_FLUSH:
		v->flushes++;
		v->bytes += r->detail;
		break;
	case TRACE_HOST:
		v->host_sections++;
		break;
	}
}

static void on_record(struct model *m, struct vcpu_model *v, const struct trace_record *r)
{
	u32 event = TRACE_EVENT(r->what), how = TRACE_HOW(r->what);

	v->known = true;
	count(v, r);
	if (is_exit(r)) {
		/* A fast path's interrupt is also one written to a list register. */
		v->irqs += (how & TRACE_FAST) && exit_class_of(r) == EXIT_CLASS_IRQ;
		on_exit_record(m, v, r);
	} else if (event == TRACE_RUN) {
		on_run(m, v, r);
	} else if (event == TRACE_END) {
		on_end(m, v, r);
	} else {
		if (event == TRACE_LEVEL)
			v->entered = context_of(m, v, r->data, how & TRACE_NV);
		if (event == TRACE_TAKE && (how & TRACE_TAKE_NESTED)) {
			v->taken = true;
			v->entered = 0;
		}
		if (m->listen->instant)
			m->listen->instant(m, v, r);
	}
}

void model_run(struct model *m, struct trace *t, const struct listener *listen, void *user)
{
	const struct trace_record *r;
	u32 cpu = 0;

	memset(m, 0, sizeof(*m));
	m->t = t;
	m->listen = listen;
	m->user = user;
	m->contexts = 1;
	trace_rewind(t);
	while ((r = trace_next(t, &cpu))) {
		struct vcpu_model *v = &m->vcpu[TRACE_VM(r->what)][TRACE_VCPU(r->what)];

		v->vm = TRACE_VM(r->what);
		v->index = TRACE_VCPU(r->what);
		if (!m->first)
			m->first = r->time;
		m->last = MAX(m->last, trace_written(r));
		on_record(m, v, r);
	}
	for (u32 vm = 0; vm < TRACE_VMS; vm++)
		for (u32 i = 0; i < 16; i++)
			pop_to(m, &m->vcpu[vm][i], m->last, 0);
}
