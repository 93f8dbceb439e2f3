/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a kernel file: the arm64 Image header (Linux: Documentation/arch/arm64/booting),
 * ELF64 program headers, or a raw binary. The file is not trusted: every number is bounded first.
 */
#include <stdarg.h>

#include "vm/image.h"

#include "lib/log.h"
#include "lib/string.h"

#define IMAGE_MAGIC 0x644d5241u /* "ARM\x64" at 56 */
#define IMAGE_HEADER_SIZE 64
#define IMAGE_ALIGN MIB(2)
#define IMAGE_OLD_OFFSET 0x80000UL /* of kernels without an image_size, and of raw binaries */

#define EFI_MAGIC 0x5a4d /* "MZ" */

#define ELF_MAGIC 0x464c457fu
#define ELF_HEADER_SIZE 64
#define ELF_PHDR_SIZE 56
#define ELF_PHDRS_MAX 64
#define ELF_ET_EXEC 2
#define ELF_ET_DYN 3
#define ELF_EM_AARCH64 183
#define ELF_PT_LOAD 1

struct file {
	const u8 *data;
	u64 size;
	u64 ram, ram_size;
};

struct elf_phdr {
	u64 type, offset, vaddr, paddr, filesz, memsz;
};

static __attribute__((format(printf, 1, 2))) const char *fail(const char *fmt, ...)
{
	static char line[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return line;
}

/* n bytes at an offset that the caller has bounded, little-endian. */
static u64 file_read(const struct file *f, u64 offset, u32 n)
{
	u64 v = 0;

	while (n--)
		v = v << 8 | f->data[offset + n];
	return v;
}

/* Whether [at, at+size) lies in RAM. */
static bool in_ram(const struct file *f, u64 at, u64 size)
{
	return at >= f->ram && at - f->ram <= f->ram_size && size <= f->ram_size - (at - f->ram);
}

static void add_segment(struct image *out, u64 offset, u64 filesz, u64 ipa, u64 memsz)
{
	out->segment[out->segments++] = (struct image_segment){ offset, filesz, ipa, memsz };
	out->end = MAX(out->end, ipa + memsz);
}

/* One segment that holds the whole file. */
static const char *plan_flat(struct image *out, const struct file *f, u64 ipa, u64 memsz)
{
	if (!in_ram(f, ipa, memsz))
		return fail("expected at most 0x%lx bytes of memory from 0x%lx on, found a "
			    "kernel of 0x%lx at 0x%lx",
			    f->ram_size, f->ram, memsz, ipa);
	add_segment(out, 0, f->size, ipa, memsz);
	out->entry = ipa;
	return NULL;
}

static const char *plan_arm64(struct image *out, const struct file *f)
{
	u64 text_offset = file_read(f, 8, 8), image_size = file_read(f, 16, 8);
	u64 flags = file_read(f, 24, 8), base = ALIGN_UP(f->ram, IMAGE_ALIGN);

	out->kind = IMAGE_ARM64;
	if (flags & 1)
		return fail("Image header: flags: expected a little-endian kernel (bit 0 clear), "
			    "found 0x%lx",
			    flags);
	/*
	 * Before Linux 3.17 the header had no image_size, and text_offset had no fixed endianness.
	 */
	if (image_size == 0) {
		text_offset = IMAGE_OLD_OFFSET;
		image_size = f->size;
	}
	if (image_size < f->size)
		return fail("Image header: image_size: expected at least the file's 0x%lx bytes, "
			    "found 0x%lx",
			    f->size, image_size);
	if (text_offset & 3)
		return fail("Image header: text_offset: expected a multiple of 4, found 0x%lx",
			    text_offset);
	if (base < f->ram || text_offset >= f->ram_size)
		return fail("Image header: text_offset: expected less than the memory's 0x%lx "
			    "bytes, found 0x%lx",
			    f->ram_size, text_offset);
	return plan_flat(out, f, base + text_offset, image_size);
}

static const char *check_elf_header(const struct file *f)
{
	u64 e_type = file_read(f, 16, 2), e_machine = file_read(f, 18, 2);
	u64 phoff = file_read(f, 32, 8), phentsize = file_read(f, 54, 2),
	    phnum = file_read(f, 56, 2);

	if (file_read(f, 4, 2) != 0x0102)
		return fail("ELF header: expected class 2 (64-bit) and data 1 (little-endian), "
			    "found %lu and %lu",
			    file_read(f, 4, 1), file_read(f, 5, 1));
	if (e_machine != ELF_EM_AARCH64)
		return fail("ELF header: e_machine: expected %d (AArch64), found %lu",
			    ELF_EM_AARCH64, e_machine);
	if (e_type != ELF_ET_EXEC && e_type != ELF_ET_DYN)
		return fail("ELF header: e_type: expected 2 (EXEC) or 3 (DYN), found %lu", e_type);
	if (phentsize != ELF_PHDR_SIZE)
		return fail("ELF header: e_phentsize: expected %d, found %lu", ELF_PHDR_SIZE,
			    phentsize);
	if (phnum < 1 || phnum > ELF_PHDRS_MAX)
		return fail("ELF header: e_phnum: expected 1 to %d, found %lu", ELF_PHDRS_MAX,
			    phnum);
	if (phoff > f->size || phnum * ELF_PHDR_SIZE > f->size - phoff)
		return fail("ELF header: e_phoff: expected program headers inside the file's "
			    "0x%lx bytes, found %lu at 0x%lx",
			    f->size, phnum, phoff);
	return NULL;
}

static struct elf_phdr read_phdr(const struct file *f, u32 i)
{
	u64 at = file_read(f, 32, 8) + (u64)i * ELF_PHDR_SIZE;

	return (struct elf_phdr){
		.type = file_read(f, at, 4),
		.offset = file_read(f, at + 8, 8),
		.vaddr = file_read(f, at + 16, 8),
		.paddr = file_read(f, at + 24, 8),
		.filesz = file_read(f, at + 32, 8),
		.memsz = file_read(f, at + 40, 8),
	};
}

static const char *plan_elf_segment(struct image *out, const struct file *f, u32 i,
				    const struct elf_phdr *ph)
{
	if (ph->offset > f->size || ph->filesz > f->size - ph->offset)
		return fail("ELF segment %u: expected it inside the file's 0x%lx bytes, found "
			    "0x%lx at 0x%lx",
			    i, f->size, ph->filesz, ph->offset);
	if (ph->filesz > ph->memsz)
		return fail("ELF segment %u: p_memsz: expected at least p_filesz 0x%lx, found "
			    "0x%lx",
			    i, ph->filesz, ph->memsz);
	if (!in_ram(f, ph->paddr, ph->memsz))
		return fail("ELF segment %u: p_paddr: expected memory 0x%lx + 0x%lx, found 0x%lx "
			    "+ 0x%lx",
			    i, f->ram, f->ram_size, ph->paddr, ph->memsz);
	if (out->segments == IMAGE_SEGMENTS_MAX)
		return fail("ELF header: expected at most %d segments to load, found more",
			    IMAGE_SEGMENTS_MAX);
	for (u32 j = 0; j < out->segments; j++) {
		const struct image_segment *s = &out->segment[j];

		if (ph->paddr < s->ipa + s->memsz && s->ipa < ph->paddr + ph->memsz)
			return fail("ELF segment %u: expected no overlap, found 0x%lx + 0x%lx "
				    "and 0x%lx + 0x%lx",
				    i, ph->paddr, ph->memsz, s->ipa, s->memsz);
	}
	add_segment(out, ph->offset, ph->filesz, ph->paddr, ph->memsz);
	return NULL;
}

static const char *plan_elf(struct image *out, const struct file *f)
{
	const char *err = check_elf_header(f);
	bool entry_found = false;
	u64 entry;

	out->kind = IMAGE_ELF;
	if (err)
		return err;
	entry = file_read(f, 24, 8);
	for (u32 i = 0; i < file_read(f, 56, 2); i++) {
		struct elf_phdr ph = read_phdr(f, i);

		if (ph.type != ELF_PT_LOAD || ph.memsz == 0)
			continue;
		err = plan_elf_segment(out, f, i, &ph);
		if (err)
			return err;
		/* e_entry is virtual; the guest starts with its MMU off. */
		if (!entry_found && entry >= ph.vaddr && entry - ph.vaddr < ph.filesz) {
			out->entry = entry - ph.vaddr + ph.paddr;
			entry_found = true;
		}
	}
	if (!out->segments)
		return fail("ELF header: expected a segment to load, found none");
	if (!entry_found || out->entry & 3)
		return fail("ELF header: e_entry: expected an instruction inside a segment, "
			    "found 0x%lx",
			    entry);
	return NULL;
}

/* Compressed formats that other loaders unpack and nidus does not; NULL: none of them. */
static const char *wrapping(const struct file *f)
{
	static const struct {
		u32 bytes;
		u64 magic;
		const char *name;
	} known[] = {
		{ 2, 0x8b1f, "a gzip file" },
		{ 4, 0xfd2fb528, "a zstd file" },
		{ 6, 0x005a587a37fd, "an xz file" },
		{ 2, EFI_MAGIC,
		  "an EFI application (compressed kernel?) without an arm64 Image header" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (f->size >= known[i].bytes && file_read(f, 0, known[i].bytes) == known[i].magic)
			return known[i].name;
	return NULL;
}

bool image_is_kernel(const void *data, u64 size)
{
	const struct file f = { .data = data, .size = size };

	if (size < IMAGE_HEADER_SIZE)
		return false;
	return file_read(&f, 56, 4) == IMAGE_MAGIC || file_read(&f, 0, 4) == ELF_MAGIC ||
	       file_read(&f, 0, 2) == EFI_MAGIC;
}

const char *image_plan(struct image *out, const void *data, u64 size, u64 ram, u64 ram_size)
{
	const struct file f = { data, size, ram, ram_size };
	const char *wrapped;

	memset(out, 0, sizeof(*out));
	if (size < 4)
		return fail("expected at least one instruction, found %lu bytes", size);
	if (size >= IMAGE_HEADER_SIZE && file_read(&f, 56, 4) == IMAGE_MAGIC)
		return plan_arm64(out, &f);
	if (file_read(&f, 0, 4) == ELF_MAGIC) {
		if (size < ELF_HEADER_SIZE)
			return fail("ELF header: expected %d bytes, found %lu", ELF_HEADER_SIZE,
				    size);
		return plan_elf(out, &f);
	}
	wrapped = wrapping(&f);
	if (wrapped)
		return fail("expected an arm64 Image, an ELF or a raw binary, found %s", wrapped);
	out->kind = IMAGE_RAW;
	return plan_flat(out, &f, ram + IMAGE_OLD_OFFSET, size);
}
