/* SPDX-License-Identifier: Apache-2.0 */
/* A driver of an ITS for guest programs. */
#include "its.h"

#include "dt.h"
#include "gic.h"
#include "lib/string.h"
#include "test.h"

#define QUEUE KIB(64)
#define CACHED (GIC_BASE_INNER_SHAREABLE | GIC_CACHE_RAWAWB << GITS_BASE_INNER)
#define GICR_CACHED (GIC_BASE_INNER_SHAREABLE | GIC_CACHE_RAWAWB << GICR_BASER_INNER)

static u64 queue[QUEUE / 8] __attribute__((aligned(65536)));
static u8 tables[GITS_BASERS][KIB(64)] __attribute__((aligned(65536)));
static u8 pending[4][KIB(64)] __attribute__((aligned(65536)));
static u8 itt[16][KIB(4)] __attribute__((aligned(4096)));
u8 its_property[GIC_LPIS] __attribute__((aligned(4096)));
static u64 at;
static u32 itts;

u64 its_target(u32 cpu)
{
	return read64(dt.its + GITS_TYPER) & GITS_TYPER_PTA
		       ? gcpus[cpu].gicr
		       : FIELD(read64(gcpus[cpu].gicr + GICR_TYPER), 23, 8) << ITS_RDBASE_SHIFT;
}

bool its_command(u64 w0, u64 w1, u64 w2, u64 w3)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);
	u64 *w = queue + at / 8;

	w[0] = w0;
	w[1] = w1;
	w[2] = w2;
	w[3] = w3;
	dsb(sy);
	at = (at + ITS_COMMAND) % QUEUE;
	write64(dt.its + GITS_CWRITER, at);
	while ((read64(dt.its + GITS_CREADR) & GITS_QUEUE_MASK) != at)
		if (counter_virt() > end)
			return false;
	return true;
}

static void must(u64 w0, u64 w1, u64 w2)
{
	expect(its_command(w0, w1, w2, 0), "command 0x%lx is not taken", w0);
}

void its_mapd(u32 device, u32 bits)
{
	u64 to = (u64)itt[itts++ % 16];

	must(ITS_MAPD | (u64)device << ITS_DEVICE_SHIFT, bits ? bits - 1 : 0,
	     bits ? ITS_VALID | to : 0);
}

void its_mapti(u32 device, u32 event, u32 lpi, u32 collection)
{
	must(ITS_MAPTI | (u64)device << ITS_DEVICE_SHIFT, event | (u64)lpi << ITS_PINTID_SHIFT,
	     collection);
}

void its_event(u32 command, u32 device, u32 event)
{
	must(command | (u64)device << ITS_DEVICE_SHIFT, event, 0);
}

void its_movi(u32 device, u32 event, u32 collection)
{
	must(ITS_MOVI | (u64)device << ITS_DEVICE_SHIFT, event, collection);
}

void its_invall(u32 collection)
{
	must(ITS_INVALL, 0, collection);
}

void its_cpu_init(void)
{
	u64 rd = cpu_self()->gicr;
	u32 me = cpu_self()->index;

	write64(rd + GICR_PROPBASER, (u64)its_property | (GIC_LPI_BITS - 1) | GICR_CACHED);
	write64(rd + GICR_PENDBASER, (u64)pending[me] | GICR_PENDBASER_PTZ | GICR_CACHED);
	write32(rd + GICR_CTLR, read32(rd + GICR_CTLR) | (u32)GICR_CTLR_LPIS);
	dsb(sy);
	must(ITS_MAPC, 0, ITS_VALID | its_target(me) | me);
	must(ITS_INVALL, 0, me);
}

void its_init(void)
{
	memset(its_property, LPI_NORMAL, sizeof(its_property));
	write32(dt.its + GITS_CTLR, 0);
	for (u32 i = 0; i < GITS_BASERS; i++) {
		u64 v = read64(dt.its + GITS_BASER + 8 * i);

		if (GITS_BASER_TYPE(v) == GITS_BASER_DEVICES ||
		    GITS_BASER_TYPE(v) == GITS_BASER_COLLECTIONS)
			write64(dt.its + GITS_BASER + 8 * i,
				(u64)tables[i] | CACHED | 2UL << GITS_BASER_PAGE | GITS_BASE_VALID);
	}
	write64(dt.its + GITS_CBASER, (u64)queue | CACHED | (QUEUE / KIB(4) - 1) | GITS_BASE_VALID);
	write64(dt.its + GITS_CWRITER, 0);
	at = 0;
	write32(dt.its + GITS_CTLR, (u32)GITS_CTLR_ENABLED);
	its_cpu_init();
}
