/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's stream table and commands. Both are in the VM's RAM: each entry and each command is copied
 * once, and what follows for the machine's SMMU is composed anew, with the VM's VMID and streams.
 */
#include "lib/log.h"
#include "state/vm.h"
#include "vm/vsmmu_parts.h"

/* One call's work, in commands; a wait for the machine's SMMU, and a stream, cost more. */
#define COMMANDS_A_PIECE 32
#define SYNC_COST 4
#define STREAM_COST 8

/* ---- the stream table ---- */

/* What is in force for a stream, while the SMMU is on (IHI 0070, 5.2 and 3.4). */
static struct vsmmu_entry entry_of(struct vsmmu *v, u32 sid)
{
	u32 log2 = SMMU_STRTAB_LOG2SIZE(v->strtab_cfg), bits = MIN(log2, (u32)VSMMU_SID_BITS);
	u64 ste[STE_WORDS], size = sizeof(ste) << MIN(log2, 46U);
	u64 at = ALIGN_DOWN(v->strtab & MASK(51, 6), size) + sid * sizeof(ste);

	if (sid >> bits)
		return (struct vsmmu_entry){ .before = v->cr2 & SMMU_CR2_RECINVSID ? SMMU_REFUSES
										   : SMMU_ABORTS,
					     .bad = SMMU_EVENT_BAD_STREAMID };
	if (vm_read(v->vm, ipa(at), ste, sizeof(ste)))
		return (struct vsmmu_entry){ .before = SMMU_REFUSES,
					     .bad = SMMU_EVENT_STE_FETCH,
					     .bad_at = at };
	return vsmmu_decode_entry(ste, v->oas_bits);
}

static void read_stream(struct vsmmu *v, struct vsmmu_stream *t)
{
	struct vsmmu_entry e = { .before = v->gbpa & SMMU_GBPA_ABORT ? SMMU_ABORTS : SMMU_NOTHING };

	if (v->cr0 & SMMU_CR0_SMMUEN)
		e = entry_of(v, t->sid);
	spin_lock(&v->events_lock);
	t->bad = e.bad;
	t->bad_at = e.bad_at;
	spin_unlock(&v->events_lock);
	if (!smmu_set_before(t->real, e.before, e.context, e.attr))
		v->stuck = true;
}

void vsmmu_read_streams(struct vsmmu *v, u32 sid, u32 last)
{
	for (u32 i = 0; i < v->count; i++)
		if (v->stream[i].sid >= sid && v->stream[i].sid <= last)
			read_stream(v, &v->stream[i]);
}

/* ---- commands ---- */

static void forget_contexts(struct vsmmu *v, u32 sid)
{
	for (u32 i = 0; i < v->count; i++)
		if (v->stream[i].sid == sid)
			smmu_stage1_changed(v->stream[i].real);
}

static void sync(struct vsmmu *v)
{
	for (u32 i = 0; i < v->smmus; i++)
		if (!smmu_stage1_sync(v->of_smmu[i]))
			v->stuck = true;
}

/* Do it; what it costs. */
static int command(struct vsmmu *v, const struct vsmmu_command *c)
{
	switch (c->op) {
	case VSMMU_STREAMS:
		vsmmu_read_streams(v, c->sid, c->sid_last);
		return c->sid == c->sid_last ? STREAM_COST : (int)v->count * STREAM_COST;
	case VSMMU_CONTEXT:
		forget_contexts(v, c->sid);
		return 1;
	case VSMMU_TLBI:
		for (u32 i = 0; i < v->smmus; i++)
			smmu_stage1_tlbi(v->of_smmu[i], c->tlbi, c->asid, c->address);
		return (int)v->smmus;
	case VSMMU_SYNC:
		sync(v);
		return SYNC_COST;
	default:
		return 1;
	}
}

/* The queue stops at the command until the error is acknowledged. */
static void stop(struct vsmmu *v, u64 why, const u64 *word)
{
	v->cmdq_cons = (v->cmdq_cons & (u32)MASK(19, 0)) | (u32)(why << SMMU_CMDQ_ERR_SHIFT);
	vsmmu_error(v, SMMU_GERROR_CMDQ);
	if (!v->told++)
		log_line("vm %s: smmu: command 0x%x %s: 0x%lx 0x%lx; its queue stops, and no more "
			 "is said of others",
			 v->vm->config->name, v->cmdq_cons & (u32)MASK(19, 0),
			 why == SMMU_CERROR_ABT ? "is not in memory" : "is illegal", word[0],
			 word[1]);
}

static u32 queue_log2(const struct vsmmu *v)
{
	return MIN(SMMU_Q_LOG2SIZE(v->cmdq), (u32)VSMMU_CMDS_LOG2);
}

/* Index and wrap bit. */
static u32 queue_mask(const struct vsmmu *v)
{
	return (2U << queue_log2(v)) - 1;
}

bool vsmmu_has_commands(struct vsmmu *v)
{
	return (v->cr0 & SMMU_CR0_CMDQEN) && !v->stuck &&
	       ((v->cmdq_prod ^ v->cmdq_cons) & queue_mask(v)) &&
	       !vsmmu_has_error(v, SMMU_GERROR_CMDQ);
}

void vsmmu_run(struct vsmmu *v)
{
	u32 mask = queue_mask(v);
	u64 base = ALIGN_DOWN(v->cmdq & MASK(51, 5), MAX(SMMU_COMMAND << queue_log2(v), 32UL));

	for (int budget = COMMANDS_A_PIECE; budget > 0 && vsmmu_has_commands(v);) {
		u64 word[2] = { 0 }, at = base + (v->cmdq_cons & mask >> 1) * SMMU_COMMAND;
		struct vsmmu_command c;

		if (vm_read(v->vm, ipa(at), word, sizeof(word))) {
			stop(v, SMMU_CERROR_ABT, word);
			return;
		}
		c = vsmmu_decode_command(word, v->idr0 & SMMU_IDR0_ASID16);
		if (c.op == VSMMU_ILLEGAL) {
			stop(v, SMMU_CERROR_ILL, word);
			return;
		}
		budget -= command(v, &c);
		/* One that the machine's SMMU has not done is never complete. */
		if (!v->stuck)
			v->cmdq_cons =
				(v->cmdq_cons & (u32)MASK(30, 24)) | ((v->cmdq_cons + 1) & mask);
	}
}
