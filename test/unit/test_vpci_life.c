/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a VM gets PCI functions and loses them: what is refused, and in which order a device is taken
 * away, as a log of what was done to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/counter.h"
#include "arch/feat.h"
#include "arch/pci.h"
#include "arch/sysreg.h"
#include "dev/pci.h"
#include "did.h"
#include "mm/page.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/guest_fdt_pci.h"
#include "vm/vpci.h"
#include "vm/vpci_life.h"

#define ARENA MIB(64)

static u64 arena, now;
static struct vm vm;
static struct vm_config config;
static const struct pci_host host;
static struct pci_fn fns[3];
static bool deaf;             /* the SMMU does not answer */
static const char *no_stream; /* why smmu_stream_init() fails */
static bool all_ones;         /* no device answers any more */
static u32 pending;           /* looks at a device after which it has no transaction left */

u64 counter_now(void)
{
	return now;
}

/* ---- the machine's functions ---- */

struct pci_fn *pci_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(fns); i++)
		if (!strcmp(fns[i].name, name))
			return &fns[i];
	return NULL;
}

const struct pci_fn *pci_sibling(const struct pci_fn *fn, const char *path)
{
	/* The last two are one device. */
	const struct pci_fn *other = fn == &fns[1] ? &fns[2] : fn == &fns[2] ? &fns[1] : NULL;

	return other && other->owner && strcmp(other->owner, path) != 0 ? other : NULL;
}

const struct pci_fn *pci_intx_sharer(const struct pci_fn *fn, const char *path)
{
	for (u32 i = 0; i < ARRAY_SIZE(fns); i++)
		if (fns[i].owner && strcmp(fns[i].owner, path) != 0 && fns[i].intid == fn->intid)
			return &fns[i];
	return NULL;
}

u32 pci_read(const struct pci_fn *fn, u32 reg)
{
	if (all_ones)
		return ~0u;
	if (fn->express && reg == (u32)fn->express + PCI_EXP_DEVCTL)
		return 0x2810 | (pending && pending-- ? PCI_EXP_DEVSTA_PENDING : 0);
	return reg == PCI_INTERRUPT ? 0x100 : 0;
}

void pci_write(const struct pci_fn *fn, u32 reg, u32 v)
{
	did("%ld write %x %x; ", fn - fns, reg, v);
}

void pci_command(const struct pci_fn *fn, u32 bits)
{
	did("%ld command %x; ", fn - fns, bits);
}

void pci_restore(const struct pci_fn *fn)
{
	did("%ld restore; ", fn - fns);
}

void pci_reset(const struct pci_fn *fn)
{
	if (fn->flr)
		did("%ld reset; ", fn - fns);
}

bool pci_resets_bus(const struct pci_fn *fn)
{
	return fn->port && !fn->flr;
}

void pci_bus_reset(const struct pci_fn *fn, bool on)
{
	assert_true(pci_resets_bus(fn));
	did("%ld bus reset %u; ", fn - fns, on);
}

static long number(const struct smmu_stream *stream)
{
	return container_of(stream, struct pci_fn, own_stream) - fns;
}

const char *smmu_stream_init(struct smmu_stream *stream)
{
	did("%ld stream; ", number(stream));
	return no_stream;
}

void smmu_stream_done(struct smmu_stream *stream)
{
	did("%ld no stream; ", number(stream));
}

const char *smmu_stage2_check(const struct smmu *s, const struct stage2 *s2)
{
	(void)s;
	return s2->pt.ia_bits > 44 ? "more address bits than its SMMU has" : NULL;
}

bool smmu_attach(struct smmu_stream *stream, struct stage2 *s2, const char *name)
{
	assert_ptr_equal(s2, &vm.pci->dma);
	assert_string_equal(name, "a");
	did("%ld attach; ", number(stream));
	return !deaf;
}

bool smmu_detach(struct smmu_stream *stream)
{
	did("%ld detach; ", number(stream));
	return !deaf;
}

int vgic_assign_spi(struct vm *to, u32 intid, u32 pintid, bool edge)
{
	assert_ptr_equal(to, &vm);
	assert_int_equal(intid, pintid);
	assert_false(edge);
	did("INTID %u; ", intid);
	return intid == 40 ? -EBUSY : 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("CNTFRQ_EL0", 1000);
	feat.pa_bits = 44;
	feat.qemu = true;
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	memset(&vm, 0, sizeof(vm));
	memset(fns, 0, sizeof(fns));
	for (u32 i = 0; i < ARRAY_SIZE(fns); i++) {
		fns[i].host = &host;
		snprintf(fns[i].name, sizeof(fns[i].name), "0000:00:0%u.0", i + 1);
		fns[i].intid = 36 + i;
		fns[i].stream = &fns[i].own_stream;
		fns[i].own_stream.device = fns[i].name;
		fns[i].bar[0] = (struct pci_bar){ .pa = 0x20000000 + i * MIB(1), .size = 16384 };
	}
	fns[1].express = 0x40;
	fns[1].flr = true;
	config = (struct vm_config){ .name = "a",
				     .path = "/chosen/a",
				     .pci = { "0000:00:01.0", "0000:00:02.0" },
				     .pci_count = 2 };
	vm.config = &config;
	done[0] = line[0] = '\0';
	deaf = all_ones = false;
	no_stream = NULL;
	pending = 0;
	now = 1000;
	return 0;
}

static void build(void)
{
	assert_null(vpci_claim(&vm));
	assert_int_equal(stage2_init(&vm.stage2, 40, 0), 0);
	assert_null(vpci_build(&vm));
}

static void unbuild(void)
{
	vpci_destroy(&vm);
	stage2_destroy(&vm.stage2);
}

static void assert_done(const char *what)
{
	assert_string_equal(done, what);
	done[0] = '\0';
}

static void nothing(void **state)
{
	struct guest_pci pci;

	(void)state;
	config.pci_count = 0;
	assert_null(vpci_claim(&vm));
	assert_null(vpci_build(&vm));
	assert_true(vpci_start(&vm));
	assert_false(vpci_stop_piece(&vm));
	assert_null(guest_pci_of(&vm, &pci));
	vpci_destroy(&vm);
	assert_int_equal(vpci_table_pages(&vm), 0);
	assert_done("");
}

static void refused(const char *why)
{
	const char *error = vpci_claim(&vm);

	if (!error || !strstr(error, why))
		fail_msg("expected \"%s\", found \"%s\"", why, error ? error : "no error");
	vpci_destroy(&vm);
	/* What it had claimed before that is free again. */
	for (u32 i = 0; i < ARRAY_SIZE(fns); i++)
		assert_true(!fns[i].owner || strcmp(fns[i].owner, "/chosen/a") != 0);
}

static void refusals(void **state)
{
	u64 before = page_free_count();

	(void)state;
	strcpy(config.pci[1], "0000:00:09.0");
	refused("expected a PCI function of the machine's, found none at 0000:00:09.0");
	strcpy(config.pci[1], "0000:00:02.0");
	fns[1].unfit = "that is a bridge";
	refused("found 0000:00:02.0: one that is a bridge");
	fns[1].unfit = NULL;
	fns[2].owner = "/chosen/b";
	refused("found 0000:00:02.0 in one group with 0000:00:03.0: /chosen/b has it");
	fns[2].owner = NULL;
	fns[1].owner = "/chosen/b";
	refused("found 0000:00:02.0: /chosen/b has it");
	fns[1].owner = NULL;
	fns[2].intid = 36;
	fns[2].owner = "/chosen/b";
	refused("found 0000:00:01.0 with INTID 36, which /chosen/b has with 0000:00:03.0");
	fns[2].owner = NULL;
	fns[1].bar[0].size = MIB(32);
	refused("expected BARs of at most 0x1000000 bytes");
	config.stage2_block = MIB(2);
	assert_null(vpci_claim(&vm));
	vpci_destroy(&vm);
	assert_int_equal(page_free_count(), before);

}

static void builds(void **state)
{
	struct guest_pci pci;

	(void)state;
	build();
	assert_done("0 stream; INTID 36; 1 stream; INTID 37; ");
	assert_string_equal(fns[0].owner, "/chosen/a");
	assert_int_equal(vm.layout.intid_max, 37);
	assert_int_equal(vm.mmio.count, 1);
	assert_int_equal(vm.mmio.region[0].base, 0x3f000000);
	assert_ptr_equal(guest_pci_of(&vm, &pci), &pci);
	assert_int_equal(pci.count, 2);
	assert_int_equal(pci.fn[1].device, 2);
	assert_int_equal(pci.fn[1].pin, 1);
	assert_int_equal(pci.fn[1].intid, 37);
	assert_true(pci.wide == BIT(39) && pci.wide_size == BIT(39));
	/* It never ran, so the devices may go to others. */
	unbuild();
	assert_null(fns[0].owner);
	assert_done("0 no stream; 1 no stream; ");
}

/* One line for two functions: one SPI. None: none. Somebody else's: refused. */
static void interrupts(void **state)
{
	(void)state;
	fns[1].intid = 36;
	build();
	assert_done("0 stream; INTID 36; 1 stream; ");
	unbuild();
	setup(NULL);
	fns[0].intid = 0;
	build();
	assert_done("0 stream; 1 stream; INTID 37; ");
	unbuild();
	setup(NULL);
	fns[0].intid = 40;
	assert_null(vpci_claim(&vm));
	assert_int_equal(stage2_init(&vm.stage2, 40, 0), 0);
	assert_non_null(strstr(vpci_build(&vm), "found 0000:00:01.0 with INTID 40"));
	unbuild();
	setup(NULL);
	no_stream = "no memory for its stream table";
	assert_null(vpci_claim(&vm));
	assert_int_equal(stage2_init(&vm.stage2, 40, 0), 0);
	assert_non_null(strstr(vpci_build(&vm), "found 0000:00:01.0: no memory for its stream"));
	unbuild();
}

/* Tables for BARs at any place are there, whatever else happens to memory. */
static void tables(void **state)
{
	(void)state;
	assert_null(vpci_claim(&vm));
	/* A BAR of 16 KiB over a border of tables on each level: two of level 3, two of level 2. */
	assert_true(vpci_table_pages(&vm) >= 2 * 4);
	vpci_destroy(&vm);
}

static void starts_and_stops(void **state)
{
	(void)state;
	build();
	done[0] = '\0';
	assert_true(vpci_start(&vm));
	assert_done("0 attach; 0 command 2; 1 attach; 1 command 2; ");
	vm.started = 1;
	/* First of all nothing is mastered any more; then the SMMU; nothing else until it answers. */
	pending = 2;
	assert_true(vpci_stop_piece(&vm));
	assert_done("0 command 400; 0 detach; 1 command 400; 1 detach; ");
	assert_true(vpci_stop_piece(&vm));
	assert_true(vpci_stop_piece(&vm));
	assert_done("");
	assert_true(vpci_stop_piece(&vm));
	assert_done("1 reset; ");
	now += 99;
	assert_true(vpci_stop_piece(&vm));
	assert_done("");
	now++;
	assert_false(vpci_stop_piece(&vm));
	assert_done("0 restore; 1 restore; ");
	assert_false(vpci_stop_piece(&vm));
	assert_done("");
	assert_false(vm.devices_may_write);
	assert_string_equal(line, "");
	/* After a reset it starts again, and stops again. */
	assert_true(vpci_start(&vm));
	fns[1].stream->faults = 7;
	done[0] = '\0';
	assert_true(vpci_stop_piece(&vm));
	assert_string_equal(line, "vm a: 0000:00:02.0: 7 accesses of it were blocked");
	while (vpci_stop_piece(&vm))
		now++;
	unbuild();
	/* It may have left something in a device: that is nobody else's. */
	assert_string_equal(fns[0].owner, "/chosen/a");
}

/* A function that is reset with its bus: that takes a tenth of a second more. */
static void bus_reset(void **state)
{
	(void)state;
	fns[0].port = &fns[2];
	build();
	assert_true(vpci_start(&vm));
	done[0] = '\0';
	assert_true(vpci_stop_piece(&vm));
	assert_done("0 command 400; 0 detach; 1 command 400; 1 detach; ");
	assert_true(vpci_stop_piece(&vm));
	assert_done("0 bus reset 1; 1 reset; ");
	now += 99;
	assert_true(vpci_stop_piece(&vm));
	assert_done("");
	now++;
	assert_true(vpci_stop_piece(&vm));
	assert_done("0 bus reset 0; ");
	now += 99;
	assert_true(vpci_stop_piece(&vm));
	assert_done("");
	now++;
	assert_false(vpci_stop_piece(&vm));
	assert_done("0 restore; 1 restore; ");
	unbuild();
}

/* Two functions with one requester ID: one stream. */
static void one_stream(void **state)
{
	(void)state;
	fns[1].stream = &fns[0].own_stream;
	build();
	assert_done("0 stream; INTID 36; INTID 37; ");
	assert_true(vpci_start(&vm));
	assert_done("0 attach; 0 command 2; 1 command 2; ");
	assert_true(vpci_stop_piece(&vm));
	assert_done("0 command 400; 0 detach; 1 command 400; 0 detach; ");
	while (vpci_stop_piece(&vm))
		now++;
	unbuild();
}

/* Transactions that never end do not keep the VM from ending. */
static void never_ends(void **state)
{
	u32 n = 0;

	(void)state;
	build();
	assert_true(vpci_start(&vm));
	pending = 1000000;
	while (vpci_stop_piece(&vm)) {
		now++;
		assert_true(n++ < 400);
	}
	unbuild();
}

/*
 * A device that is gone: all ones, so transactions seem to be under way for ever, and it does not
 * come back from its reset either.
 */
static void gone(void **state)
{
	u32 n = 0;

	(void)state;
	build();
	all_ones = true;
	assert_true(vpci_start(&vm));
	while (vpci_stop_piece(&vm)) {
		now++;
		n++;
		assert_true(n < 1400);
	}
	/* 100 ms for its transactions, and the second that a device has to come back. */
	assert_in_range(n, 1090, 1210);
	assert_false(vm.devices_may_write);
	unbuild();
}

static void deaf_smmu(void **state)
{
	(void)state;
	build();
	assert_true(vpci_start(&vm));
	deaf = true;
	while (vpci_stop_piece(&vm))
		now++;
	assert_true(vm.devices_may_write);
	vm.devices_may_write = false;
	assert_false(vpci_start(&vm));
	while (vpci_stop_piece(&vm))
		now++;
	assert_true(vm.devices_may_write);
	unbuild();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing, setup),
		cmocka_unit_test_setup(refusals, setup),
		cmocka_unit_test_setup(builds, setup),
		cmocka_unit_test_setup(interrupts, setup),
		cmocka_unit_test_setup(tables, setup),
		cmocka_unit_test_setup(starts_and_stops, setup),
		cmocka_unit_test_setup(bus_reset, setup),
		cmocka_unit_test_setup(one_stream, setup),
		cmocka_unit_test_setup(never_ends, setup),
		cmocka_unit_test_setup(gone, setup),
		cmocka_unit_test_setup(deaf_smmu, setup),
	};

	return cmocka_run_group_tests_name("vpci_life", tests, NULL, NULL);
}
