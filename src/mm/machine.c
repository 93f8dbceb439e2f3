/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's memory as sets of ranges: what is RAM, what is reserved, what is left. */
#include "mm/machine.h"

#include "lib/string.h"
#include "mm/addr.h"

struct machine machine;

bool machine_reserve(struct machine *m, u64 base, u64 size)
{
	if (!size)
		return true;
	if (m->rsv_count == MACHINE_RSV_MAX)
		return false;
	m->rsv[m->rsv_count++] = (struct range){ base, size };
	return true;
}

bool machine_is_ram(const struct machine *m, u64 base, u64 size)
{
	for (u32 i = 0; i < m->mem_count; i++) {
		const struct range *r = &m->mem[i];

		if (base >= r->base && base - r->base <= r->size &&
		    size <= r->size - (base - r->base))
			return true;
	}
	return false;
}

/* One range of two that touch: m->mem[i] and the next. */
static void join(struct machine *m, u32 i)
{
	struct range *r = &m->mem[i];

	if (i + 1 >= m->mem_count || r[0].base + r[0].size != r[1].base)
		return;
	r[0].size += r[1].size;
	m->mem_count--;
	memmove(&r[1], &r[2], (m->mem_count - i - 1) * sizeof(*r));
}

bool machine_add_memory(struct machine *m, struct range r)
{
	u32 at = m->mem_count;

	while (at > 0 && m->mem[at - 1].base > r.base)
		at--;
	if (at > 0 && m->mem[at - 1].base + m->mem[at - 1].size == r.base) {
		m->mem[at - 1].size += r.size;
		join(m, at - 1);
		return true;
	}
	if (m->mem_count == MACHINE_MEM_MAX)
		return false;
	memmove(&m->mem[at + 1], &m->mem[at], (m->mem_count - at) * sizeof(r));
	m->mem[at] = r;
	m->mem_count++;
	join(m, at);
	return true;
}

struct range machine_pages_of(struct range r)
{
	u64 first = ALIGN_DOWN(r.base, PAGE_SIZE);

	return (struct range){ first, r.size ? ALIGN_UP(r.base + r.size, PAGE_SIZE) - first : 0 };
}

const char *machine_part(const struct machine *m, struct range r)
{
	for (u32 i = 0; i < m->mem_count; i++)
		if (range_overlaps(r, machine_pages_of(m->mem[i])))
			return "the machine's RAM";
	for (u32 i = 0; i < m->gicr_count; i++)
		if (range_overlaps(r, machine_pages_of(m->gicr[i])))
			return "the GIC";
	if (range_overlaps(r, machine_pages_of(m->gicd)))
		return "the GIC";
	if (range_overlaps(r, machine_pages_of(m->uart)))
		return "nidus's own UART";
	return NULL;
}

bool machine_next(const struct machine *m, bool all, struct range *r)
{
	for (u64 at = r->base + r->size; m->mem_count;) {
		u64 stop = ~0UL, next = at, end = 0;

		/* The RAM that at is in, or the next. */
		for (u32 i = 0; i < m->mem_count && end <= at; i++) {
			next = MAX(at, m->mem[i].base);
			end = m->mem[i].base + m->mem[i].size;
		}
		if (end <= at)
			return false;
		/* Behind what is reserved at its beginning, and up to what is reserved next. */
		at = next;
		for (u32 i = 0; i < m->rsv_count; i++) {
			struct range rsv = machine_pages_of(m->rsv[i]);

			if (!rsv.size || !(all || m->rsv_nomap[i]))
				continue;
			if (rsv.base <= at && at - rsv.base < rsv.size)
				next = MAX(next, rsv.base + rsv.size);
			else if (rsv.base > at)
				stop = MIN(stop, rsv.base);
		}
		if (next == at) {
			*r = (struct range){ at, MIN(end, stop) - at };
			return true;
		}
		at = next;
	}
	return false;
}
