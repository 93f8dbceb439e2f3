/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SMMUv3 for host tests, written from the architecture (IHI 0070): registers, command queue, event
 * queue. What it has read of the stream table it keeps until a CFGI says otherwise, and translations
 * until a TLBI does; a command takes effect when it is consumed.
 */
#pragma once

#include <assert.h>
#include <string.h>

#include "arch/mmio_access.h"
#include "lib/types.h"

#define MODEL_BASE 0x9050000UL
#define MODEL_STES 64
#define MODEL_TLBS 64

static struct {
	u32 idr0, idr1, idr5;
	u32 reg[0x100 / 4];
	u64 strtab, cmdq, eventq;
	u32 eventq_prod, eventq_cons;
	bool halted;      /* consumes no commands */
	bool deaf;        /* acknowledges nothing */
	bool drop_events; /* the queue is full */
	u32 syncs, cfgis, tlbis;
	u64 last_tlbi[2];
	struct {
		bool valid;
		u32 sid;
		u64 word[8];
	} ste[MODEL_STES];
	struct {
		bool valid;
		u16 vmid;
		u64 page;
	} tlb[MODEL_TLBS];
} model;

static void model_reset(void)
{
	memset(&model, 0, sizeof(model));
	model.idr0 = 0x0d44101b; /* QEMU's */
	model.idr1 = 0x02730010;
	model.idr5 = 0x74;
	model.reg[0x44 / 4] = 0x1000; /* GBPA: everything passes */
}

static u64 model_word(u64 at, u32 i)
{
	return ((const volatile u64 *)at)[i];
}

/* ---- commands ---- */

static void model_cfgi(u32 sid, bool all)
{
	for (u32 i = 0; i < MODEL_STES; i++)
		if (all || model.ste[i].sid == sid)
			model.ste[i].valid = false;
	model.cfgis++;
}

static void model_tlbi(u64 w0, u64 w1, bool vmid, bool page)
{
	for (u32 i = 0; i < MODEL_TLBS; i++)
		if ((!vmid || model.tlb[i].vmid == (u16)(w0 >> 32)) &&
		    (!page || model.tlb[i].page == (w1 & 0xffffffffff000)))
			model.tlb[i].valid = false;
	model.last_tlbi[0] = w0;
	model.last_tlbi[1] = w1;
	model.tlbis++;
}

/* False: no such command. */
static bool model_command(u64 w0, u64 w1)
{
	switch (w0 & 0xff) {
	case 0x03: /* CFGI_STE */
		model_cfgi((u32)(w0 >> 32), false);
		return true;
	case 0x04: /* CFGI_STE_RANGE: 31 is all */
		model_cfgi(0, (w1 & 31) == 31);
		return (w1 & 31) == 31;
	case 0x06: /* CFGI_CD_ALL: what it knows of both is one */
		model_cfgi((u32)(w0 >> 32), false);
		return true;
	case 0x10: /* TLBI_NH_ALL */
	case 0x11: /* TLBI_NH_ASID */
		model_tlbi(w0, w1, true, false);
		return true;
	case 0x12: /* TLBI_NH_VA */
	case 0x13: /* TLBI_NH_VAA */
		model_tlbi(w0, w1, true, true);
		return true;
	case 0x28: /* TLBI_S12_VMALL */
		model_tlbi(w0, w1, true, false);
		return true;
	case 0x2a: /* TLBI_S2_IPA */
		model_tlbi(w0, w1, true, true);
		return true;
	case 0x30: /* TLBI_NSNH_ALL */
		model_tlbi(w0, w1, false, false);
		return true;
	case 0x46: /* CMD_SYNC */
		model.syncs++;
		return true;
	}
	return false;
}

static void model_consume(void)
{
	u32 log2 = model.cmdq & 31, size = 1u << log2;
	u32 prod = model.reg[0x98 / 4] & (2 * size - 1), *cons = &model.reg[0x9c / 4];

	while (!model.halted && (model.reg[0x20 / 4] & 8) &&
	       !((model.reg[0x60 / 4] ^ model.reg[0x64 / 4]) & 1) && *cons != prod) {
		u64 at = (model.cmdq & 0xffffffffffffe0) + 16UL * (*cons & (size - 1));

		if (!model_command(model_word(at, 0), model_word(at, 1))) {
			model.reg[0x60 / 4] ^= 1; /* GERROR.CMDQ_ERR */
			return;
		}
		*cons = (*cons + 1) & (2 * size - 1);
	}
}

/* ---- registers ---- */

static u64 model_read(u32 reg, unsigned size)
{
	assert(size == 4 || reg == 0x80 || reg == 0x90 || reg == 0xa0);
	switch (reg) {
	case 0x00:
		return model.idr0;
	case 0x04:
		return model.idr1;
	case 0x14:
		return model.idr5;
	case 0x24: /* CR0ACK */
		return model.deaf ? 0 : model.reg[0x20 / 4];
	case 0x54: /* IRQ_CTRLACK */
		return model.reg[0x50 / 4];
	case 0x100a8:
		return model.eventq_prod;
	case 0x100ac:
		return model.eventq_cons;
	}
	assert(reg < 0x100);
	return model.reg[reg / 4];
}

static void model_write(u32 reg, unsigned size, u64 v)
{
	switch (reg) {
	case 0x80:
		assert(size == 8 && !(model.reg[0x20 / 4] & 1));
		model.strtab = v;
		return;
	case 0x90:
		assert(size == 8 && !(model.reg[0x20 / 4] & 8));
		model.cmdq = v;
		return;
	case 0xa0:
		assert(size == 8 && !(model.reg[0x20 / 4] & 4));
		model.eventq = v;
		return;
	case 0x100a8:
		model.eventq_prod = (u32)v;
		return;
	case 0x100ac:
		model.eventq_cons = (u32)v;
		return;
	}
	assert(size == 4 && reg < 0x100);
	if (reg == 0x44) {
		assert(v >> 31);                    /* without UPDATE nothing changes */
		model.reg[reg / 4] = v & 0x7fffffff;
		return;
	}
	model.reg[reg / 4] = (u32)v;
	if (reg == 0x98)
		model_consume();
}

static u64 model_mmio(u64 at, unsigned size, bool write, u64 v)
{
	u32 reg = (u32)(at - MODEL_BASE);

	if (!write)
		return model_read(reg, size);
	model_write(reg, size, v);
	return 0;
}

/* ---- devices ---- */

/* The entry of a stream, as the SMMU has it; NULL: none that is valid. */
static const u64 *model_ste(u32 sid)
{
	u32 cfg = model.reg[0x88 / 4], free = 0, asked = sid;
	u64 at = model.strtab & 0xfffffffffffc0, l1;

	for (u32 i = 0; i < MODEL_STES; i++) {
		if (model.ste[i].valid && model.ste[i].sid == sid)
			return model.ste[i].word;
		if (!model.ste[i].valid)
			free = i;
	}
	if (sid >> (cfg & 63))
		return NULL;
	if (cfg >> 16 & 1) {
		u32 split = cfg >> 6 & 31;

		l1 = model_word(at, sid >> split);
		if (!(l1 & 31) || (sid & ((1u << split) - 1)) >> ((l1 & 31) - 1))
			return NULL;
		at = l1 & 0xfffffffffffc0;
		sid &= (1u << split) - 1;
	}
	at += 64UL * sid;
	if (!(model_word(at, 0) & 1))
		return NULL;
	model.ste[free].valid = true;
	model.ste[free].sid = asked;
	memcpy(model.ste[free].word, (const void *)at, 64);
	return model.ste[free].word;
}

static void model_event(u64 w0, u64 w1, u64 w2)
{
	u32 log2 = model.eventq & 31, size = 1u << log2, prod = model.eventq_prod & (2 * size - 1);
	u64 *at = (u64 *)((model.eventq & 0xffffffffffffe0) + 32UL * (prod & (size - 1)));

	if ((prod ^ (model.eventq_cons & (2 * size - 1))) == size) {
		if (!((model.eventq_prod ^ model.eventq_cons) >> 31))
			model.eventq_prod ^= 1u << 31;
		return;
	}
	at[0] = w0;
	at[1] = w1;
	at[2] = w2;
	at[3] = 0;
	model.eventq_prod = (model.eventq_prod & (1u << 31)) | ((prod + 1) & (2 * size - 1));
}

/* What a write of a stream meets: 0: it aborts; else the S2TTB of the tables that translate it. */
static u64 model_dma(u32 sid, u64 page, bool mapped)
{
	const u64 *ste;

	if (!(model.reg[0x20 / 4] & 1))
		return model.reg[0x44 / 4] >> 20 & 1 ? 0 : ~0UL;
	ste = model_ste(sid);
	if (!ste) {
		model_event(0x02 | (u64)sid << 32, 0, page);
		return 0;
	}
	if ((ste[0] >> 1 & 7) != 6 && (ste[0] >> 1 & 7) != 7)
		return (ste[0] >> 1 & 7) == 0 ? 0 : ~0UL;
	if (page >> 44) { /* beyond the input's size: F_ADDR_SIZE, whatever S2R says */
		model_event(0x11 | (u64)sid << 32, 0, page);
		return 0;
	}
	if (!mapped) {
		if ((ste[0] >> 1 & 7) == 7) /* stage 1 has not got it, whose R is 1 */
			model_event(0x10 | (u64)sid << 32, 2UL << 40, page);
		else if (ste[2] >> 58 & 1)
			model_event(0x10 | (u64)sid << 32, 1UL << 41, page);
		return 0;
	}
	for (u32 i = 0; i < MODEL_TLBS; i++)
		if (!model.tlb[i].valid) {
			model.tlb[i].valid = true;
			model.tlb[i].vmid = (u16)ste[2];
			model.tlb[i].page = page;
			break;
		}
	return ste[3];
}

/* Whether a translation of a VMID is left. */
static bool model_knows(u16 vmid, u64 page)
{
	for (u32 i = 0; i < MODEL_TLBS; i++)
		if (model.tlb[i].valid && model.tlb[i].vmid == vmid && model.tlb[i].page == page)
			return true;
	return false;
}
