/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/kvm.h>

#define BLOCK (2ul << 20)
#define FDT_ROOM BLOCK

/* The header of an arm64 Image, little-endian as this program is. */
struct image {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags, reserved[3];
	char magic[4];
	uint32_t pe;
};

static uint64_t round_up(uint64_t v)
{
	return (v + BLOCK - 1) & ~(BLOCK - 1);
}

/* Read a file to guest address at; returns where it ends. */
static uint64_t load(struct vm *vm, const char *path, uint64_t at)
{
	uint8_t *p = vm->ram + (at - RAM_BASE), *end = vm->ram + vm->ram_bytes;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		die("%s", path);
	while (p < end && (n = read(fd, p, (size_t)(end - p))) > 0)
		p += n;
	if (p >= end || n < 0)
		die("%s does not fit into the guest's RAM or cannot be read", path);
	close(fd);
	return RAM_BASE + (uint64_t)(p - vm->ram);
}

static uint64_t load_kernel(struct vm *vm)
{
	struct image head;
	int fd = open(vm->kernel, O_RDONLY | O_CLOEXEC);
	uint64_t end;

	if (fd < 0 || read(fd, &head, sizeof(head)) != (ssize_t)sizeof(head))
		die("%s", vm->kernel);
	close(fd);
	errno = 0;
	if (memcmp(head.magic, "ARM\x64", 4) || head.image_size > vm->ram_bytes ||
	    head.text_offset >= BLOCK)
		die("%s is no arm64 Image, or is too large", vm->kernel);
	vm->entry = RAM_BASE + head.text_offset;
	end = load(vm, vm->kernel, vm->entry);
	if (end < vm->entry + head.image_size)
		end = vm->entry + head.image_size;
	return round_up(end);
}

/* A mapping that starts on a 2 MiB boundary, as guest RAM does: KVM can then map blocks. */
static void map(struct vm *vm)
{
	uint8_t *p = mmap(NULL, vm->ram_bytes + BLOCK, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("no memory");
	vm->ram = (uint8_t *)round_up((uint64_t)p);
	/* A Linux without huge pages ignores this. */
	madvise(vm->ram, vm->ram_bytes, MADV_HUGEPAGE);
	errno = 0;
}

void ram_init(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = RAM_BASE,
		.memory_size = vm->ram_bytes,
	};
	uint64_t at;

	map(vm);
	region.userspace_addr = (uint64_t)vm->ram;
	must(vm->fd, KVM_SET_USER_MEMORY_REGION, (unsigned long)&region, "guest RAM");
	at = load_kernel(vm);
	if (vm->initrd) {
		vm->initrd_start = at;
		vm->initrd_end = load(vm, vm->initrd, at);
		at = round_up(vm->initrd_end);
	}
	vm->fdt = at;
	if (at + FDT_ROOM > RAM_BASE + vm->ram_bytes)
		die("the guest's RAM is too small");
}
