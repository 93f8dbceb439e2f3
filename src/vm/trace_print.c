/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace on the console: what exits of nested guests have cost recently, and its last records as
 * lines.
 */
#include "vm/trace_print.h"

#include "arch/counter.h"
#include "arch/esr.h"
#include "arch/sysreg_table.h"
#include "lib/log.h"
#include "state/trace.h"
#include "vm/account.h"

#define READ_MAX 65536u /* records of a CPU, at most */
#define DUMP 256u
#define KINDS 32 /* number of exits; a power of 2 */

struct recent {
	u64 exits, total, nidus;
	struct kind {
		u64 key, count; /* key: event, and the part of the syndrome that names the cause */
	} kind[KINDS];
};

static const struct trace_record *record_at(const struct trace_ring *ring, u64 n)
{
	u64 at = n * sizeof(ring->record[0]) & ring->mask;

	return (const void *)((const char *)ring->record + at);
}

/* The numbers of the records that may be read: [return value, *end). */
static u64 readable(const struct trace_ring *ring, u64 most, u64 *end)
{
	u64 room = (ring->mask + 1) / sizeof(ring->record[0]) - TRACE_MARGIN;

	*end = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) / sizeof(ring->record[0]);
	return *end - MIN(*end, MIN(room, most));
}

static void count_kind(struct recent *sum, const struct trace_record *r)
{
	u32 event = TRACE_EVENT(r->what);
	bool sys = event % EXIT_CLASS_COUNT == EXIT_CLASS_SYS;
	u64 key = BIT(63) | (u64)event << 32 | (sys ? r->detail & (SYSREG_KEY_MASK | 1) : 0);

	for (u32 i = 0, at = (u32)(key ^ key >> 5 ^ key >> 32); i < KINDS; i++, at++) {
		struct kind *k = &sum->kind[at % KINDS];

		if (k->key == key || !k->key) {
			k->key = key;
			k->count++;
			return;
		}
	}
}

/*
 * An exit of a nested guest is open until vEL2 enters it again; it is not counted if another vcpu
 * ran meanwhile.
 */
static void count_record(struct recent *sum, const struct trace_record *r,
			 const struct trace_record **open, u64 *nidus)
{
	u32 event = TRACE_EVENT(r->what), how = TRACE_HOW(r->what);
	u64 end = r->time + TRACE_TICKS(r->what);

	if (event == TRACE_END || event == TRACE_PUT)
		*open = NULL;
	if (event >= TRACE_EXITS)
		return;
	if (event >= EXIT_CLASS_COUNT) {
		*open = r;
		*nidus = 0;
	}
	if (!*open)
		return;
	*nidus += TRACE_TICKS(r->what);
	if (!(how & TRACE_NESTED))
		return;
	sum->exits++;
	sum->total += end - (*open)->time;
	sum->nidus += *nidus;
	count_kind(sum, *open);
	*open = NULL;
}

static void add_ring(struct recent *sum, const struct trace_ring *ring, u64 since)
{
	const struct trace_record *open = NULL;
	u64 end, nidus = 0;

	for (u64 n = readable(ring, READ_MAX, &end); n < end; n++)
		if (record_at(ring, n)->time >= since)
			count_record(sum, record_at(ring, n), &open, &nidus);
}

static void print_recent(const struct recent *sum)
{
	const struct kind *best = &sum->kind[0];
	struct account_us total = account_us(sum->total / sum->exits);
	struct account_us nidus = account_us(sum->nidus / sum->exits);
	struct account_us l1 = account_us((sum->total - sum->nidus) / sum->exits);
	u32 event;

	for (u32 i = 1; i < KINDS; i++)
		if (sum->kind[i].count > best->count)
			best = &sum->kind[i];
	event = (u32)(best->key >> 32) & 0xff;
	log_line("Of the last second an L2 exit cost %lu.%02uus, of which nidus %lu.%02u, L1 "
		 "%lu.%02u; the most frequent cause is %s 0x%lx (%lu of %lu).",
		 total.whole, total.cents, nidus.whole, nidus.cents, l1.whole, l1.cents,
		 account_class_name(event % EXIT_CLASS_COUNT), best->key & MASK(31, 0), best->count,
		 sum->exits);
}

void trace_print_recent(void)
{
	struct recent sum = { 0 };
	u64 now = counter_now();

	if (!trace_area)
		return;
	for (u32 i = 0; i < trace_area->cpus; i++)
		add_ring(&sum, trace_ring_of(trace_area, trace_area->ring_bytes, i),
			     now - MIN(now, trace_area->hz));
	if (sum.exits)
		print_recent(&sum);
}

static void dump_ring(u32 cpu)
{
	const struct trace_ring *ring = trace_ring_of(trace_area, trace_area->ring_bytes, cpu);
	u64 end;

	for (u64 n = readable(ring, DUMP, &end); n < end; n++) {
		const struct trace_record *r = record_at(ring, n);

		log_line("trace %u %lx %lx %lx %lx %lx", cpu, n, r->time, r->what, r->detail,
			 r->data);
	}
}

void trace_dump(void)
{
	const u64 *area = (const u64 *)trace_area;

	if (!trace_area) {
		log_line("console: there is no trace (nidus.trace=MiB on nidus's command line)");
		return;
	}
	/* Bytes in the order of addresses. */
	for (u32 i = 0; i < sizeof(*trace_area) / 8; i++)
		log_line("trace area %x %016lx", i * 8, __builtin_bswap64(area[i]));
	for (u32 i = 0; i < trace_area->cpus; i++)
		dump_ring(i);
}
