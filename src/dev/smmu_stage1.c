/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 of a VM's before nidus's stage 2: the SMMU composes them. The VM's tables and context
 * descriptors are read by the SMMU alone, through stage 2; so nothing of them is checked here.
 */
#include "arch/counter.h"
#include "arch/sysreg.h"
#include "dev/smmu_queue.h"

/* So many events of a stream go to its VM in each tenth of a second. */
#define EVENTS_MAX 256
#define PERIODS_A_SECOND 10

const char *smmu_stage1_check(const struct smmu *s)
{
	u32 idr0 = smmu_read(s, SMMU_IDR0), iidr = smmu_read(s, SMMU_IIDR);

	if (!(idr0 & SMMU_IDR0_S1P))
		return "it has no stage 1";
	if (SMMU_IDR0_STALL(idr0) == 2)
		return "all faults of stage 1 stall";
	/* Arm's errata 1209401; 2268618 and 2812531. */
	if ((SMMU_IIDR_PART(iidr) == SMMU_IIDR_MMU600 && SMMU_IIDR_VARIANT(iidr) < 2) ||
	    SMMU_IIDR_PART(iidr) == SMMU_IIDR_MMU700)
		return "its two stages do not work together (errata)";
	return NULL;
}

u32 smmu_idr0(const struct smmu *s)
{
	return smmu_read(s, SMMU_IDR0);
}

u32 smmu_idr5(const struct smmu *s)
{
	return smmu_read(s, SMMU_IDR5);
}

u64 smmu_base(const struct smmu *s)
{
	return s->regs;
}

u32 smmu_intid(const struct smmu *s, u32 i)
{
	return s->intid[i];
}

void smmu_take_events_of(struct smmu_stream *t, smmu_event_fn *events, void *owner)
{
	struct smmu *s = t->smmu;

	spin_lock(&s->lock);
	if (t->attached) {
		t->owner = owner;
		t->events = events;
	}
	spin_unlock(&s->lock);
}

bool smmu_set_before(struct smmu_stream *t, enum smmu_before before, u64 context, u64 attr)
{
	struct smmu *s = t->smmu;
	bool ok;

	spin_lock(&s->lock);
	t->before = before;
	t->context = context & STE_S1CONTEXT;
	t->attr = attr & STE1_STAGE1;
	ok = t->attached && smmu_put_entry(s, t);
	spin_unlock(&s->lock);
	return ok;
}

void smmu_stage1_tlbi(struct smmu_stream *t, u64 op, u64 asid, u64 address)
{
	struct smmu *s = t->smmu;

	spin_lock(&s->lock);
	if (t->attached)
		smmu_command(s,
			     op | (u64)t->vmid << SMMU_CMD_VMID_SHIFT | asid << SMMU_CMD_ASID_SHIFT,
			     address & (SMMU_CMD_ADDRESS | SMMU_CMD_LEAF));
	spin_unlock(&s->lock);
}

void smmu_stage1_changed(struct smmu_stream *t)
{
	struct smmu *s = t->smmu;

	spin_lock(&s->lock);
	smmu_command(s, SMMU_CMD_CFGI_CD_ALL | (u64)t->sid << SMMU_CMD_SID_SHIFT, 0);
	spin_unlock(&s->lock);
}

bool smmu_stage1_sync(struct smmu_stream *t)
{
	struct smmu *s = t->smmu;
	bool ok;

	spin_lock(&s->lock);
	ok = smmu_sync(s);
	spin_unlock(&s->lock);
	return ok;
}

/* ---- events, of which a device of the VM's can make as many as it likes ---- */

static void end_pause(struct timer *timer)
{
	struct smmu_stream *t = container_of(timer, struct smmu_stream, resume);
	struct smmu *s = t->smmu;

	spin_lock(&s->lock);
	if (t->attached && t->paused) {
		t->paused = false;
		(void)!smmu_put_entry(s, t);
	}
	spin_unlock(&s->lock);
}

void smmu_stage1_count(struct smmu *s, struct smmu_stream *t)
{
	u64 now = counter_now(), period = sysreg_read(CNTFRQ_EL0) / PERIODS_A_SECOND;

	if (now - t->since > period) {
		t->since = now;
		t->recent = 0;
	}
	if (++t->recent < EVENTS_MAX || t->paused)
		return;
	t->paused = true;
	(void)!smmu_put_entry(s, t);
	timer_set(&t->resume, t->since + period);
}

void smmu_stage1_reset(struct smmu_stream *t)
{
	if (t->paused)
		timer_cancel(&t->resume);
	timer_init(&t->resume, end_pause);
	t->before = SMMU_NOTHING;
	t->context = t->attr = 0;
	t->events = NULL;
	t->paused = false;
	t->recent = 0;
	t->since = 0;
}
