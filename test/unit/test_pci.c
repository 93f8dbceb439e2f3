/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding PCI functions: a bus of modelled devices behind a host bridge of the tree. Which are there,
 * where their BARs go, whose streams and interrupts they have, and that all are off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/feat.h"
#include "arch/mmio_access.h"
#include "boot/fdt.h"
#include "dev/pci.h"
#include "dts.h"
#include "lib/log.h"
#include "mm/stage1.h"

#define ECAM 0x4010000000UL
#define HOST                                                                                       \
	"smmu: smmuv3@9050000 { compatible = \"arm,smmu-v3\"; phandle = <0x77>;\n"                 \
	"	reg = <0 0x9050000 0 0x20000>; };\n"                                               \
	"pcie@10000000 { compatible = \"pci-host-ecam-generic\"; device_type = \"pci\";\n"         \
	"	#address-cells = <3>; #size-cells = <2>; #interrupt-cells = <1>; dma-coherent;\n"  \
	"	reg = <0x40 0x10000000 0 0x10000000>; bus-range = <0 0xff>;\n"                     \
	"	ranges = <0x1000000 0 0 0 0x3eff0000 0 0x10000>,\n"                                \
	"	<0x2000000 0 0x10000000 0 0x20000000 0 0x2000000>,\n"                              \
	"	<0x3000000 0x80 0 0x90 0 0 0x40000000>;\n"                                         \
	"	iommu-map = <0 0x77 0x100 0x10>, <0x10 0x77 0x1000 0xfff0>;\n"                     \
	"	interrupt-map-mask = <0x1800 0 0 7>;\n"                                            \
	"	interrupt-map = <0 0 0 1 &gic 0 0 0 3 4>, <0 0 0 2 &gic 0 0 0 4 4>,\n"             \
	"	<0x800 0 0 1 &gic 0 0 0 4 4>, <0x1000 0 0 1 &gic 0 0 0 5 4>,\n"                    \
	"	<0x1800 0 0 1 &gic 0 0 0 6 1>; };\n"

/* A function: what of its words can be written, and what they hold. */
static struct model {
	u32 devfn;
	u32 word[64], mask[64];
} models[8];
static u32 model_count;
static u8 common[16]; /* virtio's registers */
static u64 common_at;
static bool platform; /* what virtio's device offers */
static struct machine m;
static struct smmu *const the_smmu = (struct smmu *)0x1000;
static char lines[16][256];
static u32 line_count;

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(lines[line_count++ % 16], sizeof(lines[0]), fmt, ap);
	va_end(ap);
}

int stage1_map_device(u64 at, u64 size)
{
	(void)size;
	assert_true(at == ECAM || at == (common_at & ~4095UL));
	return 0;
}

struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

struct smmu *smmu_at(int node)
{
	return node == fdt_path_offset(m.fdt, "/smmuv3@9050000") ? the_smmu : NULL;
}

static struct model *at_devfn(u32 devfn)
{
	for (u32 i = 0; i < model_count; i++)
		if (models[i].devfn == devfn)
			return &models[i];
	return NULL;
}

static u64 config_space(u64 at, unsigned size, bool write, u64 v)
{
	struct model *d = at_devfn((u32)(at - ECAM) >> 12);
	u32 n = (u32)(at & 0xfff) / 4;

	assert_int_equal(size, 4);
	if (!d)
		return 0xffffffff;
	assert_true(n < 64 || !write);
	if (n >= 64)
		return 0;
	if (!write)
		return d->word[n];
	/* BARs change while nothing decodes them. */
	assert_false(n >= 4 && n < 10 && (d->word[1] & 3));
	d->word[n] = (d->word[n] & ~d->mask[n]) | ((u32)v & d->mask[n]);
	return 0;
}

static u64 virtio(u64 at, unsigned size, bool write, u64 v)
{
	u32 *reg = (u32 *)&common[at - common_at];

	assert_true(size == 4 && at - common_at < sizeof(common));
	assert_true(at_devfn(0x18)->word[1] & 2);
	if (write)
		*reg = (u32)v;
	else if (at == common_at + 4)
		return *(u32 *)common == 1 ? (platform ? 3 : 1) : 0x12345678;
	return *reg;
}

static struct model *add(u32 devfn, u32 id, u32 class)
{
	struct model *d = &models[model_count++];

	memset(d, 0, sizeof(*d));
	d->devfn = devfn;
	d->word[0] = id;
	d->word[1] = 7; /* as firmware left it: on */
	d->mask[1] = 0xffff;
	d->word[2] = class << 8;
	d->word[15] = 0x100;
	return d;
}

static void bar(struct model *d, u32 i, u64 size, u32 flags)
{
	d->word[4 + i] = flags;
	d->mask[4 + i] = (u32) ~(size - 1);
	if (flags & 4)
		d->mask[5 + i] = (u32)(~(size - 1) >> 32);
}

static void scan(const char *host)
{
	char *with = malloc(strlen(host) + 16), *source;
	size_t size;
	const char *error;

	sprintf(with, "%s	aliases {", host);
	source = dts_edit(dts_machine, "	aliases {", with);
	error = fdt_read_machine(&m, dts_tree(source, &size), 0x10000);
	free(with);
	free(source);
	if (error)
		fail_msg("machine: %s", error);
	pci_init(&m, NULL, 0);
}

/* The same with a part of HOST replaced. */
static void scan_edited(const char *from, const char *to)
{
	char *host = dts_edit(HOST, from, to);

	scan(host);
	free(host);
}

static int setup(void **state)
{
	struct model *d;

	(void)state;
	feat.pa_bits = 48;
	fake_mmio_reset();
	fake_mmio_add(ECAM, MIB(1), config_space);
	model_count = line_count = 0;
	platform = true;
	add(0, 0x00081b36, 0x060000);
	d = add(0x08, 0x11e81234, 0x00ff00);
	bar(d, 0, MIB(1), 0);
	bar(d, 1, 256, 0);
	bar(d, 2, 32, 1); /* I/O */
	d = add(0x10, 0x00101b36, 0x010802);
	bar(d, 0, 16384, 0xc);
	bar(d, 4, GIB(1) / 4, 0xc);
	d->word[1] |= 0x100000;
	d->word[13] = 0x40;
	d->word[16] = 0x00010010;
	d->word[17] = 0x10000000;
	return 0;
}

static struct pci_fn *found(const char *name)
{
	struct pci_fn *fn = pci_find(name);

	if (!fn)
		fail_msg("%s is not found", name);
	return fn;
}

static void finds(void **state)
{
	struct pci_fn *edu, *nvme;

	(void)state;
	scan(HOST);
	assert_int_equal(line_count, 0);
	edu = found("0000:00:01.0");
	nvme = found("0000:00:02.0");
	assert_string_equal(found("0000:00:00.0")->unfit, "that is a bridge");
	assert_null(pci_find("0000:00:03.0"));
	assert_null(pci_find("0001:00:01.0"));
	assert_null(pci_fn_at(3));
	assert_null(edu->unfit);
	assert_false(edu->flr);
	assert_true(nvme->flr);
	assert_int_equal(nvme->express, 0x40);
	/* By iommu-map, both entries. */
	assert_ptr_equal(edu->stream->smmu, the_smmu);
	assert_int_equal(edu->stream->sid, 0x108);
	assert_int_equal(nvme->stream->sid, 0x1000);
	assert_int_equal(edu->intid, 36);
	assert_int_equal(nvme->intid, 37);
	/* Off: no decode, no bus master, no INTx. */
	for (u32 i = 0; i < model_count; i++)
		assert_int_equal(models[i].word[1] & 0xffff, 0x400);
}

/* Each BAR is where the bridge leads, in pages that no other has; the register has its bus address. */
static void places(void **state)
{
	struct pci_fn *edu, *nvme;

	(void)state;
	scan(HOST);
	edu = found("0000:00:01.0");
	nvme = found("0000:00:02.0");
	assert_int_equal(edu->bar[0].size, MIB(1));
	assert_int_equal(edu->bar[1].size, 256);
	assert_int_equal(edu->bar[2].size, 0);
	assert_int_equal(nvme->bar[0].size, 16384);
	assert_int_equal(nvme->bar[1].size, 0);
	assert_int_equal(nvme->bar[4].size, GIB(1) / 4);
	assert_int_equal(edu->bar[0].pci, 0x10000000);
	assert_int_equal(edu->bar[0].pa, 0x20000000);
	assert_int_equal(models[1].word[4], 0x10000000);
	assert_int_equal(edu->bar[1].pci, 0x10100000);
	assert_int_equal(edu->bar[1].pa, 0x20100000);
	assert_true(nvme->bar[0].pci == 0x8000000000 && nvme->bar[0].pa == 0x9000000000);
	assert_int_equal(models[2].word[4], 0xc);
	assert_int_equal(models[2].word[5], 0x80);
	assert_true(nvme->bar[4].pci == 0x8010000000);
	/* After a reset they are written again. */
	models[2].word[8] = 0xc;
	models[2].word[9] = 0;
	pci_restore(nvme);
	assert_int_equal(models[2].word[8], 0x1000000c);
	assert_int_equal(models[2].word[9], 0x80);
}

/* Where firmware has put BARs they stay, if that is a place; others go where nothing is. */
static void firmware(void **state)
{
	(void)state;
	models[1].word[4] = 0x10200000;
	models[1].word[5] = 0x70000000; /* nowhere */
	scan(HOST);
	assert_int_equal(found("0000:00:01.0")->bar[0].pci, 0x10200000);
	assert_int_equal(found("0000:00:01.0")->bar[0].pa, 0x20200000);
	assert_int_equal(found("0000:00:01.0")->bar[1].pci, 0x10300000);
	/* In a page with something else: moved. */
	setup(NULL);
	models[1].word[4] = 0x10200000;
	models[1].word[5] = 0x10300100;
	scan(HOST);
	assert_int_equal(found("0000:00:01.0")->bar[1].pci, 0x10300000);
}

/* Two BARs in one place: the second one moves. */
static void one_over_another(void **state)
{
	(void)state;
	models[1].word[4] = 0x10200000;
	models[1].word[5] = 0x10200000;
	scan(HOST);
	assert_int_equal(found("0000:00:01.0")->bar[0].pci, 0x10200000);
	assert_int_equal(found("0000:00:01.0")->bar[1].pci, 0x10300000);
}

/* Where no windows are known BARs stay where firmware has put them, or nobody has the function. */
static void placed(void **state)
{
	static const struct {
		u32 word4, word5;
		bool good;
	} cases[] = {
		{ 0x10200000, 0x10300000, true },
		{ 0x10200000, 0x10301000, true },
		{ 0x10200000, 0, false },
		{ 0x10200000, 0x10300100, false }, /* not a page */
		{ 0x10200000, 0x10200000, false }, /* over the other */
		{ 0x10200000, 0x102ff000, false },
		{ 0x10200000, 0x40000000, false }, /* over RAM */
		{ 0x10200000, 0x08000000, false }, /* over the GIC */
		{ 0x10200000, 0x09000000, false }, /* over the UART */
	};
	char *host = dts_edit(HOST, "ranges = <0x1000000 0 0 0 0x3eff0000 0 0x10000>,\n"
				    "	<0x2000000 0 0x10000000 0 0x20000000 0 0x2000000>,\n"
				    "	<0x3000000 0x80 0 0x90 0 0 0x40000000>;",
			      "nidus,bars-placed;");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		models[1].word[4] = cases[i].word4;
		models[1].word[5] = cases[i].word5;
		models[2].word[5] = 0x80; /* 4 GiB units: 0x8000000000 */
		models[2].word[8] = 0x0000000c;
		models[2].word[9] = 0x81;
		scan(host);
		assert_null(found("0000:00:02.0")->unfit);
		assert_true(found("0000:00:02.0")->bar[0].pa == 0x8000000000);
		assert_true(found("0000:00:02.0")->bar[4].pa == 0x8100000000);
		if (cases[i].good) {
			assert_null(found("0000:00:01.0")->unfit);
			assert_int_equal(found("0000:00:01.0")->bar[1].pa, cases[i].word5);
			assert_int_equal(models[1].word[5], cases[i].word5);
		} else {
			assert_non_null(strstr(found("0000:00:01.0")->unfit, "no pages of its own"));
		}
	}
	/* Over configuration space, and beyond the machine's addresses. */
	setup(NULL);
	models[2].word[5] = 0x40;
	models[2].word[4] = 0x1000000c;
	models[2].word[9] = 0x10000;
	scan(host);
	assert_int_equal(found("0000:00:02.0")->bar[0].pa, 0);
	assert_int_equal(found("0000:00:02.0")->bar[4].pa, 0);
	free(host);
}

static void no_room(void **state)
{
	(void)state;
	bar(&models[1], 0, MIB(64), 0);
	scan(HOST);
	assert_string_equal(found("0000:00:01.0")->unfit, "for whose BARs the host bridge has no room");
	assert_null(found("0000:00:02.0")->unfit);
	/* 64 bits that do not fit into the wide window go into the other, and the other way never. */
	setup(NULL);
	bar(&models[2], 4, MIB(16), 0xc);
	scan_edited("<0x3000000 0x80 0 0x90 0 0 0x40000000>",
		      "<0x3000000 0x80 0 0x90 0 0 0x10000>");
	assert_int_equal(found("0000:00:02.0")->bar[4].pci, 0x11000000);
	assert_true(found("0000:00:02.0")->bar[0].pci == 0x8000000000);
}

/* Without an SMMU that is up, or caches that devices see: not for VMs. */
static void unfit(void **state)
{
	(void)state;
	scan_edited("iommu-map = <0 0x77 0x100 0x10>, <0x10 0x77", "iommu-map = <0x10 0x77");
	assert_string_equal(found("0000:00:01.0")->unfit,
			    "that is not behind an SMMU which nidus can use");
	assert_null(found("0000:00:02.0")->unfit);
	setup(NULL);
	scan_edited("0x77 0x100 0x10", "0x9999 0x100 0x10");
	assert_string_equal(found("0000:00:01.0")->unfit,
			    "that is not behind an SMMU which nidus can use");
	setup(NULL);
	scan_edited(" dma-coherent;", "");
	assert_string_equal(found("0000:00:01.0")->unfit, "that does not see the CPUs' caches");
	/* A mask of requester IDs. */
	setup(NULL);
	scan_edited("iommu-map =", "iommu-map-mask = <0xfff7>; iommu-map =");
	assert_int_equal(found("0000:00:01.0")->stream->sid, 0x100);
}

/* Several functions in one device, and who has a part of it, or its interrupt. */
static void siblings(void **state)
{
	struct pci_fn *edu;

	(void)state;
	add(0x0a, 0x11e81234, 0x00ff00);
	scan(HOST);
	assert_null(pci_find("0000:00:01.2")); /* function 0 does not say that there are more */
	models[1].word[3] = 0x800000;
	models[1].word[1] = 7;
	scan(HOST);
	edu = found("0000:00:01.0");
	assert_true(edu->multi);
	assert_null(pci_sibling(edu, "/chosen/a"));
	found("0000:00:01.2")->owner = "/chosen/b";
	assert_ptr_equal(pci_sibling(edu, "/chosen/a"), found("0000:00:01.2"));
	assert_null(pci_sibling(edu, "/chosen/b"));
	assert_ptr_equal(pci_intx_sharer(edu, "/chosen/a"), found("0000:00:01.2"));
	assert_null(pci_sibling(found("0000:00:02.0"), "/chosen/a"));
	assert_null(pci_intx_sharer(found("0000:00:02.0"), "/chosen/a"));
}

static void add_virtio(void)
{
	struct model *d = add(0x18, 0x10411af4, 0x020000);

	bar(d, 4, 16384, 0xc);
	d->word[1] |= 0x100000;
	d->word[13] = 0x84;
	d->word[0x84 / 4] = 0x05140009 | 0x4000; /* not the one */
	d->word[0x40 / 4] = 0x01100009;
	d->word[0x44 / 4] = 4;
	d->word[0x48 / 4] = 0x1000;
}

/* A virtio device that does not offer to be behind an IOMMU is not. */
static void past_the_smmu(void **state)
{
	(void)state;
	add_virtio();
	common_at = 0x9020001000;
	fake_mmio_add(common_at, sizeof(common), virtio);
	scan(HOST);
	assert_true(found("0000:00:03.0")->bar[4].pa == 0x9020000000);
	assert_null(found("0000:00:03.0")->unfit);
	assert_int_equal(models[3].word[1] & 0xffff, 0x400);
	assert_int_equal(found("0000:00:03.0")->intid, 0); /* edge: no INTx */
	model_count = 0;
	setup(NULL);
	add_virtio();
	fake_mmio_add(common_at, sizeof(common), virtio);
	platform = false;
	scan(HOST);
	assert_non_null(strstr(found("0000:00:03.0")->unfit, "that goes past the SMMU"));
	/* One of before virtio 1 has no such features at all. */
	setup(NULL);
	add(0x18, 0x10001af4, 0x020000);
	scan(HOST);
	assert_non_null(strstr(found("0000:00:03.0")->unfit, "that goes past the SMMU"));
}

/* All ones but for the ID, or for the header as well: whatever that is, it is no function for VMs. */
static void all_ones(void **state)
{
	struct model *d;

	for (u32 i = 0; i < 2; i++) {
		setup(state);
		d = add(0x18, 0x10411af4, 0);
		for (u32 w = 1; w < 64; w++)
			d->word[w] = i && w == 3 ? 0 : ~0u;
		d->mask[1] = 0;
		scan(HOST);
		assert_non_null(found("0000:00:03.0")->unfit);
		for (u32 b = 0; b < PCI_BARS_ALL; b++)
			assert_int_equal(found("0000:00:03.0")->bar[b].size, 0);
		assert_null(found("0000:00:02.0")->unfit);
	}
}

static void lists(void **state)
{
	(void)state;
	scan(HOST);
	found("0000:00:02.0")->owner = "/chosen/a";
	line_count = 0;
	pci_list();
	assert_int_equal(line_count, 2); /* none for the bridge */
	assert_string_equal(lines[0], "pci 0000:00:01.0: 1234:11e8 class 00ff00, BARs 0x100100, "
				      "INTID 36, can't be reset: nobody has it");
	assert_string_equal(lines[1], "pci 0000:00:02.0: 1b36:0010 class 010802, BARs 0x10004000, "
				      "INTID 37, can be reset: /chosen/a");
}

/* Trees that are not as they should be: a line, and no bridge. */
static void bad_trees(void **state)
{
	static const char *const cases[][2] = {
		{ "#address-cells = <3>", "#address-cells = <2>" },
		{ "0x10000000>; bus-range", "0x8000>; bus-range" },
		{ "ranges = <", "ranges = <7 " },
		{ "<0x3000000 0x80 0 0x90 0 0 0x40000000>",
		  "<0x3000000 0x80 0 0x90 0 0xffffffff 0xffffffff>" },
		{ "reg = <0x40", "reg = <0 0x40" },
		{ "0 0x20000000 0 0x2000000", "0 0x3f000000 0 0x2000000" },
		{ "0 0x20000000 0 0x2000000", "0 0x7000000 0 0x2000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		scan_edited(cases[i][0], cases[i][1]);
		assert_null(pci_fn_at(0));
		assert_int_equal(line_count, 1);
		assert_non_null(strstr(lines[0], "pci: a host bridge is left out: /pcie@10000000: "));
	}
}

/* What has no room gets one line, and what was before it is there. */
static void too_many(void **state)
{
	char *host = dts_edit(
		HOST, "	<0x3000000 0x80 0 0x90 0 0 0x40000000>;",
		"	<0x3000000 0x80 0 0x90 0 0 0x40000000>,\n"
		"	<0x3000000 0x81 0 0x91 0 0 0x1000>, <0x3000000 0x82 0 0x92 0 0 0x1000>,\n"
		"	<0x3000000 0x83 0 0x93 0 0 0x1000>, <0x3000000 0x84 0 0x94 0 0 0x1000>;");
	char *bridge = strstr(HOST, "pcie@"), *all;
	size_t n = strlen(HOST) + 5 * strlen(bridge) + 1;

	(void)state;
	scan(host);
	free(host);
	assert_int_equal(line_count, 2); /* the fifth of memory and the sixth */
	assert_non_null(strstr(lines[0], "the one at 0x9300000000 is left out"));
	assert_non_null(strstr(lines[1], "the one at 0x9400000000 is left out"));
	setup(NULL);
	all = malloc(n);
	strcpy(all, HOST);
	for (u32 i = 1; i < 6; i++) {
		strcat(all, bridge);
		strstr(all + strlen(all) - strlen(bridge), "@1")[1] = (char)('1' + i);
	}
	scan(all);
	free(all);
	assert_int_equal(line_count, 1);
	assert_non_null(strstr(lines[0], "more than 4 host bridges"));
	assert_non_null(pci_find("0000:00:01.0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds, setup),
		cmocka_unit_test_setup(places, setup),
		cmocka_unit_test_setup(firmware, setup),
		cmocka_unit_test_setup(one_over_another, setup),
		cmocka_unit_test_setup(placed, setup),
		cmocka_unit_test_setup(no_room, setup),
		cmocka_unit_test_setup(unfit, setup),
		cmocka_unit_test_setup(siblings, setup),
		cmocka_unit_test_setup(past_the_smmu, setup),
		cmocka_unit_test_setup(all_ones, setup),
		cmocka_unit_test_setup(lists, setup),
		cmocka_unit_test_setup(bad_trees, setup),
		cmocka_unit_test_setup(too_many, setup),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
