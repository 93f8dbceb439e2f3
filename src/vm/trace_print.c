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
#include "lib/string.h"
#include "state/trace.h"
#include "vm/account.h"

#define READ_MAX 65536u /* records of a CPU, at most */
#define DUMP 256u
#define KINDS 32 /* number of exits; a power of 2 */

struct recent {
	u64 exits, total, nidus;
	struct kind {
		u64 key, count; /* key: event, and the part of the detail that names the cause */
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

/* What of an exit's detail is its cause. */
static u64 cause_mask(u32 class)
{
	switch ((enum exit_class)class) {
	case EXIT_CLASS_SYS:
		return SYSREG_KEY_MASK | 1;
	case EXIT_CLASS_IRQ:
		return MASK(31, 0);
	case EXIT_CLASS_HVC:
	case EXIT_CLASS_SMC:
		return MASK(15, 0);
	case EXIT_CLASS_DABT:
		return DABT_WNR;
	default:
		return 0;
	}
}

/* For people, with a blank before it; nidus-stat knows the names of registers as well. */
static void cause_text(u32 class, u32 detail, char *buf, size_t size)
{
	switch ((enum exit_class)class) {
	case EXIT_CLASS_SYS:
		snprintf(buf, size, " %s S%u_%u_C%u_C%u_%u", SYS64_READ(detail) ? "read" : "write",
			 (u32)SYS64_OP0(detail), (u32)SYS64_OP1(detail), (u32)SYS64_CRN(detail),
			 (u32)SYS64_CRM(detail), (u32)SYS64_OP2(detail));
		break;
	case EXIT_CLASS_IRQ:
		snprintf(buf, size, " INTID %u", detail);
		break;
	case EXIT_CLASS_HVC:
	case EXIT_CLASS_SMC:
		snprintf(buf, size, " #%u", detail);
		break;
	case EXIT_CLASS_DABT:
		snprintf(buf, size, detail ? " store" : " load");
		break;
	default:
		buf[0] = '\0';
		break;
	}
}

static void count_kind(struct recent *sum, const struct trace_record *r)
{
	u32 event = TRACE_EVENT(r->what);
	u64 key = BIT(63) | (u64)event << 32 | (r->detail & cause_mask(event % EXIT_CLASS_COUNT));

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

/* ms: how long, if it is not a second. */
static void print_recent(const struct recent *sum, u64 ms)
{
	const struct kind *best = &sum->kind[0];
	struct account_us total = account_us(sum->total / sum->exits);
	struct account_us nidus = account_us(sum->nidus / sum->exits);
	struct account_us l1 = account_us((sum->total - sum->nidus) / sum->exits);
	char cause[40], of[24] = "second";
	u32 class;

	for (u32 i = 1; i < KINDS; i++)
		if (sum->kind[i].count > best->count)
			best = &sum->kind[i];
	class = ((u32)(best->key >> 32) & 0xff) % EXIT_CLASS_COUNT;
	cause_text(class, (u32)best->key, cause, sizeof(cause));
	if (ms)
		snprintf(of, sizeof(of), "%lu ms", ms);
	log_line("Of the last %s an L2 exit cost %lu.%02uus, of which nidus %lu.%02u, L1 "
		 "%lu.%02u; the most frequent cause is %s%s (%lu of %lu).",
		 of, total.whole, total.cents, nidus.whole, nidus.cents, l1.whole, l1.cents,
		 account_class_name(class), cause, best->count, sum->exits);
}

/* From when on all records of a ring can be read, if that is later than since. */
static u64 complete_since(const struct trace_ring *ring, u64 since)
{
	u64 end, first = readable(ring, READ_MAX, &end);

	return first ? MAX(since, record_at(ring, first)->time) : since;
}

void trace_print_recent(void)
{
	struct recent sum = { 0 };
	u64 now = counter_now(), second, since;

	if (!trace_area)
		return;
	since = second = now - MIN(now, trace_area->hz);
	for (u32 i = 0; i < trace_area->cpus; i++)
		since = complete_since(trace_ring_of(trace_area, trace_area->ring_bytes, i), since);
	for (u32 i = 0; i < trace_area->cpus; i++)
		add_ring(&sum, trace_ring_of(trace_area, trace_area->ring_bytes, i), since);
	if (sum.exits)
		print_recent(&sum, since == second ? 0
						   : (now - MIN(now, since)) * 1000 /
							     MAX(trace_area->hz, 1));
}

static void dump_ring(u32 cpu)
{
	const struct trace_ring *ring = trace_ring_of(trace_area, trace_area->ring_bytes, cpu);
	u64 end;

	for (u64 n = readable(ring, DUMP, &end); n < end; n++) {
		const struct trace_record *r = record_at(ring, n);

		u64 number[] = { n, r->time, r->what, r->detail, r->data };

		log_line("trace %u %lx %lx %lx %lx %lx %04x", cpu, n, r->time, r->what, r->detail,
			 r->data, trace_line_sum(number, ARRAY_SIZE(number)));
	}
}

void trace_dump(void)
{
	const u64 *area = (const u64 *)trace_area;
	u64 number[2];

	if (!trace_area) {
		log_line("console: there is no trace (nidus.trace=MiB on nidus's command line)");
		return;
	}
	/* Bytes in the order of addresses. */
	for (u32 i = 0; i < sizeof(*trace_area) / 8; i++) {
		number[0] = i * 8;
		number[1] = __builtin_bswap64(area[i]);
		log_line("trace area %lx %016lx %04x", number[0], number[1],
			 trace_line_sum(number, ARRAY_SIZE(number)));
	}
	for (u32 i = 0; i < trace_area->cpus; i++)
		dump_ring(i);
}
