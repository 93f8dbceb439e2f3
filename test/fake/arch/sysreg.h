/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake machine's system registers: named words with optional hooks. Replaces src/arch/sysreg.h.
 */
#pragma once

#include "lib/types.h"

#define NIDUS_FAKE 1

/* Which register set is in force: tests of several CPUs switch it. */
extern int fake_cpu;
#define FAKE_CPUS 4

int fake_sysreg_id(const char *name);
u64 fake_sysreg_read(int id);
void fake_sysreg_write(int id, u64 v);

#define sysreg_read(name)                                                                          \
	({                                                                                         \
		static int fake_id_ = -1;                                                          \
		if (fake_id_ < 0)                                                                  \
			fake_id_ = fake_sysreg_id(#name);                                          \
		fake_sysreg_read(fake_id_);                                                        \
	})
#define sysreg_write(name, v)                                                                      \
	do {                                                                                       \
		static int fake_wid_ = -1;                                                         \
		if (fake_wid_ < 0)                                                                 \
			fake_wid_ = fake_sysreg_id(#name);                                         \
		fake_sysreg_write(fake_wid_, (u64)(v));                                            \
	} while (0)

/* For tests: set and get by name on the current fake CPU, without hooks. */
void fake_set(const char *name, u64 v);
u64 fake_get(const char *name);
/* Call fn on every write (read) of name; a read hook's result is what the reader gets. */
void fake_on_write(const char *name, void (*fn)(u64 v));
void fake_on_read(const char *name, u64 (*fn)(u64 stored));
/* Writes to name since the last fake_reset(), and to any register. */
unsigned fake_writes(const char *name);
unsigned fake_writes_total(void);
/* Forget all values, hooks and counts. */
void fake_reset(void);
