/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a trace file, whatever state it is in. */
#include "trace.h" /* before <errno.h>: lib/types.h has its numbers as well */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static u32 crc32_of(const void *data, size_t n)
{
	static u32 table[256];
	const u8 *p = data;
	u32 crc = ~0u;

	for (u32 i = 0; i < 256 && !table[255]; i++) {
		u32 c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
		table[i] = c;
	}
	while (n--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

u32 block_sum(struct block b, const void *data)
{
	b.crc = 0;
	return crc32_of(&b, sizeof(b)) ^ crc32_of(data, b.bytes);
}

#define COMPLAINTS_MAX 50

static void complain(struct trace *t, u64 offset, const char *what)
{
	if (t->complaints++ < COMPLAINTS_MAX)
		fprintf(stderr, "nidus-trace: %s: offset %" PRIu64 ": %s\n", t->path, offset, what);
	t->damaged = true;
}

void log_add(struct trace *t, u32 cpu, u64 first, const struct trace_record *r, u64 count)
{
	struct cpu_log *log = &t->cpu[cpu];
	u64 old = 0;

	if (first > log->next)
		log->lost += first - log->next;
	else
		old = MIN(log->next - first, count); /* a dump may be there twice */
	if (log->count + count > log->room) {
		log->room = 2 * (log->count + count);
		log->record = realloc(log->record, log->room * sizeof(*r));
		if (!log->record) {
			fprintf(stderr, "nidus-trace: no memory for %" PRIu64 " records\n",
				log->room);
			exit(1);
		}
	}
	memcpy(log->record + log->count, r + old, (count - old) * sizeof(*r));
	log->count += count - old;
	log->next = MAX(log->next, first + count);
}

static bool area_fits(const struct trace_area *a)
{
	return a->magic == TRACE_MAGIC && a->record_size == sizeof(struct trace_record) &&
	       a->cpus && a->cpus <= TRACE_CPUS && a->hz;
}

/* Add the records behind a complete head. */
static const char *take_block(struct trace *t, const struct block *b, const u8 *data)
{
	const struct trace_area *area = (const void *)data;

	if (block_sum(*b, data) != b->crc)
		return "a block's sum is wrong; it is left out";
	if (b->cpu == BLOCK_AREA) {
		if (b->bytes != sizeof(*area) || !area_fits(area))
			return "a description that is none, or of another version of nidus";
		t->area = *area;
		return NULL;
	}
	if (b->cpu >= TRACE_CPUS || b->bytes % sizeof(struct trace_record))
		return "a block of a CPU that cannot be; it is left out";
	log_add(t, b->cpu, b->first, (const void *)data, b->bytes / sizeof(struct trace_record));
	return NULL;
}

/* Where the next head might be. */
static u64 resync(const u8 *data, u64 size, u64 at)
{
	u32 magic = BLOCK_MAGIC;
	const u8 *p = at < size ? memmem(data + at, size - at, &magic, sizeof(magic)) : NULL;

	return p ? (u64)(p - data) : size;
}

static bool is_head(const struct block *b)
{
	return b->magic == BLOCK_MAGIC && b->bytes && b->bytes <= BLOCK_MAX;
}

static void read_blocks(struct trace *t, const u8 *data, u64 size)
{
	struct block b;

	for (u64 at = 0; at < size;) {
		const char *why = NULL;
		u64 from = at;

		if (size - at < sizeof(b)) {
			complain(t, at, "cut off within a block's head; what comes before is read");
			return;
		}
		memcpy(&b, data + at, sizeof(b));
		if (!is_head(&b)) {
			at = resync(data, size, at + 1);
			why = "no block begins here; it is looked for further on";
		} else if (b.bytes > size - at - sizeof(b)) {
			at = resync(data, size, at + 1);
			why = at < size ? "a block that reaches beyond the end; looking further on"
					: "cut off within a block; what comes before is read";
		} else {
			static u8 copy[BLOCK_MAX] __attribute__((aligned(8)));

			memcpy(copy, data + at + sizeof(b), b.bytes);
			why = take_block(t, &b, copy);
			at = why ? resync(data, size, at + 1) : at + sizeof(b) + b.bytes;
		}
		if (why)
			complain(t, from, why);
	}
}

static u8 *read_all(const char *path, u64 *size)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	u64 room = 1 << 20;
	u8 *data = malloc(room);
	size_t n;

	*size = 0;
	if (!in) {
		fprintf(stderr, "nidus-trace: %s: %s\n", path, strerror(errno));
		free(data);
		return NULL;
	}
	while (data && (n = fread(data + *size, 1, room - *size, in)) > 0) {
		*size += n;
		if (*size == room)
			data = realloc(data, room *= 2);
	}
	if (!data || ferror(in)) {
		fprintf(stderr, "nidus-trace: %s: %s\n", path, strerror(errno));
		free(data);
		data = NULL;
	}
	if (in != stdin)
		fclose(in);
	return data;
}

bool trace_read(struct trace *t, const char *path)
{
	u64 size;
	u8 *data;
	u32 magic = 0;

	*t = (struct trace){ .path = path };
	data = read_all(path, &size);
	if (!data)
		return false;
	if (size >= sizeof(magic))
		memcpy(&magic, data, sizeof(magic));
	if (magic != BLOCK_MAGIC && memmem(data, size, "nidus: trace ", 13)) {
		FILE *text = fmemopen(data, size, "r");

		trace_read_console(t, text);
		fclose(text);
	} else {
		read_blocks(t, data, size);
	}
	free(data);
	if (t->complaints > COMPLAINTS_MAX)
		fprintf(stderr, "nidus-trace: %s: %" PRIu64 " more such places\n", path,
			t->complaints - COMPLAINTS_MAX);
	if (!area_fits(&t->area)) {
		fprintf(stderr, "nidus-trace: %s: this is no trace, or its description is lost\n",
			path);
		return false;
	}
	return true;
}

/* ---- a console's log ---- */

static bool is_over(const char *s)
{
	return s[strspn(s, "\r\n")] == '\0';
}

/* "area OFFSET HEX SUM": eight bytes of the description, in their order. */
static bool take_area_line(struct trace *t, const char *s)
{
	u64 number[2];
	unsigned sum;
	int end = -1;

	if (sscanf(s, "area %" SCNx64 " %" SCNx64 " %x%n", &number[0], &number[1], &sum, &end) !=
		    3 ||
	    sum != trace_line_sum(number, 2) || number[0] > sizeof(t->area) - 8 ||
	    !is_over(s + end))
		return false;
	number[1] = __builtin_bswap64(number[1]);
	memcpy((u8 *)&t->area + number[0], &number[1], 8);
	return true;
}

/* "CPU NUMBER TIME WHAT DETAIL DATA SUM", all but CPU hexadecimal. */
static bool take_record_line(struct trace *t, const char *s)
{
	struct trace_record r;
	u64 number[5];
	unsigned cpu, sum;
	int end = -1;

	if (sscanf(s, "%u %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %x%n", &cpu,
		   &number[0], &number[1], &number[2], &number[3], &number[4], &sum, &end) != 7 ||
	    sum != trace_line_sum(number, 5) || cpu >= TRACE_CPUS || !is_over(s + end))
		return false;
	r = (struct trace_record){ number[1], number[2], number[3], number[4] };
	if (!t->cpu[cpu].count)
		t->cpu[cpu].next = number[0]; /* a dump has the latest ones */
	log_add(t, cpu, number[0], &r, 1);
	return true;
}

/*
 * Lines of nidus's own begin with its name; what a VM prints has the VM's name before it, where
 * there are several.
 */
bool trace_read_console(struct trace *t, FILE *in)
{
	static const char head[] = "nidus: trace ";
	char line[512];
	bool begins = true;

	for (u64 offset = 0; fgets(line, sizeof(line), in); offset += strlen(line)) {
		const char *s = line + sizeof(head) - 1;
		bool dump = begins && !strncmp(line, head, sizeof(head) - 1) &&
			    (*s == 'a' || (*s >= '0' && *s <= '9'));

		if (dump && !take_area_line(t, s) && !take_record_line(t, s))
			complain(t, offset, "a line of a dump that is not whole; it is left out");
		begins = strchr(line, '\n');
	}
	return true;
}

/* ---- in order ---- */

u64 trace_written(const struct trace_record *r)
{
	return r->time + (is_exit(r) ? TRACE_TICKS(r->what) : 0);
}

void trace_rewind(struct trace *t)
{
	for (u32 i = 0; i < TRACE_CPUS; i++)
		t->cpu[i].at = 0;
}

const struct trace_record *trace_next(struct trace *t, u32 *cpu)
{
	struct cpu_log *best = NULL;

	for (u32 i = 0; i < TRACE_CPUS; i++) {
		struct cpu_log *log = &t->cpu[i];

		if (log->at == log->count)
			continue;
		if (best && trace_written(&best->record[best->at]) <=
				    trace_written(&log->record[log->at]))
			continue;
		best = log;
		*cpu = i;
	}
	return best ? &best->record[best->at++] : NULL;
}
