/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's `edu` device, for guest programs. */
#include "edu.h"

#include "dt.h"
#include "gic.h"
#include "random.h"
#include "test.h"

u64 edu_cfg, edu_bar;
u32 edu_intid, edu_devfn;

bool edu_find(void)
{
	for (u32 i = 0; dt.pci.ecam && i < 32; i++) {
		if (read32(dt.pci.ecam + ((u64)i << 15)) != EDU_ID)
			continue;
		edu_cfg = dt.pci.ecam + ((u64)i << 15);
		edu_devfn = i << 3;
		for (u32 n = 0; n < dt.pci.irq_count; n++)
			if (dt.pci.irq[n].devfn == i << 3 && dt.pci.irq[n].pin == 1)
				edu_intid = dt.pci.irq[n].intid;
		return true;
	}
	return false;
}

void edu_put_bar(u64 at, u32 command)
{
	write16(edu_cfg + CFG_COMMAND, 0);
	write32(edu_cfg + CFG_BAR0, (u32)at);
	write16(edu_cfg + CFG_COMMAND, (u16)command);
	edu_bar = at;
}

void edu_dma_start(u64 ram, u32 command)
{
	bool out = command & CMD_TO_RAM;

	dsb(sy);
	write64(edu_bar + EDU_SRC, out ? EDU_BUFFER : ram);
	write64(edu_bar + EDU_DST, out ? ram : EDU_BUFFER);
	write64(edu_bar + EDU_COUNT, EDU_PAGE);
	write32(edu_bar + EDU_CMD, command | CMD_RUN);
}

bool edu_dma_wait(void)
{
	u64 end = counter_virt() + ticks_us(PATIENCE_US);

	while (read32(edu_bar + EDU_CMD) & CMD_RUN)
		if (counter_virt() > end)
			return false;
	dsb(sy);
	return true;
}

void edu_dma(u64 ram, u32 command)
{
	edu_dma_start(ram, command);
	expect(edu_dma_wait(), "a DMA does not end");
}

void edu_fill(u64 *page, u64 seed)
{
	for (u32 i = 0; i < EDU_PAGE / 8; i++)
		page[i] = random_next(&seed);
}

bool edu_is_filled(const u64 *page, u64 seed)
{
	for (u32 i = 0; i < EDU_PAGE / 8; i++)
		if (page[i] != random_next(&seed))
			return false;
	return true;
}

bool edu_is_zero(const u64 *page)
{
	for (u32 i = 0; i < EDU_PAGE / 8; i++)
		if (page[i])
			return false;
	return true;
}
