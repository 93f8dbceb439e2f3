/* SPDX-License-Identifier: Apache-2.0 */
/* Access to a VM's RAM. */
#include "lib/string.h"
#include "mm/page.h"
#include "state/vm.h"

/* The RAM chunk that holds ipa, or NULL. */
static const struct vm_ram *vm_ram_at(const struct vm *vm, u64 at)
{
	for (u32 i = 0; i < vm->ram_chunks; i++)
		if (at - vm->ram[i].ipa < vm->ram[i].size)
			return &vm->ram[i];
	return NULL;
}

/* Copy chunk by chunk over [at, at+n); to or from may be NULL. */
static int vm_copy(struct vm *vm, u64 at, void *to, const void *from, size_t n)
{
	while (n) {
		const struct vm_ram *r = vm_ram_at(vm, at);
		size_t part;
		char *ram;

		if (!r)
			return -EINVAL;
		part = MIN(n, r->size - (at - r->ipa));
		ram = pa_ptr(pa(r->pa + (at - r->ipa)));
		if (to) {
			memcpy(to, ram, part);
			to = (char *)to + part;
		} else {
			memcpy(ram, from, part);
			from = (const char *)from + part;
		}
		at += part;
		n -= part;
	}
	return 0;
}

bool vm_has_ram(const struct vm *vm, ipa_t at)
{
	return vm_ram_at(vm, at.a);
}

int vm_clean(struct vm *vm, ipa_t at, u64 size)
{
	while (size) {
		const struct vm_ram *r = vm_ram_at(vm, at.a);
		u64 part;

		if (!r)
			return -EINVAL;
		part = MIN(size, r->size - (at.a - r->ipa));
		page_clean(r->pa + (at.a - r->ipa), part);
		at.a += part;
		size -= part;
	}
	return 0;
}

int vm_read(struct vm *vm, ipa_t from, void *to, size_t n)
{
	return vm_copy(vm, from.a, to, NULL, n);
}

int vm_write(struct vm *vm, ipa_t to, const void *from, size_t n)
{
	return vm_copy(vm, to.a, NULL, from, n);
}
