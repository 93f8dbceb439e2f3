/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is behind bridges: a modelled tree of buses, in which an access to configuration space goes
 * where the bridges' numbers lead it. Numbers, windows, requester IDs, interrupts, groups, resets.
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
#include "arch/sysreg.h"
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
	"	ranges = <0x2000000 0 0x10000000 0 0x10000000 0 0x2000000>,\n"                     \
	"	<0x3000000 0x80 0 0x80 0 0 0x40000000>;\n"                                         \
	"	iommu-map = <0 0x77 0 0x10000>;\n"                                                 \
	"	interrupt-map-mask = <0x1800 0 0 7>;\n"                                            \
	"	interrupt-map = <0 0 0 1 &gic 0 0 0 3 4>, <0 0 0 2 &gic 0 0 0 4 4>,\n"             \
	"	<0 0 0 3 &gic 0 0 0 5 4>, <0 0 0 4 &gic 0 0 0 6 4>,\n"                             \
	"	<0x800 0 0 1 &gic 0 0 0 7 4>, <0x1000 0 0 1 &gic 0 0 0 8 4>; };\n"

/* Where a function is: behind a bridge, which number there. */
struct model {
	struct model *bridge;
	u32 devfn;
	u32 word[1024], mask[1024];
};

static struct model models[32];
static u32 model_count;
static struct machine m;
static char said[2048];

void log_line(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

int stage1_map_device(u64 at, u64 size)
{
	assert_true(at >= ECAM && at - ECAM < 0x10000000 && size == MIB(1));
	return 0;
}

struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

struct smmu *smmu_at(int node)
{
	(void)node;
	return (struct smmu *)0x1000;
}

static u32 byte(const struct model *d, u32 at)
{
	return d->word[at / 4] >> 8 * (at % 4) & 0xff;
}

/* The function that an access reaches, from a bus on: a bridge passes on what is of its buses. */
static struct model *reached(struct model *bridge, u32 at_bus, u32 bus, u32 devfn)
{
	for (u32 i = 0; i < model_count; i++) {
		struct model *d = &models[i];

		if (d->bridge != bridge)
			continue;
		if (bus == at_bus && d->devfn == devfn)
			return d;
		if (bus != at_bus && byte(d, 0x0e) == 1 && byte(d, 0x19) && byte(d, 0x18) == at_bus &&
		    bus >= byte(d, 0x19) && bus <= byte(d, 0x1a))
			return reached(d, byte(d, 0x19), bus, devfn);
	}
	return NULL;
}

static u64 config_space(u64 at, unsigned size, bool write, u64 v)
{
	u32 rid = (u32)(at - ECAM) >> 12, n = (u32)(at & 0xfff) / 4;
	struct model *d = reached(NULL, 0, rid >> 8, rid & 0xff);

	assert_int_equal(size, 4);
	if (!d)
		return 0xffffffff;
	if (!write)
		return d->word[n];
	d->word[n] = (d->word[n] & ~d->mask[n]) | ((u32)v & d->mask[n]);
	return 0;
}

static struct model *add(struct model *bridge, u32 devfn)
{
	struct model *d = &models[model_count++];

	memset(d, 0, sizeof(*d));
	d->bridge = bridge;
	d->devfn = devfn;
	d->word[0] = 0x11e81234;
	d->word[1] = 7;
	d->mask[1] = 0xffff;
	d->word[2] = 0x00ff0000;
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

/* A PCI Express capability with this kind of device. */
static void express(struct model *d, u32 type)
{
	d->word[1] |= 0x100000;
	d->word[13] = 0x40;
	d->word[16] = 0x00020010 | type << 20;
	d->word[18] = 0x2810;
	d->mask[18] = 0xffff;
}

#define ENDPOINT 0
#define ROOT_PORT 4
#define UPSTREAM 5
#define DOWNSTREAM 6
#define TO_PCI 7

/* Access control services: what it can do. */
static void acs(struct model *d, u32 can)
{
	d->word[0x40] = 0x0001000d;
	d->word[0x41] = can;
	d->mask[0x41] = can << 16;
}

static struct model *bridge(struct model *above, u32 devfn)
{
	struct model *d = add(above, devfn);

	d->word[2] = 0x06040000;
	d->word[3] = 0x010000;
	d->mask[6] = 0xffffff;
	d->mask[7] = 0xf0f0;
	d->mask[8] = 0xfff0fff0;
	d->word[9] = 0x10001;
	d->mask[9] = 0xfff0fff0;
	d->mask[10] = d->mask[11] = 0xffffffff;
	d->mask[15] = 0x00ff00ff;
	return d;
}

static struct model *port(struct model *above, u32 devfn, u32 type)
{
	struct model *d = bridge(above, devfn);

	express(d, type);
	return d;
}

static const struct pci_vfs *vfs;
static u32 vf_count;

static void scan_with(const char *from, const char *to)
{
	char *host = dts_edit(HOST, from, to), *with = malloc(strlen(host) + 16), *source;
	size_t size;
	const char *error;

	sprintf(with, "%s	aliases {", host);
	source = dts_edit(dts_machine, "	aliases {", with);
	error = fdt_read_machine(&m, dts_tree(source, &size), 0x10000);
	free(with);
	free(source);
	free(host);
	if (error)
		fail_msg("machine: %s", error);
	pci_init(&m, vfs, vf_count);
}

static void scan(void)
{
	scan_with("smmu:", "smmu:");
}

static int setup(void **state)
{
	(void)state;
	feat.pa_bits = 48;
	fake_mmio_reset();
	fake_mmio_add(ECAM, 0x10000000, config_space);
	model_count = vf_count = 0;
	said[0] = '\0';
	return 0;
}

static struct pci_fn *found(const char *name)
{
	struct pci_fn *fn = pci_find(name);

	if (!fn)
		fail_msg("%s is not found: %s", name, said);
	return fn;
}

/* Numbers depth first, windows that have what is behind, interrupts that turn; bridges are on. */
static void two_levels(void **state)
{
	struct model *root, *up, *down, *disk, *net, *other;

	(void)state;
	root = port(NULL, 0x08, ROOT_PORT);
	up = port(root, 0, UPSTREAM);
	down = port(up, 0x08, DOWNSTREAM);
	disk = add(down, 0);
	express(disk, ENDPOINT);
	bar(disk, 0, 0x4000, 4);
	bar(disk, 2, MIB(2), 0xc);
	net = add(port(up, 0x10, DOWNSTREAM), 0);
	express(net, ENDPOINT);
	bar(net, 0, 0x1000, 0);
	other = add(NULL, 0x10);
	bar(other, 0, 0x1000, 0);
	scan();
	assert_string_equal(said, "");
	assert_int_equal(root->word[6], 0x040100);
	assert_int_equal(up->word[6], 0x040201);
	assert_int_equal(down->word[6], 0x030302);
	assert_int_equal(found("0000:03:00.0")->rid, 0x300);
	assert_int_equal(found("0000:03:00.0")->stream->sid, 0x300);
	assert_int_equal(found("0000:04:00.0")->stream->sid, 0x400);
	assert_string_equal(found("0000:02:01.0")->unfit, "that is a bridge");
	/* The root bus first, in one MiB; then disk and net in a MiB each. */
	assert_int_equal(other->word[4], 0x10000000);
	assert_int_equal(disk->word[4], 0x10100004);
	assert_int_equal(net->word[4], 0x10200000);
	assert_int_equal(down->word[8], 0x10101010);
	assert_int_equal(up->word[8], 0x10201010);
	assert_int_equal(root->word[8], 0x10201010);
	/* Prefetchable and of 64 bits: beyond 4 GiB. */
	assert_int_equal(disk->word[6], 0xc);
	assert_int_equal(disk->word[7], 0x80);
	assert_true(found("0000:03:00.0")->bar[2].pa == 0x8000000000);
	assert_int_equal(root->word[9], 0x00110001);
	assert_int_equal(root->word[10], 0x80);
	assert_int_equal(root->word[11], 0x80);
	/* All bridges forward both ways, what is behind them is off. */
	assert_int_equal(root->word[1] & 0xffff, 0x406);
	assert_int_equal(down->word[1] & 0xffff, 0x406);
	assert_int_equal(disk->word[1] & 0xffff, 0x400);
	/* INTA of device 0 on bus 3, of 1 on bus 2, 0 on bus 1: INTB of 1 on bus 0. */
	assert_int_equal(found("0000:04:00.0")->intid, 0); /* INTC of device 1: no entry */
	assert_int_equal(found("0000:00:02.0")->intid, 40);
}

/* A device without a link's other devices is looked for on conventional buses only. */
static void conventional(void **state)
{
	struct model *pci = bridge(NULL, 0x08), *express_to_pci;
	struct pci_fn *a, *b;

	(void)state;
	add(pci, 0x10);
	add(pci, 0x18);
	express_to_pci = port(port(NULL, 0x10, ROOT_PORT), 0, TO_PCI);
	add(express_to_pci, 0x28);
	add(port(NULL, 0x18, ROOT_PORT), 0x08); /* a link has device 0 alone */
	scan();
	/* One requester ID, so one stream and one group: the bridge's, or its bus's device 0. */
	a = found("0000:01:02.0");
	b = found("0000:01:03.0");
	assert_int_equal(a->rid, 0x08);
	assert_ptr_equal(a->stream, b->stream);
	assert_int_equal(a->group, b->group);
	assert_int_equal(found("0000:03:05.0")->rid, 0x300);
	assert_int_not_equal(found("0000:03:05.0")->group, a->group);
	assert_null(pci_find("0000:04:01.0"));
	/* INTA of device 2 is INTC of the bridge, which is device 1. */
	assert_int_equal(a->intid, 0);
	a->owner = "/chosen/a";
	assert_ptr_equal(pci_sibling(b, "/chosen/b"), a);
	assert_null(pci_sibling(b, "/chosen/a"));
}

/* INTA behind a bridge that is device 0: turned by the device's number. */
static void interrupts(void **state)
{
	struct model *pci = bridge(NULL, 0);

	(void)state;
	for (u32 i = 0; i < 5; i++)
		add(pci, i << 3);
	scan();
	for (u32 i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "0000:01:%02x.0", i);
		assert_int_equal(found(name)->intid, 32 + 3 + i % 4);
	}
}

/* What firmware has set up stays: numbers with gaps, windows, BARs. */
static void firmware(void **state)
{
	struct model *root = port(NULL, 0x08, ROOT_PORT), *dev = add(root, 0);

	(void)state;
	root->word[6] = 0x0a0500;
	root->word[8] = 0x11f01100; /* 0x11000000 to 0x11ffffff */
	bar(dev, 0, 0x1000, 0);
	dev->word[4] = 0x11230000;
	scan();
	assert_int_equal(root->word[6], 0x0a0500);
	assert_int_equal(root->word[8], 0x11f01100);
	assert_int_equal(found("0000:05:00.0")->bar[0].pa, 0x11230000);
	assert_int_equal(root->word[1] & 0xffff, 0x406);
	/* A BAR that the bridge does not forward: all behind it is placed anew. */
	setup(NULL);
	root = port(NULL, 0x08, ROOT_PORT);
	dev = add(root, 0);
	root->word[6] = 0x0a0500;
	root->word[8] = 0x11f01100;
	bar(dev, 0, 0x1000, 0);
	dev->word[4] = 0x10230000;
	scan();
	assert_int_equal(found("0000:05:00.0")->bar[0].pa & 0xfffff, 0);
	assert_int_equal(root->word[8] & 0xffff, dev->word[4] >> 16);
	/* Where windows are not known, it is nobody's. */
	setup(NULL);
	root = port(NULL, 0x08, ROOT_PORT);
	dev = add(root, 0);
	root->word[6] = 0x0a0500;
	root->word[8] = 0x11f01100;
	bar(dev, 0, 0x1000, 0);
	dev->word[4] = 0x10230000;
	scan_with("ranges = <0x2000000 0 0x10000000 0 0x10000000 0 0x2000000>,\n"
		  "	<0x3000000 0x80 0 0x80 0 0 0x40000000>;",
		  "nidus,bars-placed;");
	assert_non_null(strstr(found("0000:05:00.0")->unfit, "no pages of its own"));
	assert_int_equal(root->word[8], 0x11f01100);
}

/* Numbers that can't be: made anew, and nobody answers to another's. */
static void bad_numbers(void **state)
{
	static const u32 bad[][2] = {
		{ 0x010100, 0x010100 }, { 0x000000, 0x000000 }, { 0xff0100, 0xff0200 },
		{ 0x010200, 0x020100 }, { 0x010101, 0x020207 }, { 0xffffff, 0xffffff },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct model *one, *two;

		setup(NULL);
		one = port(NULL, 0x08, ROOT_PORT);
		two = port(NULL, 0x10, ROOT_PORT);
		add(one, 0)->word[11] = 1;
		add(two, 0)->word[11] = 2;
		one->word[6] = bad[i][0];
		two->word[6] = bad[i][1];
		scan();
		if (byte(one, 0x1a) == 0xff) {
			/* All are the first one's: a line. */
			assert_non_null(strstr(said, "0000:00:02.0: there is no number for the bus"));
			continue;
		}
		assert_string_equal(said, "");
		assert_true(byte(one, 0x19) > 0 && byte(two, 0x19) > 0);
		assert_true(byte(one, 0x1a) < byte(two, 0x19) || byte(two, 0x1a) < byte(one, 0x19));
		assert_non_null(pci_fn_at(3));
		assert_null(pci_fn_at(4));
	}
}

/* Bridges behind bridges without end do not take the stack, or all numbers. */
static void deep(void **state)
{
	struct model *at = NULL;

	(void)state;
	for (u32 i = 0; i < 20; i++)
		at = port(at, 0, i ? DOWNSTREAM : ROOT_PORT);
	scan();
	assert_non_null(strstr(said, "there is no number for the bus behind it"));
	/* And where the bridge has few numbers. */
	setup(NULL);
	at = NULL;
	for (u32 i = 0; i < 5; i++)
		at = port(at, 0, i ? DOWNSTREAM : ROOT_PORT);
	scan_with("bus-range = <0 0xff>", "bus-range = <0 3>");
	assert_non_null(strstr(said, "0000:03:00.0: there is no number"));
}

/* Which functions can reach each other past the SMMU. */
static void groups(void **state)
{
	struct model *root = port(NULL, 0x08, ROOT_PORT), *up, *one, *two, *d;
	struct pci_fn *a, *b;

	(void)state;
	acs(root, 0x5d);
	up = port(root, 0, UPSTREAM);
	one = port(up, 0x08, DOWNSTREAM);
	two = port(up, 0x10, DOWNSTREAM);
	express(add(one, 0), ENDPOINT);
	express(add(two, 0), ENDPOINT);
	d = add(port(NULL, 0x10, ROOT_PORT), 0);
	express(d, ENDPOINT);
	d->word[3] = 0x800000;
	express(add(&models[model_count - 2], 1), ENDPOINT);
	acs(one, 0x1d);
	scan();
	/* The ports of a switch without ACS forward to their peers, also to one that has it. */
	a = found("0000:03:00.0");
	b = found("0000:04:00.0");
	assert_int_equal(a->group, b->group);
	assert_int_equal(one->word[0x41] >> 16, 0x1d);
	/* Two functions of one device. */
	assert_int_equal(found("0000:05:00.0")->group, found("0000:05:00.1")->group);
	assert_int_not_equal(found("0000:05:00.0")->group, a->group);
	acs(two, 0x1d);
	acs(d, 0);
	acs(&models[model_count - 1], 0xc);
	scan();
	assert_int_not_equal(found("0000:03:00.0")->group, found("0000:04:00.0")->group);
	/* Theirs is all that they could need, but their port has none. */
	assert_int_equal(found("0000:05:00.0")->group, found("0000:05:00.1")->group);
	acs(d->bridge, 0x1d);
	scan();
	assert_int_not_equal(found("0000:05:00.0")->group, found("0000:05:00.1")->group);
	/* One that can't be turned on. */
	two->mask[0x41] = 0;
	two->word[0x41] &= 0xffff;
	scan();
	assert_int_equal(found("0000:03:00.0")->group, found("0000:04:00.0")->group);
	/* The list says so. */
	said[0] = '\0';
	found("0000:04:00.0")->owner = "/chosen/a";
	pci_list();
	assert_non_null(strstr(said, "pci 0000:03:00.0: 1234:11e8 class 00ff00, BARs 0x0, INTID 0, reset "
				     "with its bus, in one group with 0000:04:00.0: nobody has it"));
	assert_non_null(strstr(said, "in one group with 0000:03:00.0: /chosen/a"));
}

/* A reset of the bus, if it is all of the VM's or nobody's; afterwards all is as it was. */
static void bus_reset(void **state)
{
	struct model *root = port(NULL, 0x08, ROOT_PORT), *dev = add(root, 0), *dev1 = add(root, 1);
	struct pci_fn *a, *b;
	u32 on;

	(void)state;
	dev->word[3] = 0x800000;
	bar(dev, 0, 0x1000, 0);
	bar(dev1, 0, 0x1000, 0);
	express(dev, ENDPOINT);
	acs(dev, 0x5f);
	scan();
	a = found("0000:01:00.0");
	b = found("0000:01:00.1");
	assert_int_not_equal(dev->word[0x41] >> 16, 0);
	assert_false(pci_resets_bus(a)); /* nobody has it */
	a->owner = "/chosen/a";
	assert_true(pci_resets_bus(a));
	b->owner = "/chosen/b";
	assert_false(pci_resets_bus(a));
	b->owner = "/chosen/a";
	assert_true(pci_resets_bus(a));
	b->vfs = 1; /* they are others' */
	assert_false(pci_resets_bus(a));
	b->vfs = 0;
	on = dev->word[0x41];
	pci_bus_reset(a, true);
	assert_int_equal(root->word[15] >> 16, 0x40);
	dev->word[4] = dev->word[1] = dev1->word[4] = dev->word[18] = 0;
	dev->word[0x41] &= 0xffff;
	pci_bus_reset(a, false);
	assert_int_equal(root->word[15] >> 16, 0);
	pci_restore(a);
	assert_int_equal(dev->word[4], 0x10000000);
	assert_int_equal(dev->word[0x41], on); /* ACS too */
	assert_int_equal(dev1->word[4], 0x10010000);
	assert_int_equal(dev->word[18], 0x2810);
	assert_int_equal(dev->word[1] & 0xffff, 0x400);
	/* With a reset of its own it needs no other; on the root bus there is none. */
	a->flr = true;
	assert_false(pci_resets_bus(a));
	pci_reset(a);
	assert_int_equal(dev->word[18], 0xa810);
	a->flr = false;
	a->port = NULL;
	assert_false(pci_resets_bus(a));
}

/* A function with SR-IOV of so many, at an offset of this many numbers and with this stride. */
static void sriov(struct model *d, u32 total, u32 offset, u32 stride)
{
	u32 *c = &d->word[0x40];

	c[0] = 0x00010010;
	d->mask[0x42] = 0x19;
	c[3] = total << 16 | total;
	d->mask[0x44] = 0xffff;
	c[5] = stride << 16 | offset;
	c[6] = 0x10ca0000;
	c[7] = 0x553;
	d->mask[0x48] = 0xffffffff;
	c[9] = 0xc; /* BAR 0: 64 bits, prefetchable, 16 KiB */
	d->mask[0x49] = ~0x3fffu;
	d->mask[0x4a] = ~0u;
}

static struct model *virtual(struct model *above, u32 devfn)
{
	struct model *d = add(above, devfn);

	d->word[0] = 0xffffffff;
	d->word[1] = 0;
	d->mask[1] = 4;
	d->word[2] = 0x02000000;
	d->word[15] = 0;
	express(d, ENDPOINT);
	d->word[17] = 0x10000000;
	return d;
}

static void virtual_functions(void **state)
{
	static const struct pci_vfs want[] = { { "0000:01:00.0", 3 } };
	struct model *root = port(NULL, 0x08, ROOT_PORT), *pf = add(root, 0);
	struct pci_fn *fn;

	(void)state;
	fake_set("CNTFRQ_EL0", 0);
	express(pf, ENDPOINT);
	pf->word[0] = 0x10c98086;
	root->word[25] = 0x20; /* ARI forwarding */
	root->mask[26] = 0xffff;
	acs(root, 0x1d);
	sriov(pf, 8, 0x80, 2);
	for (u32 i = 0; i < 4; i++)
		virtual(root, 0x80 + 2 * i);
	pf->word[0x42] = 0x9; /* firmware had them on */
	scan();
	assert_int_equal(pf->word[0x42], 0);
	assert_null(pci_find("0000:01:10.0")); /* a link's devices other than 0 are not looked for */
	vfs = want;
	vf_count = 1;
	scan();
	assert_string_equal(said, "");
	assert_int_equal(pf->word[0x42], 0x19);
	assert_int_equal(pf->word[0x44], 3);
	assert_int_equal(pf->word[0x48], 1);
	assert_int_equal(root->word[26], 0x20);
	assert_string_equal(found("0000:01:00.0")->unfit, "whose virtual functions nidus gives away");
	assert_null(pci_find("0000:01:10.6"));
	/* Their BARs are parts of one place, which the port forwards. */
	assert_int_equal(pf->word[0x49], 0x1000000c);
	assert_int_equal(pf->word[0x4a], 0);
	assert_int_equal(root->word[8], 0x10001000);
	for (u32 i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "0000:01:10.%u", 2 * i);
		fn = found(name);
		assert_null(fn->unfit);
		assert_int_equal(fn->id, 0x10ca8086);
		assert_int_equal(fn->class, 0x020000);
		assert_true(fn->bar[0].pa == 0x10000000 + i * 0x4000UL);
		assert_int_equal(fn->bar[0].size, 0x4000);
		assert_int_equal(fn->stream->sid, 0x180 + 2 * i);
		assert_true(fn->flr);
		assert_int_equal(fn->group, fn - pci_fn_at(0));
	}
	/* Restored is only what is its own. */
	fn->owner = "/chosen/a";
	pci_restore(fn);
	assert_int_equal(models[5].word[4], 0);
}

/* What can't be turned on: a line, and nothing is. */
static void bad_virtual_functions(void **state)
{
	static const struct {
		u32 count, total, offset, stride;
		const char *lacks;
	} cases[] = {
		{ 9, 8, 0x80, 2, "expected as many virtual functions, found 0000:01:00.0:9" },
		{ 0, 8, 0x80, 2, "expected as many virtual functions" },
		{ 8, 8, 0xf8, 2, "expected virtual functions on its own bus" },
		{ 2, 8, 0, 1, "expected virtual functions on its own bus" },
		{ 2, 8, 8, 0, "expected virtual functions on its own bus" },
		{ 2, 8, 0x80, 2, "expected ARI of the port above it" },
		{ 2, 8, 0x80, 2, "virtual function 0 of 0000:01:00.0 does not answer" },
		{ 2, 8, 0x80, 2, "there is no room for the BARs of virtual functions" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pci_vfs want = { "0000:01:00.0", cases[i].count };
		struct model *root, *pf;

		setup(state);
		fake_set("CNTFRQ_EL0", 0);
		root = port(NULL, 0x08, ROOT_PORT);
		pf = add(root, 0);
		express(pf, ENDPOINT);
		root->word[25] = strstr(cases[i].lacks, "ARI") ? 0 : 0x20;
		sriov(pf, cases[i].total, cases[i].offset, cases[i].stride);
		if (strstr(cases[i].lacks, "room"))
			pf->mask[0x49] = 0;
		vfs = &want;
		vf_count = 1;
		scan();
		if (!strstr(said, cases[i].lacks))
			fail_msg("expected \"...%s\", found \"%s\"", cases[i].lacks, said);
		assert_null(pci_fn_at(2));
	}
	/* Without the capability, without the function, and with a capability beyond the end. */
	for (u32 i = 0; i < 3; i++) {
		static const struct pci_vfs none = { "0000:00:03.0", 1 }, edu = { "0000:00:01.0", 1 };

		setup(state);
		if (i == 2) {
			express(add(NULL, 0x08), ENDPOINT);
			models[0].word[0x40] = 0xff000001;
			models[0].word[0x3fc] = 0x00010010;
		} else {
			add(NULL, 0x08);
		}
		vfs = i ? &edu : &none;
		vf_count = 1;
		scan();
		assert_non_null(strstr(said, i ? "pci-vfs: expected SR-IOV, found 0000:00:01.0:1" :
						 "found none at 0000:00:03.0"));
	}
}

/* No room behind a bridge: those that are there, and no others. */
static void no_room(void **state)
{
	struct model *root = port(NULL, 0x08, ROOT_PORT), *dev = add(root, 0);

	(void)state;
	bar(dev, 0, MIB(64), 0);
	bar(add(NULL, 0x10), 0, 0x1000, 0);
	scan();
	assert_string_equal(found("0000:01:00.0")->unfit, "for whose BARs the host bridge has no room");
	assert_null(found("0000:00:02.0")->unfit);
	assert_int_equal(root->word[8], 0x0000fff0);
	assert_int_equal(root->word[9] & 0xfff0fff0, 0x0000fff0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(two_levels, setup), cmocka_unit_test_setup(conventional, setup),
		cmocka_unit_test_setup(interrupts, setup), cmocka_unit_test_setup(firmware, setup),
		cmocka_unit_test_setup(bad_numbers, setup), cmocka_unit_test_setup(deep, setup),
		cmocka_unit_test_setup(groups, setup),	   cmocka_unit_test_setup(bus_reset, setup),
		cmocka_unit_test_setup(no_room, setup),	   cmocka_unit_test_setup(virtual_functions, setup),
		cmocka_unit_test_setup(bad_virtual_functions, setup),
	};

	return cmocka_run_group_tests_name("pci_bridge", tests, NULL, NULL);
}
