/* SPDX-License-Identifier: Apache-2.0 */
/* What an account adds up to. */
#include "state/account.h"

#include "arch/counter.h"

static const char class_name[EXIT_CLASS_COUNT][12] = {
#define X(id, name) [EXIT_CLASS_##id] = name,
	EXIT_CLASSES(X)
#undef X
};

const char *account_class_name(u32 class)
{
	return class_name[class];
}

void account_reset(struct account *a)
{
	for (u32 c = 0; c < ARRAY_SIZE(a->class); c++) {
		a->before.exits[c] = a->class[c].count;
		a->before.ticks[c] = a->class[c].ticks;
	}
	a->before.guest_ticks = account_guest_ticks(a);
}

u64 account_exit_ticks(const struct account *a)
{
	u64 ticks = 0;

	for (u32 c = 0; c < ARRAY_SIZE(a->class); c++)
		ticks += read_once(&a->class[c].ticks);
	return ticks;
}

u64 account_guest_ticks(const struct account *a)
{
	u64 begun = __atomic_load_n(&a->begun, __ATOMIC_ACQUIRE), ticks = read_once(&a->run_ticks);
	u64 exits = account_exit_ticks(a), now = counter_now();

	if (begun) /* the counter may be read early */
		ticks += now - MIN(now, begun);
	return ticks > exits ? ticks - exits : 0;
}
