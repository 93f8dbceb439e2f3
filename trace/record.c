/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the rings of a machine whose trace memory is a file here, and writes a trace file. */
#include "trace.h" /* before <errno.h>: lib/types.h has its numbers as well */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS 2000000
#define CHUNK (BLOCK_MAX / sizeof(struct trace_record))

static volatile sig_atomic_t over;

static void on_signal(int number)
{
	(void)number;
	over = 1;
}

struct follower {
	const struct trace_area *area;
	size_t size;
	struct trace_area seen; /* as it was written last */
	u64 next[TRACE_CPUS];   /* records taken */
	u64 lost;
	const char *path;
	int out;
};

static bool write_all(struct follower *f, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t done = write(f->out, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			fprintf(stderr,
				"nidus-trace: %s: %s; the trace ends here, the machine goes on\n",
				f->path, done < 0 ? strerror(errno) : "nothing is taken");
			return false;
		}
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool write_block(struct follower *f, u32 cpu, u64 first, const void *data, u32 bytes)
{
	struct block b = { BLOCK_MAGIC, cpu, first, bytes, 0 };

	b.crc = block_sum(b, data);
	return write_all(f, &b, sizeof(b)) && write_all(f, data, bytes);
}

/* The names of VMs come one by one. */
static bool take_area(struct follower *f)
{
	struct trace_area now = *f->area;

	if (!memcmp(&now, &f->seen, sizeof(now)))
		return true;
	f->seen = now;
	return write_block(f, BLOCK_AREA, 0, &now, sizeof(now));
}

static const struct trace_ring *ring_of(const struct follower *f, u32 cpu)
{
	return trace_ring_of((struct trace_area *)f->area, f->seen.ring_bytes, cpu);
}

static u64 head_of(const struct trace_ring *ring)
{
	return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) / sizeof(struct trace_record);
}

/* The first record that is still intact, if so many have been written. */
static u64 oldest(u64 head, u64 capacity)
{
	return head + TRACE_MARGIN > capacity ? head + TRACE_MARGIN - capacity : 0;
}

/* Take a chunk of a CPU's ring that has not been taken yet; *more: there is more. */
static bool take_chunk(struct follower *f, u32 cpu, bool *more)
{
	static struct trace_record copy[CHUNK];
	const struct trace_ring *ring = ring_of(f, cpu);
	u64 capacity = f->seen.ring_bytes / sizeof(*copy), head = head_of(ring);
	u64 first = MAX(f->next[cpu], oldest(head, capacity)), count = MIN(head - first, CHUNK);
	u64 good;

	*more = false;
	if (head < f->next[cpu] || !count)
		return true;
	for (u64 i = 0; i < count; i++)
		copy[i] = ring->record[(first + i) % capacity];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	/* What was overwritten meanwhile is dropped. */
	good = MAX(first, oldest(head_of(ring), capacity));
	if (good >= first + count) {
		*more = true;
		return true;
	}
	f->lost += good - f->next[cpu];
	f->next[cpu] = first + count;
	*more = f->next[cpu] < head;
	return write_block(f, cpu, good, copy + (good - first),
			   (u32)((first + count - good) * sizeof(*copy)));
}

static bool take_all(struct follower *f)
{
	bool more;

	if (!take_area(f))
		return false;
	for (u32 cpu = 0; cpu < f->seen.cpus; cpu++)
		do {
			if (!take_chunk(f, cpu, &more))
				return false;
		} while (more);
	return true;
}

/* Whether the area is there, and as large as it says. */
static bool is_there(const struct follower *f)
{
	const struct trace_area *a = f->area;

	if (__atomic_load_n(&a->magic, __ATOMIC_ACQUIRE) != TRACE_MAGIC)
		return false;
	return a->cpus && a->cpus <= TRACE_CPUS &&
	       a->record_size == sizeof(struct trace_record) &&
	       TRACE_AREA_SIZE + a->cpus * trace_stride(a->ring_bytes) <= f->size;
}

static bool map_area(struct follower *f, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *map = MAP_FAILED;

	if (fd >= 0 && !fstat(fd, &st) && st.st_size >= TRACE_AREA_SIZE)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED) {
		fprintf(stderr, "nidus-trace: %s cannot be followed\n", path);
		return false;
	}
	f->area = map;
	f->size = (size_t)st.st_size;
	return true;
}

/* False: its file cannot be written any more. */
static bool follow(struct follower *f)
{
	struct timespec pause = { 0, POLL_NS };
	bool last;

	do {
		last = over; /* what was written before the signal has been read */
		if (is_there(f) && !take_all(f))
			return false;
		if (!last)
			nanosleep(&pause, NULL);
	} while (!last);
	if (!f->seen.magic)
		fprintf(stderr, "nidus-trace: nidus has written no trace: was nidus.trace= on its "
				"command line?\n");
	return true;
}

int trace_record(const char *area_path, const char *out_path)
{
	struct follower f = { .path = out_path, .out = STDOUT_FILENO };
	bool written;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, SIG_IGN); /* the one that ends the machine ends this process afterwards, */
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* or is gone */
	if (!map_area(&f, area_path))
		return 1;
	if (strcmp(out_path, "-"))
		f.out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (f.out < 0) {
		fprintf(stderr, "nidus-trace: %s: %s\n", out_path, strerror(errno));
		return 1;
	}
	written = follow(&f);
	if (f.lost)
		fprintf(stderr, "nidus-trace: %" PRIu64 " records were overwritten before they were "
				"read: nidus.trace= may be too small\n", f.lost);
	return written ? 0 : 1;
}
