/* SPDX-License-Identifier: Apache-2.0 */
/* nidus-trace: record a trace, and convert it; under the name nidus-stat: stat.c. */
#include "trace.h" /* before <errno.h>: lib/types.h has its numbers as well */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int (*write)(struct trace *t, FILE *out);
} formats[] = {
	{ "perfetto", perfetto_write },
	{ "json", json_write },
	{ "text", text_write },
};

static int usage(FILE *to)
{
	fprintf(to,
		"usage: nidus-trace perfetto|json|text TRACE [OUT]\n"
		"       nidus-trace flame|timeline TRACE OUT LEVEL EXIT\n"
		"       nidus-trace record AREA OUT\n"
		"TRACE: what nidus-run --trace wrote, or a console's log with a dump; - is standard "
		"input, and output.\n"
		"flame, timeline: an SVG of one exit that another level got, the median of all: LEVEL "
		"2 and on, EXIT HVC64, DABT_LOW ...\n"
		"Status: 0; 1 nothing could be read or written; 3 the trace is damaged, and what "
		"there is of it was used.\n");
	return 1;
}

static FILE *open_out(const char *to)
{
	FILE *out = to && strcmp(to, "-") ? fopen(to, "wb") : stdout;

	if (!out)
		fprintf(stderr, "nidus-trace: %s: %s\n", to, strerror(errno));
	return out;
}

bool trace_flush(FILE *out, const char *to)
{
	bool failed = ferror(out);
	int why = errno; /* of the write that failed, as each one after it */

	if (!fflush(out) && !failed)
		return true;
	fprintf(stderr, "nidus-trace: %s: %s\n", to ? to : "standard output",
		strerror(failed ? why : errno));
	return false;
}

static int finish(const struct trace *t, FILE *out, const char *to, int status)
{
	if (!trace_flush(out, to))
		return 1;
	return status ? status : t->damaged ? 3 : 0;
}

static int convert(int (*write)(struct trace *t, FILE *out), const char *from, const char *to)
{
	static struct trace t;
	FILE *out;

	if (!trace_read(&t, from) || !(out = open_out(to)))
		return 1;
	return finish(&t, out, to, write(&t, out));
}

static int draw(bool lanes, char **arg)
{
	static struct trace t;
	char *end;
	unsigned long level = strtoul(arg[2], &end, 10);
	FILE *out;

	if (*end || level < 2 || level > 8) {
		fprintf(stderr, "nidus-trace: LEVEL is 2 to 8, not \"%s\"\n", arg[2]);
		return 1;
	}
	if (!trace_read(&t, arg[0]) || !(out = open_out(arg[1])))
		return 1;
	return finish(&t, out, arg[1], picture_write(&t, out, lanes, (u32)level, arg[3]));
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	signal(SIGPIPE, SIG_IGN); /* a line says so instead */
	if (!strcmp(name ? name + 1 : argv[0], "nidus-stat"))
		return stat_main(argc, argv);
	if (argc == 4 && !strcmp(argv[1], "record"))
		return trace_record(argv[2], argv[3]);
	if (argc == 6 && (!strcmp(argv[1], "flame") || !strcmp(argv[1], "timeline")))
		return draw(argv[1][0] == 't', argv + 2);
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout) - 1;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if ((argc == 3 || argc == 4) && !strcmp(argv[1], formats[i].name))
			return convert(formats[i].write, argv[2], argc == 4 ? argv[3] : NULL);
	fprintf(stderr, "nidus-trace: \"%s\" is none of its commands, or has other arguments\n",
		argv[1]);
	return usage(stderr);
}
