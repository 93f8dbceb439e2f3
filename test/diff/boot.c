// SPDX-License-Identifier: Apache-2.0
/*
 * Boots the guest and reads its console. Limits are for no progress: a guest that keeps printing is
 * waited for.
 */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAIL 8192 /* more than one read() returns, so that the console's last words are in it */

const char *const who_name[2] = { "bare", "nidus" };

static void room(struct text *t, size_t n)
{
	if (t->len + n + 1 <= t->room)
		return;
	t->room = (t->len + n + 1) * 2;
	t->s = realloc(t->s, t->room);
	if (!t->s)
		die("no memory");
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	room(t, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(t->s + t->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

/* What came from a console, without carriage returns. */
static void console_add(struct text *t, const char *s, size_t n)
{
	room(t, n);
	for (; n; s++, n--)
		if (*s != '\r' && *s)
			t->s[t->len++] = *s;
	t->s[t->len] = 0;
}

static void list_write(const char *path, const struct text *list)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(list->s, 1, list->len, f) != list->len || fclose(f))
		die("cannot write %s", path);
}

static pid_t start(enum who who, const char *lane, const char *path, int *console)
{
	char seed[32];
	int end[2];
	pid_t pid;

	snprintf(seed, sizeof(seed), "%llu", opt.seed);
	if (pipe(end))
		die("no pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		setpgid(0, 0);
		dup2(end[1], 1);
		dup2(end[1], 2);
		close(end[0]);
		close(end[1]);
		execl(opt.boot, opt.boot, who_name[who], lane, seed, path, (char *)NULL);
		_exit(127);
	}
	close(end[1]);
	*console = end[0];
	return pid;
}

/* nidus halts for ever after a panic, and a stopped VM's machine ends by itself. */
static bool is_over(const struct text *out)
{
	const char *end = out->s + (out->len > TAIL ? out->len - TAIL : 0);

	return strstr(end, "nidus: panic: ") || strstr(end, "nidus: all VMs are off");
}

bool boot(enum who who, const char *lane, const struct text *list, struct text *out)
{
	char path[512], buffer[4096];
	struct pollfd p = { .events = POLLIN };
	ssize_t n;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/list.%s", opt.out, who_name[who]);
	list_write(path, list);
	pid = start(who, lane, path, &p.fd);
	text_add(out, "%s", "");
	while (poll(&p, 1, (int)opt.patience * 1000) > 0) {
		n = read(p.fd, buffer, sizeof(buffer));
		if (n <= 0)
			break;
		console_add(out, buffer, (size_t)n);
		if (is_over(out))
			break;
	}
	kill(-pid, SIGTERM);
	close(p.fd);
	waitpid(pid, NULL, 0);
	return strstr(out->s, "diff: done\n");
}
