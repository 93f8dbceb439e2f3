/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of a VM's function: what reaches the device, MSI-X as in PCI 3.0, 6.8.2, with the table
 * and the pending bits in pages that nobody else sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/its.h"
#include "arch/mmio_access.h"
#include "arch/pci.h"
#include "dev/its.h"
#include "dev/pci.h"
#include "lib/log.h"
#include "mm/page.h"
#include "mm/stage1.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/vmsi.h"
#include "vm/vpci.h"

#define BAR_AT 0x10100000UL
#define BAR_SIZE KIB(64)
#define TABLE 0x2000u
#define PBA 0x3000u
#define VECTORS 5u
#define MSIX 0x40u
#define MSI 0x60u
#define SHOWN 0x20000000UL /* where the guest has BAR 0 */
#define ITS 0x8080000UL
#define BELL (ITS + 0x10040)

static u32 config[64], bar_words[BAR_SIZE / 4];
static struct pci_fn dev, other;
static struct vm vm;
static struct vm_config vm_config;
static struct vpci vpci;
static struct vpci_fn *fn = &vpci.fn[0];
static unsigned wants, lines;
static const char *no_device;

void log_line(const char *fmt, ...)
{
	(void)fmt;
	lines++;
}

u32 pci_read(const struct pci_fn *f, u32 reg)
{
	(void)f;
	return config[reg / 4];
}

void pci_write(const struct pci_fn *f, u32 reg, u32 v)
{
	(void)f;
	config[reg / 4] = v;
}

u32 pci_cap(const struct pci_fn *f, u32 id, u32 after)
{
	(void)f;
	(void)after;
	return id == PCI_CAP_MSIX && config[MSIX / 4] ? MSIX
	       : id == PCI_CAP_MSI && config[MSI / 4] ? MSI
						      : 0;
}

int stage1_map_device(u64 at, u64 size)
{
	assert_true(at >= BAR_AT && at + size <= BAR_AT + BAR_SIZE);
	return 0;
}

u64 page_alloc(u32 order)
{
	return (u64)malloc(PAGE_SIZE << order);
}

void page_free(u64 at, u32 order)
{
	(void)order;
	free((void *)at);
}

u32 its_events_max(const struct its *s)
{
	(void)s;
	return 1024;
}

const char *its_device_init(struct its_device *d)
{
	d->lpi = 8192;
	return no_device;
}

void its_device_done(struct its_device *d)
{
	d->events = 0;
}

int vits_create(struct vm *v, const struct vits_want *want, u32 count)
{
	assert_ptr_equal(v, &vm);
	for (u32 i = 0; i < count; i++)
		assert_ptr_equal(want[i].phys, &dev.msi);
	wants = count;
	return 0;
}

static u64 bar_mmio(u64 at, unsigned size, bool write, u64 v)
{
	u8 *p = (u8 *)bar_words + (at - BAR_AT);
	u64 old = 0;

	memcpy(&old, p, size);
	if (write)
		memcpy(p, &v, size);
	return old;
}

static int setup(void **state)
{
	(void)state;
	fake_mmio_reset();
	fake_mmio_add(BAR_AT, BAR_SIZE, bar_mmio);
	memset(config, 0, sizeof(config));
	/* As a reset may leave them, but for the masks of vectors. */
	memset(bar_words, 0xa5, sizeof(bar_words));
	memset(&vm, 0, sizeof(vm));
	memset(&vpci, 0, sizeof(vpci));
	memset(&dev, 0, sizeof(dev));
	config[MSIX / 4] = PCI_CAP_MSIX | (VECTORS - 1) << 16;
	config[MSIX / 4 + 1] = TABLE;
	config[MSIX / 4 + 2] = PBA;
	/* 64 bits, 4 vectors, masks. */
	config[MSI / 4] = PCI_CAP_MSI | 2 << 17 | BIT(23) | BIT(24);
	dev.bar[0] = (struct pci_bar){ .pa = BAR_AT, .size = BAR_SIZE };
	dev.msi.its = (void *)&dev;
	vm.config = &vm_config;
	vm.layout.its = ITS;
	vm.pci = &vpci;
	vpci.count = 1;
	fn->dev = &dev;
	no_device = NULL;
	lines = wants = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmsi_done(&vm);
	return 0;
}

static void build(void)
{
	assert_null(vmsi_build(&vm));
	assert_int_equal(wants, 1);
	assert_int_equal(dev.msi.events, 8);
	assert_int_equal(vmsi_show_msix(fn, MSIX), 12);
	assert_int_equal(vmsi_show_msi(fn, MSI), 24);
	memcpy(fn->cfg, fn->first, sizeof(fn->cfg));
	vmsi_fn_reset(fn);
	vmsi_start(fn);
	fn->mapped[0] = SHOWN;
}

static u64 rw(u64 at, u32 size, bool write, u64 v)
{
	struct mmio m = {
		.offset = SHOWN + at - VPCI_LOW, .data = v, .size = (u8)size, .write = write
	};

	assert_true(vmsi_access_low(NULL, &vm, &m));
	return m.data;
}

static u32 real(u32 i, u32 word)
{
	return bar_words[TABLE / 4 + 4 * i + word];
}

/* ---- vectors ---- */

static void vectors(void **state)
{
	(void)state;
	build();
	for (u32 i = 0; i < VECTORS; i++) {
		assert_int_equal(real(i, 3), 1);
		for (u32 w = 0; w < 3; w++)
			assert_int_equal(real(i, w), 0);
	}
	rw(TABLE + 16 * 2, 4, true, (u32)BELL);
	rw(TABLE + 16 * 2 + 4, 4, true, 0);
	rw(TABLE + 16 * 2 + 8, 4, true, 7);
	assert_int_equal(real(2, 3), 1);
	rw(TABLE + 16 * 2 + 12, 4, true, 0);
	assert_int_equal(real(2, 0), BELL);
	assert_int_equal(real(2, 2), 7);
	assert_int_equal(real(2, 3), 0);
	assert_int_equal(rw(TABLE + 16 * 2, 8, false, 0), BELL);
	/* Elsewhere: masked, though the guest reads what it wrote. */
	rw(TABLE + 16 * 2, 4, true, 0x40000000);
	assert_int_equal(real(2, 3), 1);
	assert_int_equal(rw(TABLE + 16 * 2 + 12, 4, false, 0), 0);
	rw(TABLE + 16 * 2, 8, true, BELL);
	assert_int_equal(real(2, 3), 0);
	rw(TABLE + 16 * 2, 8, true, BIT(32) | BELL);
	assert_int_equal(real(2, 3), 1);
	/* Bytes: nothing. Beyond the last vector: the device's registers. */
	rw(TABLE, 1, true, 0xff);
	assert_int_equal(rw(TABLE, 4, false, 0), 0);
	rw(TABLE + 16 * VECTORS, 2, true, 0xabcd);
	assert_int_equal(bar_words[(TABLE + 16 * VECTORS) / 4] & 0xffff, 0xabcd);
	assert_int_equal(rw(TABLE + 16 * VECTORS + 1, 1, false, 0), 0xab);
	/* Pending bits are the device's. */
	bar_words[PBA / 4] = 4;
	bar_words[PBA / 4 + 1] = 0;
	rw(PBA, 8, true, 0);
	assert_int_equal(rw(PBA, 8, false, 0), 4);
}

static void outside(void **state)
{
	struct mmio m = { .offset = SHOWN - VPCI_LOW, .size = 4 };

	(void)state;
	build();
	/* Other pages, other places, what is not aligned, a BAR that is nowhere. */
	assert_false(vmsi_access_low(NULL, &vm, &m));
	m.offset = SHOWN + BAR_SIZE - VPCI_LOW;
	assert_false(vmsi_access_low(NULL, &vm, &m));
	m.offset = SHOWN + TABLE + 2 - VPCI_LOW;
	assert_false(vmsi_access_low(NULL, &vm, &m));
	m.offset = SHOWN + TABLE - VPCI_LOW;
	assert_false(vmsi_access_wide(NULL, &vm, &m));
	fn->mapped[0] = 0;
	assert_false(vmsi_access_low(NULL, &vm, &m));
}

static void holes(void **state)
{
	struct range r;

	(void)state;
	build();
	r = vmsi_hole(fn, 0, 0);
	assert_int_equal(r.base, TABLE);
	assert_int_equal(r.size, 4096);
	r = vmsi_hole(fn, 0, TABLE + 4096);
	assert_int_equal(r.base, PBA);
	assert_int_equal(vmsi_hole(fn, 0, PBA + 4096).size, 0);
	assert_int_equal(vmsi_hole(fn, 1, 0).size, 0);
}

/* ---- the capabilities ---- */

static void write_config(u32 reg, u32 v)
{
	fn->cfg[reg / 4] =
		(fn->cfg[reg / 4] & ~fn->writable[reg / 4]) | (v & fn->writable[reg / 4]);
	vmsi_follow(&vm, fn, reg / 4);
}

static void msi(void **state)
{
	(void)state;
	build();
	write_config(MSI + 4, (u32)BELL);
	write_config(MSI + 8, 0);
	write_config(MSI + 12, 0x12345);
	write_config(MSI, ~0u);
	assert_int_equal(config[MSI / 4] >> 16 & 1, 1);
	assert_int_equal(config[MSI / 4 + 1], BELL);
	assert_int_equal(config[MSI / 4 + 3], 0x2345);
	write_config(MSI + 16, ~0u);
	assert_int_equal(config[MSI / 4 + 4], 15);
	config[MSI / 4 + 5] = 2;
	assert_int_equal(vmsi_read(fn, MSI / 4 + 5), 2);
	assert_int_equal(vmsi_read(fn, MSI / 4 + 4), 0);
	/* Anywhere else: off. */
	write_config(MSI + 8, 1);
	assert_int_equal(config[MSI / 4] >> 16 & 1, 0);
	vmsi_stop(fn);
	assert_int_equal(config[MSI / 4], 0);
}

static void msix(void **state)
{
	(void)state;
	build();
	assert_int_equal(fn->first[MSIX / 4] >> 16, VECTORS - 1);
	write_config(MSIX, ~0u);
	assert_int_equal(config[MSIX / 4] >> 30, 3);
	assert_int_equal(config[MSIX / 4] >> 16 & 0x7ff, VECTORS - 1);
	write_config(MSIX, 0);
	assert_int_equal(config[MSIX / 4] >> 30, 0);
}

/* ---- what there may not be ---- */

static void hidden(void **state)
{
	(void)state;
	/* No ITS; one that does not take it. */
	dev.msi.its = NULL;
	assert_null(vmsi_build(&vm));
	assert_int_equal(wants, 0);
	assert_int_equal(vmsi_show_msix(fn, MSIX), 0);
	assert_int_equal(vmsi_show_msi(fn, MSI), 0);
	dev.msi.its = (void *)&dev;
	no_device = "why";
	assert_null(vmsi_build(&vm));
	assert_int_equal(lines, 1);
	assert_int_equal(vmsi_show_msix(fn, MSIX), 0);
	vmsi_done(&vm);
	/* A table that is not in the BAR. */
	no_device = NULL;
	config[MSI / 4] = 0;
	config[MSIX / 4 + 1] = BAR_SIZE - 16;
	assert_null(vmsi_build(&vm));
	assert_int_equal(wants, 0);
	assert_int_equal(vmsi_hole(fn, 0, 0).size, 0);
	config[MSIX / 4 + 1] = 7;
	assert_null(vmsi_build(&vm));
	assert_int_equal(wants, 0);
	/* Functions of two ITSs, or one without: there is one doorbell, so none has messages. */
	config[MSIX / 4 + 1] = TABLE;
	vpci.count = 2;
	vpci.fn[1].dev = &other;
	other = dev;
	for (u32 i = 0; i < 2; i++) {
		other.msi.its = i ? NULL : (void *)&other;
		lines = 0;
		assert_null(vmsi_build(&vm));
		assert_int_equal(wants, 0);
		assert_int_equal(lines, 1);
		assert_int_equal(vmsi_show_msix(fn, MSIX), 0);
		assert_int_equal(vmsi_show_msi(fn, MSI), 0);
	}
	vpci.count = 1;
	vm.layout.its = 0;
	vm_config.its = true;
	assert_non_null(vmsi_build(&vm));
	vm_config.its = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(outside, setup, teardown),
		cmocka_unit_test_setup_teardown(holes, setup, teardown),
		cmocka_unit_test_setup_teardown(msi, setup, teardown),
		cmocka_unit_test_setup_teardown(msix, setup, teardown),
		cmocka_unit_test_setup_teardown(hidden, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
