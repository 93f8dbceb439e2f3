/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests on ACPI tables begin with: a machine's tables, and what nidus says of them. */
#pragma once

#include <stdarg.h>
#include <stdio.h>

#include "acpi_tables.h"
#include "boot/acpi.h"
#include "lib/log.h"

static struct acpi_machine t;
static struct acpi a;
static char said[4096];
static u64 readable_end; /* of what is readable */

void log_line(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

static bool readable(u64 base, u64 size)
{
	return base >= (u64)t.space && base <= readable_end && size <= readable_end - base;
}

static int begin(void **state)
{
	(void)state;
	acpi_machine(&t);
	readable_end = (u64)t.space + sizeof(t.space);
	a.readable = readable;
	said[0] = '\0';
	return 0;
}
