/* SPDX-License-Identifier: Apache-2.0 */
/* What nidus says, as text: a log_line() of the test's own. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

static char text[16384]; /* a newline after each line */
static unsigned lines;

void log_line(const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
	strcat(text, "\n");
	lines++;
}

static void fresh(void)
{
	text[0] = '\0';
	lines = 0;
}
