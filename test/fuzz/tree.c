/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device trees: the input as the machine's own, read with its configurations; and as nidus.dtb and
 * as a loader's, laid over a machine that is right (the first input of the corpus).
 */
#include "fuzz.h"

#include <libfdt.h>

#include "arch/feat.h"
#include "boot/config.h"
#include "boot/efi.h"
#include "boot/fdt.h"
#include "dev/dt.h"
#include "machine_dtb.h" /* made by the Makefile */
#include "mm/stage1.h"

#define OUT_SIZE 65536

struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

static struct machine m;
static struct vm_configs found;

static void read_tree(const void *fdt, size_t size)
{
	if (fdt_read_machine(&m, fdt, size))
		return;
	must(m.mem_count && m.mem_count <= MACHINE_MEM_MAX && m.cpu_count &&
	     m.cpu_count <= MACHINE_CPUS_MAX && m.gicr_count && m.gicr_count <= MACHINE_GICR_MAX);
	config_read(&found, &m, (struct range){ 0x41000000, 0x200000 });
	must(found.count <= VM_CONFIG_MAX);
	for (u32 i = 0; i < found.count; i++)
		must(found.vm[i].cpus && found.vm[i].mem_size && found.vm[i].kernel.size);
}

/* What is over what: as the configuration of a volume, or with modules of a loader's. */
static void lay_over(const void *machine_tree, const void *config, const void *fdt)
{
	static u64 out[OUT_SIZE / 8];
	static struct efi_machine e;

	memset(&e, 0, sizeof(e));
	e.tree = machine_tree;
	e.config = config;
	e.options = "nidus.mem=16";
	e.ram[0] = (struct range){ 0x40000000, 0x40000000 };
	e.ram_count = 1;
	if (!efi_tree_handed(&e, fdt) && config && efi_tree_files(&e))
		return;
	for (u32 i = 0; i < e.modules; i++)
		e.module[i].at = (struct range){ 0x50000000 + i * 0x100000UL, 0x1000 };
	if (!efi_tree_write(&e, out, sizeof(out)))
		read_tree(out, sizeof(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *fdt = exact_copy(data, size);
	const struct dt dt = { .fdt = fdt };

	feat.pa_bits = 48;
	read_tree(fdt, size);
	if (dt_check(&dt, size)) {
		lay_over(machine_dtb, fdt, fdt);
		lay_over(fdt, NULL, fdt);
	}
	free(fdt);
	return 0;
}
