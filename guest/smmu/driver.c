/* SPDX-License-Identifier: Apache-2.0 */
#include "smmu/driver.h"

#include "lib/edu.h"
#include "lib/string.h"
#include "lib/test.h"

u64 smmu_strtab[STE_WORDS << SID_BITS] __attribute__((aligned(16384)));
u64 smmu_cmdq[2 << CMDS_LOG2] __attribute__((aligned(4096)));
u64 smmu_eventq[4 << EVENTS_LOG2] __attribute__((aligned(4096)));
u64 smmu_cd[8] __attribute__((aligned(64)));
u64 smmu_table[3][512] __attribute__((aligned(4096)));
u64 smmu_table_msi[2][512] __attribute__((aligned(4096)));
u32 smmu_prod, smmu_cons;

/* Whether the queue has come to its end within a while. */
bool smmu_drained(void)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while ((smmu_get(SMMU_CMDQ_CONS) & MASK(19, 0)) != smmu_prod) {
		if ((smmu_get(SMMU_GERROR) ^ smmu_get(SMMU_GERRORN)) & SMMU_GERROR_CMDQ)
			return false;
		if (counter_virt() > end) {
			test_fail("the command queue does not go on");
			return false;
		}
	}
	return true;
}

void smmu_add_command(u64 w0, u64 w1)
{
	u64 *w = smmu_cmdq + 2 * (smmu_prod % (1u << CMDS_LOG2));

	w[0] = w0;
	w[1] = w1;
	smmu_prod = (smmu_prod + 1) % (2u << CMDS_LOG2);
}

bool smmu_send(void)
{
	dsb(sy);
	smmu_put(SMMU_CMDQ_PROD, smmu_prod);
	return smmu_drained();
}

/* A command and a SYNC; both must be taken. */
void smmu_command(u64 w0, u64 w1)
{
	smmu_add_command(w0, w1);
	smmu_add_command(SMMU_CMD_SYNC, 0);
	expect(smmu_send(), "command 0x%lx is not taken", w0);
}

void smmu_turn_off(void)
{
	smmu_put(SMMU_CR0, 0);
	smmu_put(SMMU_IRQ_CTRL, 0);
	smmu_put(SMMU_GERRORN, smmu_get(SMMU_GERROR));
	smmu_put(SMMU_GBPA, SMMU_GBPA_UPDATE | SMMU_GBPA_INCOMING);
	expect_eq(smmu_get(SMMU_CR0ACK), 0, "CR0ACK");
}

void smmu_turn_on(void)
{
	smmu_turn_off();
	smmu_put(SMMU_CR1, SMMU_CR1_CACHED);
	smmu_put(SMMU_CR2, SMMU_CR2_RECINVSID);
	write64(dt.smmu + SMMU_STRTAB_BASE, (u64)smmu_strtab | SMMU_BASE_RA);
	smmu_put(SMMU_STRTAB_BASE_CFG, SID_BITS);
	write64(dt.smmu + SMMU_CMDQ_BASE, (u64)smmu_cmdq | SMMU_BASE_RA | CMDS_LOG2);
	smmu_put(SMMU_CMDQ_PROD, smmu_prod = 0);
	smmu_put(SMMU_CMDQ_CONS, 0);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN);
	smmu_add_command(SMMU_CMD_CFGI_ALL, SMMU_CMD_ALL_STREAMS);
	smmu_command(SMMU_CMD_TLBI_NSNH_ALL, 0);
	write64(dt.smmu + SMMU_EVENTQ_BASE, (u64)smmu_eventq | EVENTS_LOG2);
	smmu_put(SMMU_EVENTQ_PROD, 0);
	smmu_put(SMMU_EVENTQ_CONS, smmu_cons = 0);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	smmu_put(SMMU_IRQ_CTRL, SMMU_IRQ_EVENTQ | SMMU_IRQ_GERROR);
	smmu_put(SMMU_CR0, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
	expect_eq(smmu_get(SMMU_CR0ACK), SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN,
		  "CR0ACK");
}

void smmu_set_entry(u64 w0, u64 w1)
{
	u64 *ste = smmu_strtab + STE_WORDS * edu_devfn;

	ste[0] = 0;
	ste[1] = w1;
	dsb(sy);
	ste[0] = w0;
	dsb(sy);
	smmu_command(SMMU_CMD_CFGI_STE | (u64)edu_devfn << SMMU_CMD_SID_SHIFT, 1);
}

/* Stage 1 of 39 bits with our table: V, AA64, R, A; no TTB1. */
void smmu_make_context(u64 ttb)
{
	smmu_cd[0] = 25 | 1UL << 8 | 1UL << 10 | 3UL << 12 | BIT(30) | BIT(31) | 2UL << 32 |
		     BIT(41) | BIT(45) | BIT(46) | ASID << 48;
	smmu_cd[1] = ttb;
	smmu_cd[3] = 0x04ff;
	smmu_table[0][IOVA >> 30] = (u64)smmu_table[1] | 3;
	smmu_table[1][IOVA >> 21 & 511] = (u64)smmu_table[2] | 3;
	smmu_table[0][0] = (u64)smmu_table_msi[0] | 3;
	smmu_table_msi[0][IOVA_MSI >> 21 & 511] = (u64)smmu_table_msi[1] | 3;
	smmu_table_msi[1][IOVA_MSI >> 12 & 511] = 0;
	dsb(sy);
}

void smmu_stage1(void)
{
	smmu_make_context((u64)smmu_table[0]);
	memset(smmu_table[2], 0, sizeof(smmu_table[2]));
	smmu_command(SMMU_CMD_TLBI_NH_ALL, 0);
	smmu_set_entry(STE_V | STE_STAGE1 | (u64)smmu_cd, 1UL << 2 | 1UL << 4 | 3UL << 6);
}

/* Page i of the IOVAs; with the TLBs still as they were. */
void smmu_map(u32 i, u64 ipa, u64 bits)
{
	smmu_table[2][(IOVA >> 12 & 511) + i] = ipa ? ipa | bits : 0;
	dsb(sy);
}

void smmu_invalidate(u32 i)
{
	smmu_command(SMMU_CMD_TLBI_NH_VA | ASID << SMMU_CMD_ASID_SHIFT,
		     (IOVA + i * EDU_PAGE) | SMMU_CMD_LEAF);
}

/* The next record; false: there is none. Its words. */
bool smmu_next_event(u64 *word)
{
	if ((smmu_get(SMMU_EVENTQ_PROD) & MASK(19, 0)) == smmu_cons)
		return false;
	dsb(sy);
	for (u32 i = 0; i < 4; i++)
		word[i] = smmu_eventq[4 * (smmu_cons % EVENTS) + i];
	smmu_cons = (smmu_cons + 1) % (2 * EVENTS);
	smmu_put(SMMU_EVENTQ_CONS, smmu_cons | (smmu_get(SMMU_EVENTQ_PROD) & SMMU_Q_OVERFLOW));
	return true;
}

u32 smmu_drop_events(void)
{
	u64 word[4];
	u32 n = 0;

	while (smmu_next_event(word))
		n++;
	return n;
}
