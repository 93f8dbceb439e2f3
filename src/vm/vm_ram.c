/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's RAM: allocating and freeing it. */
#include "vm/vm_ram.h"

#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "state/vm.h"

static char message[160];

static const char *too_little(const struct vm *vm)
{
	snprintf(message, sizeof(message),
		 "memory: expected %lu MiB of free memory, found %lu MiB%s",
		 vm->config->mem_size >> 20, page_free_count() >> (20 - PAGE_SHIFT),
		 vm->ram_chunks == VM_RAM_CHUNKS ? " in too many pieces" : "");
	return message;
}

/* The largest block within so many bytes. */
static u32 order_within(u64 size)
{
	return MIN(63 - (u32)__builtin_clzl(size >> PAGE_SHIFT), (u32)PAGE_ORDER_MAX);
}

/* Add a piece at the end of the list. */
static bool append(struct vm *vm, u64 at, u64 base, u64 size)
{
	if (vm->ram_chunks == VM_RAM_CHUNKS)
		return false;
	vm->ram[vm->ram_chunks++] = (struct vm_ram){ at, base, size };
	return true;
}

/* Add a piece at its own address, in the order of addresses, merged with those that it touches. */
static bool insert(struct vm *vm, u64 base, u64 size)
{
	struct vm_ram *r = vm->ram, *end = r + vm->ram_chunks;

	while (r < end && r->pa + r->size < base)
		r++;
	if (r < end && r->pa <= base + size) {
		r->pa = r->ipa = MIN(r->pa, base);
		r->size += size;
		if (r + 1 < end && r->pa + r->size == r[1].pa) {
			r->size += r[1].size;
			memmove(r + 1, r + 2, (size_t)((char *)end - (char *)(r + 2)));
			vm->ram_chunks--;
		}
		return true;
	}
	if (vm->ram_chunks == VM_RAM_CHUNKS)
		return false;
	memmove(r + 1, r, (size_t)((char *)end - (char *)r));
	*r = (struct vm_ram){ base, base, size };
	vm->ram_chunks++;
	return true;
}

/* Choose the piece for the images: the largest, the first of several. */
static void choose_main(struct vm *vm)
{
	const struct vm_ram *best = &vm->ram[0];

	for (u32 i = 1; i < vm->ram_chunks; i++)
		if (vm->ram[i].size > best->size)
			best = &vm->ram[i];
	vm->layout.ram = best->ipa;
	vm->layout.ram_size = best->size;
}

/*
 * RAM of whole pages from `at` on, or where it is in the machine. Take the largest blocks that
 * exist, in falling order: so with addresses of the VM's own each is aligned to its size there too,
 * and there are few.
 */
static const char *take(struct vm *vm, u64 at, u64 bytes)
{
	bool direct = vm->config->direct_map;
	u32 order = PAGE_ORDER_MAX;

	for (u64 left = bytes; left;) {
		u64 base, size;

		order = MIN(order, order_within(left));
		base = page_alloc(order);
		size = PAGE_SIZE << order;
		if (base && !(direct ? insert(vm, base, size)
				     : append(vm, at + bytes - left, base, size))) {
			page_free(base, order);
			return too_little(vm);
		}
		if (base)
			left -= size;
		else if (order-- == 0)
			return too_little(vm);
	}
	return NULL;
}

const char *vm_ram_alloc(struct vm *vm)
{
	const struct vm_config *c = vm->config;
	const char *error = NULL;

	/* A copy of the firmware is where its flash would be. */
	if (c->firmware)
		error = take(vm, 0, ALIGN_UP(c->kernel.size, PAGE_SIZE));
	if (!error)
		error = take(vm, vm->layout.ram, c->mem_size);
	if (error)
		return error;
	vm->layout.ram_size = c->mem_size;
	if (c->direct_map)
		choose_main(vm);
	return NULL;
}

bool vm_ram_free_piece(struct vm *vm)
{
	const struct vm_ram *r;

	if (!vm->ram_chunks)
		return false;
	r = &vm->ram[--vm->ram_chunks];
	page_free_range(r->pa, r->size);
	return true;
}
