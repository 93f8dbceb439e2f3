/* SPDX-License-Identifier: Apache-2.0 */
/* A log of what a test's fakes were asked to do, and the last line that nidus printed. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

static char done[8192], line[256];

static void did(const char *fmt, ...)
{
	size_t n = strlen(done);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(done + n, sizeof(done) - n, fmt, ap);
	va_end(ap);
}

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}
