/* SPDX-License-Identifier: Apache-2.0 */
/* nidus-trace: record a trace, and convert it; under the name nidus-stat: stat.c. */
#include "trace.h" /* before <errno.h>: lib/types.h has its numbers as well */

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	int (*write)(struct trace *t, FILE *out);
} formats[] = {
	{ "perfetto", perfetto_write },
	{ "json", json_write },
	{ "text", text_write },
};

static int usage(void)
{
	fprintf(stderr, "usage: nidus-trace perfetto|json|text TRACE [OUT]\n"
			"       nidus-trace record AREA OUT\n"
			"TRACE: what nidus-run --trace wrote, or a console's log with a dump; - is standard "
			"input, and output.\n"
			"Status: 0; 1 nothing could be read or written; 3 the trace is damaged, and what "
			"there is of it was used.\n");
	return 1;
}

static int convert(int (*write)(struct trace *t, FILE *out), const char *from, const char *to)
{
	static struct trace t;
	FILE *out = stdout;
	int status;

	if (!trace_read(&t, from))
		return 1;
	if (to && strcmp(to, "-"))
		out = fopen(to, "wb");
	if (!out) {
		fprintf(stderr, "nidus-trace: %s: %s\n", to, strerror(errno));
		return 1;
	}
	status = write(&t, out);
	if (fflush(out) || status) {
		fprintf(stderr, "nidus-trace: %s: %s\n", to ? to : "-", strerror(errno));
		return 1;
	}
	return t.damaged ? 3 : 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	if (!strcmp(name ? name + 1 : argv[0], "nidus-stat"))
		return stat_main(argc, argv);
	if (argc == 4 && !strcmp(argv[1], "record"))
		return trace_record(argv[2], argv[3]);
	if (argc < 3 || argc > 4)
		return usage();
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(argv[1], formats[i].name))
			return convert(formats[i].write, argv[2], argc == 4 ? argv[3] : NULL);
	return usage();
}
