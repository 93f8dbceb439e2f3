/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a VM's RAM in pieces: interrupts are masked at EL2, and other VMs wait for the CPU that
 * does it. Nothing here can fail: what goes where was decided when the VM was built.
 */
#include "vm/vm_load.h"

#include "arch/sysreg.h"
#include "lib/check.h"
#include "lib/log.h"
#include "mm/page.h"
#include "simd/simd.h"
#include "state/vm.h"
#include "vtimer/vtimer.h"

/* A piece ends with the unit in which its millisecond ends. */
#define PIECES_A_SECOND 1000
/*
 * Units, between two checks of the time: some hundred microseconds each, as hashing costs some
 * hundred times what zeroing does.
 */
#define ZERO_UNIT MIB(1)
#define COPY_UNIT KIB(64)
#define HASH_UNIT KIB(8)

#define TELL_SECONDS 5 /* between two lines of progress */

static const char *at_pa(u64 base, u64 offset)
{
	return (const char *)pa_ptr(pa(base)) + offset;
}

/* n bytes of a part of this size are done. */
static u64 advance(struct vm_load *l, u64 n, u64 size)
{
	l->at += n;
	if (l->at == size) {
		l->at = 0;
		l->part++;
	}
	return n;
}

/* Visible also to a guest whose caches are off. */
static void put(struct vm *vm, u64 at, const void *from, u64 n)
{
	CHECK(!vm_write(vm, ipa(at), from, n));
	CHECK(!vm_clean(vm, ipa(at), n));
}

/* Log the SHA-256 of a module as it was loaded. */
static void tell_digest(const struct vm *vm, const char *what, struct sha256 *sha)
{
	u8 digest[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];

	sha256_final(sha, digest);
	sha256_hex(digest, hex);
	log_line("vm %s: %s: sha256 %s", vm->config->name, what, hex);
}

/* ---- phases: each does a unit and returns its bytes; 0: there is nothing left of it ---------- */

static u64 zero_ram(struct vm *vm, struct vm_load *l)
{
	const struct vm_ram *r = &vm->ram[l->part];
	u64 n;

	if (l->part == vm->ram_chunks)
		return 0;
	n = MIN(ZERO_UNIT, r->size - l->at);
	page_zero(r->pa + l->at, n);
	page_clean(r->pa + l->at, n);
	return advance(l, n, r->size);
}

static u64 copy_kernel(struct vm *vm, struct vm_load *l)
{
	const struct image_segment *s;
	u64 n;

	while (l->part < l->image.segments && !l->image.segment[l->part].filesz)
		l->part++;
	if (l->part == l->image.segments)
		return 0;
	s = &l->image.segment[l->part];
	n = MIN(COPY_UNIT, s->filesz - l->at);
	put(vm, s->ipa + l->at, at_pa(vm->config->kernel.base, s->offset + l->at), n);
	return advance(l, n, s->filesz);
}

/* Add a file's next unit to its digest. */
static u64 hash(struct vm_load *l, struct range file)
{
	u64 n = MIN(HASH_UNIT, file.size - l->at);

	if (!l->at)
		sha256_init(&l->sha, simd_sha256_blocks);
	sha256_update(&l->sha, at_pa(file.base, l->at), n);
	return n;
}

static u64 hash_kernel(struct vm *vm, struct vm_load *l)
{
	struct range file = vm->config->kernel;

	if (!l->part)
		return advance(l, hash(l, file), file.size);
	tell_digest(vm, "kernel", &l->sha);
	return 0;
}

static u64 copy_ramdisk(struct vm *vm, struct vm_load *l)
{
	struct range file = vm->config->ramdisk;
	u64 n;

	if (!file.size)
		return 0;
	if (l->part) {
		tell_digest(vm, "ramdisk", &l->sha);
		return 0;
	}
	n = hash(l, file);
	put(vm, l->initrd + l->at, at_pa(file.base, l->at), n);
	return advance(l, n, file.size);
}

/* Whether an earlier module is the same file, which the VM has only once. */
static bool handed_before(const struct vm_config *c, u32 i)
{
	for (u32 j = 0; j < i; j++)
		if (c->handed[j].file.base == c->handed[i].file.base)
			return true;
	return false;
}

static u64 copy_handed(struct vm *vm, struct vm_load *l)
{
	const struct vm_config *c = vm->config;
	struct range file;
	char what[32];
	u64 n;

	while (l->part < c->handed_count && handed_before(c, l->part))
		l->part++;
	if (l->part == c->handed_count)
		return 0;
	file = c->handed[l->part].file;
	n = hash(l, file);
	put(vm, l->handed[l->part] + l->at, at_pa(file.base, l->at), n);
	if (l->at + n == file.size) {
		snprintf(what, sizeof(what), "module 0x%lx", l->handed[l->part]);
		tell_digest(vm, what, &l->sha);
	}
	return advance(l, n, file.size);
}

static u64 copy_fdt(struct vm *vm, struct vm_load *l)
{
	if (l->part)
		return 0;
	put(vm, vm->fdt_ipa, at_pa(l->fdt, 0), l->fdt_size);
	/* Last, for everything that was cleaned before. */
	page_drop_instructions();
	return advance(l, l->fdt_size, l->fdt_size);
}

static u64 (*const phases[])(struct vm *vm, struct vm_load *l) = {
	zero_ram, copy_kernel, hash_kernel, copy_ramdisk, copy_handed, copy_fdt,
};

/* ---- pieces ---------------------------------------------------------------------------------- */

void vm_load_begin(struct vm *vm)
{
	struct vm_load *l = &vm->load;

	l->phase = l->part = 0;
	l->at = 0;
	l->began = l->told = counter_now();
}

/* The size of the first n modules to hand down; a file that is copied once counts once. */
static u64 handed_bytes(const struct vm_config *c, u32 n)
{
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		sum += handed_before(c, i) ? 0 : c->handed[i].file.size;
	return sum;
}

/* The bytes copied by the phases before this one and the parts before this part. */
static u64 copied_before(const struct vm_config *c, const struct vm_load *l)
{
	if (phases[l->phase] == copy_ramdisk)
		return c->kernel.size;
	if (phases[l->phase] == copy_handed)
		return c->kernel.size + c->ramdisk.size + handed_bytes(c, l->part);
	return 0;
}

/* Log the phase, its size and progress. */
static void tell_progress(const struct vm *vm, const struct vm_load *l)
{
	const struct vm_config *c = vm->config;
	u64 done = l->at, all = 0;

	if (phases[l->phase] == zero_ram) {
		for (u32 i = 0; i < vm->ram_chunks; i++) {
			all += vm->ram[i].size;
			done += i < l->part ? vm->ram[i].size : 0;
		}
		log_line("vm %s: zeroing its memory: %lu of %lu MiB", c->name, done >> 20,
			 all >> 20);
		return;
	}
	all = c->kernel.size + c->ramdisk.size + handed_bytes(c, c->handed_count);
	done = phases[l->phase] == copy_kernel ? 0 : done + copied_before(c, l);
	log_line("vm %s: loading its images: %lu of %lu MiB", c->name, done >> 20, all >> 20);
}

bool vm_load_piece(struct vm *vm)
{
	struct vm_load *l = &vm->load;
	u64 second = sysreg_read(CNTFRQ_EL0), start = counter_now(), now = start;

	for (; now - start < second / PIECES_A_SECOND; now = counter_now()) {
		if (phases[l->phase](vm, l))
			continue;
		l->part = 0;
		if (++l->phase == ARRAY_SIZE(phases))
			return false;
	}
	if (now - l->began > second &&
	    now - l->told > (l->told == l->began ? 1 : TELL_SECONDS) * second) {
		l->told = now;
		tell_progress(vm, l);
	}
	return true;
}
