/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMMU's queues: commands, with an end to all waiting, and events, of which a device can make
 * as many as it likes.
 */
#include "dev/smmu_queue.h"

#include "arch/barrier.h"
#include "arch/counter.h"
#include "arch/sysreg.h"
#include "dev/gicv3.h"
#include "lib/log.h"

#define CMDS (1U << SMMU_CMDS_LOG2)
#define EVENTS (1U << SMMU_EVENTS_LOG2)
#define EVENTS_PER_INTERRUPT 64
/* After so many faults of a stream its events are no longer recorded, and so cost nothing. */
#define FAULTS_MAX 256
#define WAITS_A_SECOND 10

/* ---- waiting ---- */

/* Whether 100 ms have gone by since start, which is 0 before the first call. */
static bool too_late(u64 *start)
{
	u64 now = counter_now();

	if (!*start)
		*start = now;
	cpu_relax();
	return now - *start > sysreg_read(CNTFRQ_EL0) / WAITS_A_SECOND;
}

bool smmu_wait(const struct smmu *s, u32 reg, u64 mask, u64 value)
{
	u64 start = 0;

	while ((smmu_read(s, reg) & mask) != value)
		if (too_late(&start))
			return false;
	return true;
}

void smmu_give_up(struct smmu *s, const char *why)
{
	if (!s->stuck)
		log_line("smmu at 0x%lx: %s; devices behind it are given up, and so is the memory "
			 "of VMs that have one when they end",
			 s->regs, why);
	s->stuck = true;
}

/* ---- commands ---- */

/* Why the command queue has come to an end, or NULL. */
static const char *command_error(const struct smmu *s)
{
	u64 error = smmu_read(s, SMMU_GERROR) ^ smmu_read(s, SMMU_GERRORN);

	return error & SMMU_GERROR_CMDQ  ? "it stopped at a command"
	       : error & SMMU_GERROR_SFM ? "it failed (service failure mode)"
					 : NULL;
}

/* Commands that the SMMU has not consumed. */
static u32 commands_left(const struct smmu *s)
{
	return (s->prod - smmu_read(s, SMMU_CMDQ_CONS)) % (2 * CMDS);
}

/* Wait until at most n commands are left. */
static bool drain(struct smmu *s, u32 n)
{
	u64 start = 0;

	while (!s->stuck && commands_left(s) > n) {
		const char *error = command_error(s);

		if (error || too_late(&start))
			smmu_give_up(s, error ? error : "it does not complete commands");
	}
	return !s->stuck;
}

void smmu_command(struct smmu *s, u64 word0, u64 word1)
{
	u64 *entry = s->cmdq + 2 * (s->prod % CMDS);

	if (!drain(s, CMDS - 1))
		return;
	entry[0] = word0;
	entry[1] = word1;
	s->prod = (s->prod + 1) % (2 * CMDS);
	/* Tables too that were changed before are seen before the command. */
	dsb(ishst);
	smmu_write(s, SMMU_CMDQ_PROD, s->prod);
}

bool smmu_sync(struct smmu *s)
{
	smmu_command(s, SMMU_CMD_SYNC, 0);
	return drain(s, 0);
}

/* ---- events ---- */

struct event {
	u64 word[4];
	struct smmu_stream *stream; /* NULL: nobody's */
	u32 count;                  /* 0: its VM has it */
};

static struct smmu_stream *find_stream(const struct smmu *s, u32 sid)
{
	for (struct smmu_stream *t = s->streams; t; t = t->next)
		if (t->sid == sid)
			return t;
	return NULL;
}

/* Hand it to the VM whose stage 1 it is about. */
static bool is_for_vm(struct smmu *s, struct event *e)
{
	struct smmu_stream *t = e->stream;

	e->count = 0;
	if (!t || !t->attached || !t->events || !t->events(t, e->word))
		return false;
	smmu_stage1_count(s, t);
	return true;
}

/* Take the next event and count it; false: there is none. */
static bool take_event(struct smmu *s, struct event *e)
{
	u32 prod = smmu_read(s, SMMU_EVENTQ_PROD);
	const u64 *from = s->eventq + 4 * (s->cons % EVENTS);

	if (prod % (2 * EVENTS) == s->cons)
		return false;
	dmb(ish); /* the record is read after the index that says that it is there */
	for (u32 i = 0; i < 4; i++)
		e->word[i] = read_once(&from[i]);
	s->cons = (s->cons + 1) % (2 * EVENTS);
	dsb(ish); /* and before its place is free */
	smmu_write(s, SMMU_EVENTQ_CONS, s->cons | (prod & SMMU_Q_OVERFLOW));
	e->stream = find_stream(s, SMMU_EVENT_SID(e->word[0]));
	if (is_for_vm(s, e))
		return true;
	e->count = e->stream ? ++e->stream->faults : ++s->strays;
	if (e->stream && (e->count == FAULTS_MAX || e->count == 2 * FAULTS_MAX))
		smmu_quiet(s, e->stream);
	return true;
}

static const char *fault_name(u32 type)
{
	switch (type) {
	case SMMU_EVENT_TRANSLATION:
		return "nothing is there";
	case SMMU_EVENT_PERMISSION:
		return "it may not be written";
	default:
		return "refused";
	}
}

/* The first of a stream is reported, and the one with which recording ends. */
static void tell(const struct smmu *s, const struct event *e)
{
	u32 type = SMMU_EVENT_TYPE(e->word[0]), sid = SMMU_EVENT_SID(e->word[0]);
	const struct smmu_stream *t = e->stream;

	if (!t) {
		if (e->count == 1)
			log_line("smmu at 0x%lx: stream 0x%x, which no VM has: event 0x%x at 0x%lx",
				 s->regs, sid, type, e->word[2]);
	} else if (e->count == 1) {
		log_line("vm %s: %s: its %s of 0x%lx is blocked: %s (event 0x%x)", t->vm, t->device,
			 e->word[1] & SMMU_EVENT1_READ ? "read" : "write", e->word[2],
			 fault_name(type), type);
	} else if (e->count == FAULTS_MAX) {
		log_line("vm %s: %s: %u accesses were blocked; from now on it is not recorded "
			 "which",
			 t->vm, t->device, e->count);
	} else if (e->count == 2 * FAULTS_MAX) {
		log_line("vm %s: %s: event 0x%x goes on: from now on its accesses all abort", t->vm,
			 t->device, type);
	}
}

/* Acknowledge errors; one of the command queue is the end. */
static void take_errors(struct smmu *s)
{
	u32 now = smmu_read(s, SMMU_GERROR);
	const char *error = command_error(s);

	if (error)
		smmu_give_up(s, error);
	else
		smmu_write(s, SMMU_GERRORN, now);
}

void smmu_take_events(struct smmu *s)
{
	struct event e;
	bool more = true;

	for (u32 i = 0; more && i < EVENTS_PER_INTERRUPT; i++) {
		spin_lock(&s->lock);
		take_errors(s);
		more = take_event(s, &e);
		spin_unlock(&s->lock);
		if (more && e.count)
			tell(s, &e);
	}
	/* Hardware announces a queue that is no longer empty, once. */
	if (more && !s->stuck && s->intid[0])
		gicv3_set_pending(s->intid[0], true);
}
