/* SPDX-License-Identifier: Apache-2.0 */
/* What Debian's libfdt.a needs of a C library beyond src/lib/string.c. */
#include "lib/types.h"

unsigned long strtoul(const char *s, char **end, int base);
void __stack_chk_fail(void);
u64 __stack_chk_guard = 0x6e69647573;

/* libfdt uses it only for overlays, which a guest does not apply; numbers without a sign. */
__attribute__((weak)) unsigned long strtoul(const char *s, char **end, int base)
{
	unsigned long v = 0;

	for (; *s >= '0' && *s < '0' + base; s++)
		v = v * (unsigned long)base + (unsigned long)(*s - '0');
	if (end)
		*end = (char *)(u64)s;
	return v;
}

__attribute__((weak)) void __stack_chk_fail(void)
{
	for (;;)
		;
}
