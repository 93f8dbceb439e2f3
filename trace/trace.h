/* SPDX-License-Identifier: Apache-2.0 */
/* A trace of nidus on the host: its file, its events in order, and names for people. */
#pragma once

#include <stdio.h>

#include "state/account.h"
#include "state/exit.h"
#include "state/trace_format.h"

/*
 * A trace file is blocks, each with a head: the area's page, whenever it has changed, and records
 * of one CPU as they came. Little-endian.
 */
#define BLOCK_MAGIC 0x6b6c424eU /* "NBlk" */
#define BLOCK_AREA 0xffffffffU  /* as cpu */
#define BLOCK_MAX (1U << 20)    /* bytes behind a head, at most */

struct block {
	u32 magic, cpu;
	u64 first; /* number of the first record, of all that the CPU has written */
	u32 bytes, crc; /* crc: block_sum() */
};

/* The sum of a block's head, but for crc, and of what is behind it. */
u32 block_sum(struct block b, const void *data);

struct cpu_log {
	struct trace_record *record;
	u64 count, room, next; /* next: number of the one after the last */
	u64 lost;              /* overwritten before they were read, or damaged */
	u64 at;                /* trace_next() */
};

struct trace {
	const char *path;
	struct trace_area area;
	struct cpu_log cpu[TRACE_CPUS];
	bool damaged; /* some of it could not be read; said on standard error */
	u64 complaints;
};

/*
 * Read a file: what nidus-trace record wrote, or the log of a console with a dump (Ctrl-A t). All
 * that is readable is loaded; what is not is reported on standard error. False: nothing.
 */
bool trace_read(struct trace *t, const char *path);
/* The same for text. */
bool trace_read_console(struct trace *t, FILE *in);
void log_add(struct trace *t, u32 cpu, u64 first, const struct trace_record *r, u64 count);

/*
 * Follow the rings of a running machine: the main loop of nidus-trace record. Returns its exit
 * status.
 */
int trace_record(const char *area_path, const char *out_path);

/* The next record of all CPUs in the order in which they were written; NULL: no more. */
const struct trace_record *trace_next(struct trace *t, u32 *cpu);
void trace_rewind(struct trace *t);
/* The time at which it was written: an exit's end. */
u64 trace_written(const struct trace_record *r);

/* ---- names ---- */

static inline bool is_exit(const struct trace_record *r)
{
	return TRACE_EVENT(r->what) < 2 * EXIT_CLASS_COUNT;
}

static inline u32 exit_class_of(const struct trace_record *r)
{
	return TRACE_EVENT(r->what) % EXIT_CLASS_COUNT;
}

/* Whether it belongs to an exit of L2 or deeper. */
static inline bool exit_of_nested(const struct trace_record *r)
{
	return TRACE_EVENT(r->what) >= EXIT_CLASS_COUNT;
}

const char *class_name(u32 class);
const char *event_name(u32 event);
const char *verdict_name(u32 verdict);
/* A VM's name as the tools show it: what may have a meaning of its own to a reader is a '?'. */
const char *vm_name(const struct trace *t, u32 vm, char buf[32]);
/* The cause of an exit: register and direction, device or page, INTID, immediate. */
const char *exit_cause(const struct trace_record *r, char buf[64]);
/*
 * What an event that is no exit is about, the kind of it up to a comma; "" if its name says all.
 */
const char *event_cause(const struct trace_record *r, char buf[96]);
/* Convert ticks of t's counter to microseconds, rounded to hundredths. */
double us_of(const struct trace *t, u64 ticks);
u64 ns_of(const struct trace *t, u64 ticks);

/* ---- output ---- */

/* Whether all of it has been written, and if not, why, on standard error. to: its name, if any. */
bool trace_flush(FILE *out, const char *to);

int text_write(struct trace *t, FILE *out);
int json_write(struct trace *t, FILE *out);
int perfetto_write(struct trace *t, FILE *out);
/*
 * A picture (SVG) of an exit of this class of a level from 2 on, that another level got: what stands
 * in what, or (lanes) who ran when.
 */
int picture_write(struct trace *t, FILE *out, bool lanes, u32 depth, const char *class);
int stat_main(int argc, char **argv);
