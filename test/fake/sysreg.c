/* SPDX-License-Identifier: Apache-2.0 */
/* The fake machine's register file. */
#include "arch/sysreg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/insn.h"

#define MAX_REGS 512

int fake_cpu;
unsigned fake_isbs, fake_dsbs, fake_walk_races;
bool fake_walks;
u64 fake_rndr[8];
int fake_rndr_left;
u64 (*fake_pacga)(u64 x, u64 y);

static struct {
	char name[32];
	u64 value[FAKE_CPUS];
	void (*on_write)(u64 v);
	u64 (*on_read)(u64 stored);
	unsigned writes;
} regs[MAX_REGS];
static int reg_count;
static unsigned total_writes;

int fake_sysreg_id(const char *name)
{
	for (int i = 0; i < reg_count; i++)
		if (!strcmp(regs[i].name, name))
			return i;
	if (reg_count == MAX_REGS) {
		fprintf(stderr, "fake: more than %d registers\n", MAX_REGS);
		abort();
	}
	snprintf(regs[reg_count].name, sizeof(regs[0].name), "%s", name);
	return reg_count++;
}

void fake_dsb(const char *domain)
{
	fake_dsbs++;
	if (!strstr(domain, "st"))
		fake_walks = false;
}

/* The registers that EL1&0 walks use, by the names that EL2 has for them. */
static bool is_translation(const char *name)
{
	static const char *const names[] = { "VTTBR_EL2",  "VTCR_EL2",	 "TTBR0_EL12",
					     "TTBR1_EL12", "TCR_EL12", "SCTLR_EL12" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

u64 fake_sysreg_read(int id)
{
	u64 v = regs[id].value[fake_cpu];

	return regs[id].on_read ? regs[id].on_read(v) : v;
}

void fake_sysreg_write(int id, u64 v)
{
	regs[id].value[fake_cpu] = v;
	regs[id].writes++;
	total_writes++;
	if (fake_walks && is_translation(regs[id].name))
		fake_walk_races++;
	if (regs[id].on_write)
		regs[id].on_write(v);
}

void fake_set(const char *name, u64 v)
{
	regs[fake_sysreg_id(name)].value[fake_cpu] = v;
}

u64 fake_get(const char *name)
{
	return regs[fake_sysreg_id(name)].value[fake_cpu];
}

void fake_on_write(const char *name, void (*fn)(u64 v))
{
	regs[fake_sysreg_id(name)].on_write = fn;
}

void fake_on_read(const char *name, u64 (*fn)(u64 stored))
{
	regs[fake_sysreg_id(name)].on_read = fn;
}

unsigned fake_writes(const char *name)
{
	return regs[fake_sysreg_id(name)].writes;
}

unsigned fake_writes_total(void)
{
	return total_writes;
}

void fake_reset(void)
{
	for (int i = 0; i < reg_count; i++) {
		memset(regs[i].value, 0, sizeof(regs[i].value));
		regs[i].on_write = NULL;
		regs[i].on_read = NULL;
		regs[i].writes = 0;
	}
	total_writes = fake_isbs = fake_dsbs = fake_walk_races = 0;
	fake_walks = false;
	fake_cpu = 0;
}
