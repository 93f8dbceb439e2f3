/* SPDX-License-Identifier: Apache-2.0 */
/* What entries, commands and events of a VM's SMMU mean (IHI 0070, chapters 4, 5 and 7). */
#include "vm/vsmmu_parts.h"

#include "lib/string.h"

/* ---- stream table entries ---- */

static struct vsmmu_entry refused(void)
{
	return (struct vsmmu_entry){ .before = SMMU_REFUSES, .bad = SMMU_EVENT_BAD_STE };
}

/*
 * IHI 0070, 5.2. Without substreams and ATS their fields count for nothing; without stalls S1STALLD
 * is illegal, and so are other worlds than EL1's (STRW).
 */
static struct vsmmu_entry stage1(const u64 *ste, u32 oas_bits)
{
	u64 context = ste[0] & STE_S1CONTEXT;

	if ((ste[1] & (STE1_S1STALLD | STE1_STRW)) || context >> oas_bits)
		return refused();
	return (struct vsmmu_entry){ .before = SMMU_STAGE1,
				     .context = context,
				     .attr = ste[1] & STE1_STAGE1 };
}

struct vsmmu_entry vsmmu_decode_entry(const u64 ste[STE_WORDS], u32 oas_bits)
{
	if (!(ste[0] & STE_V))
		return refused();
	switch (ste[0] & STE_CONFIG) {
	case STE_BYPASS:
		return (struct vsmmu_entry){ .before = SMMU_NOTHING };
	case STE_STAGE1:
		return stage1(ste, oas_bits);
	case STE_STAGE2:
	case STE_NESTED:
		return refused();
	}
	return (struct vsmmu_entry){ .before = SMMU_ABORTS };
}

/* ---- commands ---- */

static struct vsmmu_command streams(enum vsmmu_op op, u32 sid, u32 last)
{
	return (struct vsmmu_command){ .op = op, .sid = sid, .sid_last = last };
}

/* 2^(Range + 1) streams, of which the number's lower bits do not count; 31: all. */
static struct vsmmu_command stream_range(u32 sid, u32 range)
{
	u32 mask = (u32)MASK(range, 0);

	return streams(VSMMU_STREAMS, sid & ~mask, sid | mask);
}

/* Address fields about ranges are not there (IDR3.RIL = 0). */
static struct vsmmu_command tlbi(u64 op, const u64 *word, bool asid16)
{
	u32 asid = SMMU_CMD_ASID(word[0]);
	bool by_asid = op == SMMU_CMD_TLBI_NH_ASID || op == SMMU_CMD_TLBI_NH_VA;
	bool by_va = op == SMMU_CMD_TLBI_NH_VA || op == SMMU_CMD_TLBI_NH_VAA;

	return (struct vsmmu_command){
		.op = VSMMU_TLBI,
		.tlbi = op,
		.asid = !by_asid ? 0
			: asid16 ? asid
				 : asid & 0xff,
		.address = by_va ? word[1] & (SMMU_CMD_ADDRESS | SMMU_CMD_LEAF) : 0,
	};
}

struct vsmmu_command vsmmu_decode_command(const u64 word[2], bool asid16)
{
	u32 op = SMMU_CMD(word[0]), sid = SMMU_CMD_SID(word[0]);

	if (word[0] & SMMU_CMD_SSEC)
		return (struct vsmmu_command){ .op = VSMMU_ILLEGAL };
	switch (op) {
	case SMMU_CMD_PREFETCH_CFG:
	case SMMU_CMD_PREFETCH_ADDR:
		return (struct vsmmu_command){ .op = VSMMU_NOTHING };
	case SMMU_CMD_CFGI_STE:
		return streams(VSMMU_STREAMS, sid, sid);
	case SMMU_CMD_CFGI_ALL:
		return stream_range(sid, SMMU_CMD_RANGE(word[1]));
	case SMMU_CMD_CFGI_CD:
	case SMMU_CMD_CFGI_CD_ALL:
		return streams(VSMMU_CONTEXT, sid, sid);
	case SMMU_CMD_TLBI_NH_ALL:
	case SMMU_CMD_TLBI_NH_ASID:
	case SMMU_CMD_TLBI_NH_VA:
	case SMMU_CMD_TLBI_NH_VAA:
		return tlbi(op, word, asid16);
	case SMMU_CMD_TLBI_NSNH_ALL: /* all that is not EL2's */
		return tlbi(SMMU_CMD_TLBI_NH_ALL, word, asid16);
	case SMMU_CMD_SYNC:
		return (struct vsmmu_command){ .op = SMMU_CMD_SYNC_CS(word[0]) == 3 ? VSMMU_ILLEGAL
										    : VSMMU_SYNC };
	}
	/* EL2's and stage 2's, ATS's, stalls', or none. */
	return (struct vsmmu_command){ .op = VSMMU_ILLEGAL };
}

/* ---- events ---- */

#define FAULT_BITS (SMMU_EVENT1_PNU | SMMU_EVENT1_IND | SMMU_EVENT1_READ | SMMU_EVENT1_CLASS)

static bool put(u64 *record, u32 type, u32 sid, u64 w1, u64 w2, u64 w3)
{
	record[0] = type | (u64)sid << SMMU_EVENT_SID_SHIFT;
	record[1] = w1;
	record[2] = w2;
	record[3] = w3;
	return true;
}

/*
 * A fault of stage 2, where the VM has no memory: for what the SMMU reads by itself it is an error
 * of that read; for the device's own access it is none of an SMMU's.
 */
static bool stage2_fault(u64 *record, const u64 *word, u32 sid)
{
	u64 at = word[3] & SMMU_EVENT_FETCH;

	switch (word[1] & SMMU_EVENT1_CLASS) {
	case SMMU_EVENT1_CLASS_CD:
		return put(record, SMMU_EVENT_CD_FETCH, sid, 0, 0, at);
	case SMMU_EVENT1_CLASS_TT:
		return put(record, SMMU_EVENT_WALK_EABT, sid, word[1] & FAULT_BITS, word[2], at);
	}
	return false;
}

bool vsmmu_decode_event(u64 record[4], const u64 word[4], u32 sid, u32 bad, u64 at)
{
	u32 type = SMMU_EVENT_TYPE(word[0]);

	switch (type) {
	case SMMU_EVENT_BAD_STE: /* nidus's entry says so, for the VM's */
		return bad && put(record, bad, sid, 0, 0, at);
	case SMMU_EVENT_BAD_SUBSTREAMID:
	case SMMU_EVENT_BAD_CD:
		return put(record, type, sid, 0, 0, 0);
	case SMMU_EVENT_CD_FETCH: /* an error of the machine's memory; where is none of the VM's */
		return put(record, type, sid, 0, 0, 0);
	case SMMU_EVENT_TRANSLATION:
	case SMMU_EVENT_ADDR_SIZE:
	case SMMU_EVENT_ACCESS:
	case SMMU_EVENT_PERMISSION:
		if (word[1] & SMMU_EVENT1_S2)
			return stage2_fault(record, word, sid);
		return put(record, type, sid, word[1] & FAULT_BITS, word[2], 0);
	case SMMU_EVENT_WALK_EABT:
	case SMMU_EVENT_TLB_CONFLICT:
		return !(word[1] & SMMU_EVENT1_S2) &&
		       put(record, type, sid, word[1] & FAULT_BITS, word[2], 0);
	}
	return false;
}
