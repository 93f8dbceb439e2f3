/* SPDX-License-Identifier: Apache-2.0 */
/* The trace on the console. Any CPU; records that are overwritten meanwhile may be shown wrong. */
#pragma once

/*
 * Print a line on what exits of nested guests cost in the last second, if there were any and they
 * are traced.
 */
void trace_print_recent(void);
/*
 * Print the description of the trace and the last 256 records of each CPU, a line each, as
 * nidus-trace reads them (trace/file.c). For machines with nothing but a console: it takes as long
 * as the UART does.
 */
void trace_dump(void);
