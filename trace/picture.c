/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures (SVG) of one exit of a level below L1, until that level goes on: the one of median
 * length of all that another level got. The trace is read twice: to choose, and to draw.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define WIDTH 960.0
#define LANES 60.0 /* room for their names */
#define ROW 24.0
#define TOP 44.0
#define ROUNDS 3 /* of such an exit that a timeline shows */

/* An exit that may be drawn. */
struct round {
	u64 start, end, nidus, guest[DEPTH_MAX + 1];
	u32 vm, vcpu;
};

struct span {
	u64 begin, end;
	u32 row, depth;
	enum frame_kind kind;
	bool leaf; /* nothing stands on it */
	char name[96];
};

struct picture {
	const char *class;
	u32 depth;
	bool lanes; /* a timeline */
	struct round *round;
	u32 rounds, room;
	struct round shown;
	struct span *span;
	u32 spans, span_room;
	u32 open[STACK_MAX]; /* by frame: its span's number and 1, or 0 */
	u32 base, rows;
};

/* The name of an exit. */
static void name_exit(struct span *s, const struct trace_record *r, u32 depth)
{
	char cause[64];

	exit_cause(r, cause);
	snprintf(s->name, sizeof(s->name), "L%u %s%s%s", depth, class_name(exit_class_of(r)),
		 cause[0] ? " " : "", cause);
}

static void *grown(void *p, u32 n, u32 *room, size_t size)
{
	if (n < *room)
		return p;
	*room = *room ? 2 * *room : 1024;
	return realloc(p, *room * size);
}

/* ---- choosing ---- */

static void on_cost(struct model *m, struct vcpu_model *v, const struct cost *c, u64 end)
{
	struct picture *p = m->user;
	struct round *r;

	if (c->depth != p->depth || !c->reflected || c->asleep ||
	    strcmp(class_name(exit_class_of(c->cause)), p->class))
		return;
	p->round = grown(p->round, p->rounds, &p->room, sizeof(*p->round));
	r = &p->round[p->rounds++];
	*r = (struct round){ c->start, end, c->nidus, { 0 }, v->vm, v->index };
	memcpy(r->guest, c->guest, sizeof(r->guest));
}

static int by_length(const void *a, const void *b)
{
	const struct round *x = a, *y = b;
	u64 xs = x->end - x->start, ys = y->end - y->start;

	if (xs != ys)
		return xs < ys ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* The first of the median's length: the same in each run that counts instructions. */
static bool choose(struct picture *p, struct trace *t)
{
	static const struct listener listener = { .cost = on_cost };
	static struct model m;
	u64 length;
	u32 i;

	model_run(&m, t, &listener, p);
	if (!p->rounds)
		return false;
	qsort(p->round, p->rounds, sizeof(*p->round), by_length);
	i = p->rounds / 2;
	length = p->round[i].end - p->round[i].start;
	while (i && p->round[i - 1].end - p->round[i - 1].start == length)
		i--;
	p->shown = p->round[i];
	return true;
}

/* ---- gathering ---- */

static bool is_shown(const struct picture *p, const struct vcpu_model *v, u64 begin, u64 end)
{
	u64 length = p->shown.end - p->shown.start;

	return v->vm == p->shown.vm && v->index == p->shown.vcpu && begin >= p->shown.start &&
	       end <= p->shown.start + (p->lanes ? ROUNDS * length + length / 2 : length);
}

static struct span *add_span(struct picture *p, struct span s)
{
	p->span = grown(p->span, p->spans, &p->span_room, sizeof(*p->span));
	p->rows = MAX(p->rows, s.row + 1);
	p->span[p->spans] = s;
	return &p->span[p->spans++];
}

static void on_begin(struct model *m, struct vcpu_model *v, u64 time, enum frame_kind kind,
		     u32 depth, const struct trace_record *r, u64 flow)
{
	struct picture *p = m->user;
	u32 frame = v->frames - 1;
	struct span *s;

	(void)flow;
	if (v->vm != p->shown.vm || v->index != p->shown.vcpu)
		return;
	p->open[frame] = 0;
	if (!is_shown(p, v, time, time) || time >= p->shown.end)
		return;
	if (!p->spans)
		p->base = frame;
	if (frame < p->base)
		return;
	s = add_span(p, (struct span){ time, time, frame - p->base, depth, kind, true, "" });
	if (kind == FRAME_EXIT)
		name_exit(s, r, depth);
	else
		snprintf(s->name, sizeof(s->name), kind == FRAME_GUEST ? "L%u" : "nidus", depth);
	if (frame && p->open[frame - 1])
		p->span[p->open[frame - 1] - 1].leaf = false;
	p->open[frame] = p->spans;
}

static void on_end(struct model *m, struct vcpu_model *v, u64 time)
{
	struct picture *p = m->user;
	u32 frame = v->frames - 1;

	if (v->vm != p->shown.vm || v->index != p->shown.vcpu || !p->open[frame])
		return;
	p->span[p->open[frame] - 1].end = MIN(time, p->shown.end);
	p->open[frame] = 0;
}

/* A timeline has who runs: nidus at the bottom, levels above. */
static void on_exit_record(struct model *m, struct vcpu_model *v, const struct trace_record *r,
			   u32 depth)
{
	struct picture *p = m->user;
	struct span *s;

	if (v->running && is_shown(p, v, v->since, r->time)) {
		s = add_span(
			p, (struct span){ v->since, r->time, depth, depth, FRAME_GUEST, true, "" });
		snprintf(s->name, sizeof(s->name), "L%u", depth);
	}
	if (is_shown(p, v, r->time, trace_written(r))) {
		s = add_span(p, (struct span){ r->time, trace_written(r), 0, depth, FRAME_NIDUS,
					       true, "" });
		name_exit(s, r, depth);
	}
}

/* ---- drawing ---- */

static const char *color_of(const struct span *s)
{
	static const char *const guest[] = { "",        "#7aa6da", "#9ccc65", "#ffb74d", "#ba9bd8",
					     "#80cbc4", "#f48fb1", "#bcaaa4", "#cfd8dc" };

	if (s->kind == FRAME_GUEST)
		return guest[MIN(s->depth, ARRAY_SIZE(guest) - 1)];
	return s->kind == FRAME_NIDUS || s->leaf ? "#e57373" : "#f5cfcf";
}

static void put_text(FILE *out, double x, double y, const char *anchor, const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	for (; *text; text++)
		if (*text == '<' || *text == '&')
			fprintf(out, "&#%d;", *text);
		else
			fputc(*text, out);
	fprintf(out, "</text>\n");
}

static double left_of(const struct picture *p)
{
	return p->lanes ? LANES : 10;
}

/* Where in the picture a time is. */
static double x_of(const struct picture *p, u64 time, u64 from, u64 to)
{
	double left = left_of(p);

	time = MIN(MAX(time, from), to);
	return left + (WIDTH - left - 20) * (double)(time - from) / (double)MAX(to - from, 1);
}

static void draw_span(const struct trace *t, FILE *out, const struct picture *p,
		      const struct span *s, u64 from, u64 to)
{
	double x = x_of(p, s->begin, from, to), w = x_of(p, s->end, from, to) - x;
	double y = TOP + ROW * (p->lanes ? p->rows - 1 - s->row : s->row);
	char text[128];
	int fits = (int)((MAX(w, 6) - 6) / 6.3);

	fprintf(out,
		"<g><title>%s, %" PRIu64 " ns</title><rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" "
		"height=\"%.1f\" fill=\"%s\"/>\n",
		s->name, ns_of(t, MAX(s->end, s->begin) - s->begin), x, y, MAX(w, 0.4), ROW - 2,
		color_of(s));
	snprintf(text, sizeof(text), "%s",
		 !p->lanes && s->kind == FRAME_EXIT && s->leaf && (int)strlen(s->name) > fits
			 ? "nidus"
			 : s->name);
	if ((int)strlen(text) > fits && fits > 4)
		strcpy(text + fits - 2, "..");
	if (!p->lanes && (int)strlen(text) <= fits)
		put_text(out, x + 4, y + 15, "start", text);
	fprintf(out, "</g>\n");
}

/* Ticks of the axis: a power of ten, or two or five of it, of which 5 to 12 fit. */
static u64 step_of(u64 ns)
{
	u64 step = 1;

	for (;; step *= 10)
		for (u32 i = 0; i < 3; i++)
			if (ns / (step * (u64[]){ 1, 2, 5 }[i]) <= 10)
				return step * (u64[]){ 1, 2, 5 }[i];
}

static void draw_axis(const struct trace *t, FILE *out, const struct picture *p, double bottom,
		      u64 from, u64 to)
{
	u64 length = ns_of(t, to - from), step = step_of(length);
	char text[32];

	for (u64 at = 0;; at += step) {
		double x = x_of(p, at, 0, length);

		fprintf(out, "<path d=\"M%.1f %.1fV%.1f\" stroke=\"#ccc\"/>\n", x, TOP - 4, bottom);
		snprintf(text, sizeof(text), "%g us", (double)at / 1000);
		put_text(out, x, bottom + 14, "middle", text);
		if (length - at < step)
			break;
	}
}

/* Who had how much of the exit. */
static void title_of(const struct trace *t, const struct picture *p, char text[256])
{
	const struct round *r = &p->shown;
	int n = snprintf(
		text, 256, "An exit of L%u (%s), until L%u goes on: %.2f us, of which nidus %.2f",
		p->depth, p->class, p->depth, us_of(t, r->end - r->start), us_of(t, r->nidus));

	for (u32 d = 1; d <= DEPTH_MAX && n < 256; d++)
		if (r->guest[d])
			n += snprintf(text + n, 256 - (size_t)n, ", L%u %.2f", d,
				      us_of(t, r->guest[d]));
}

static void draw(const struct trace *t, FILE *out, const struct picture *p)
{
	double bottom = TOP + ROW * p->rows;
	u64 from = p->shown.start, to = p->shown.end;
	char text[256];

	for (u32 i = 0; p->lanes && i < p->spans; i++)
		to = MAX(to, p->span[i].end);
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
		"font-family=\"sans-serif\" font-size=\"11\">\n"
		"<!-- by nidus-trace, from a trace; make pictures -->\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH, bottom + 24);
	title_of(t, p, text);
	fprintf(out, "<g font-size=\"14\">\n");
	put_text(out, left_of(p), 22, "start", text);
	fprintf(out, "</g>\n");
	draw_axis(t, out, p, bottom, from, to);
	for (u32 row = 0; p->lanes && row < p->rows; row++) {
		snprintf(text, sizeof(text), row ? "L%u" : "nidus", row);
		put_text(out, LANES - 8, TOP + ROW * (p->rows - 1 - row) + 15, "end", text);
	}
	for (u32 i = 0; i < p->spans; i++)
		draw_span(t, out, p, &p->span[i], from, to);
	fprintf(out, "</svg>\n");
}

int picture_write(struct trace *t, FILE *out, bool lanes, u32 depth, const char *class)
{
	static const struct listener frames = { .begin = on_begin, .end = on_end };
	static const struct listener runs = { .exit = on_exit_record };
	static struct picture p;
	static struct model m;

	p = (struct picture){ .class = class, .depth = depth, .lanes = lanes };
	if (!choose(&p, t)) {
		fprintf(stderr, "nidus-trace: no %s of level %u in %s that another level got\n",
			class, depth, t->path);
		return 1;
	}
	model_run(&m, t, lanes ? &runs : &frames, &p);
	draw(t, out, &p);
	free(p.round);
	free(p.span);
	return ferror(out) ? 1 : 0;
}
