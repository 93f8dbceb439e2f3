/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All CPUs write the configuration space of a VM's PCI functions at once: bits, bytes and words at
 * random (seed=N, n=N each), and read where BARs may be. What must not change does not, RAM is RAM,
 * and then the functions are as they were.
 */
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/random.h"
#include "lib/suite.h"

const char guest_name[] = "pcifuzz";

#define FUNCTIONS_MAX 16
#define WORDS 64
#define CFG_COMMAND 0x04
#define CFG_BAR0 0x10
#define CFG_LINE_SIZE 0x0c
#define CFG_CAPS 0x34
#define CFG_INTERRUPT 0x3c
#define COMMAND_MEMORY 2u
#define CAP_POWER 0x01
#define CAP_MSI 0x05
#define CAP_MSIX 0x11
#define MSI_ENABLE (1u << 16)
#define MSI_MULTIPLE (7u << 20)
#define MSI_64BIT (1u << 23)
#define MSI_MASKS (1u << 24)
#define EDU_ID 0x11e81234u
#define EDU_REVISION 0x010000edu

static struct {
	u64 cfg;
	u32 word[WORDS]; /* as the first CPU has found it */
	u32 mask[WORDS]; /* bits behind the header that can be written */
} fns[FUNCTIONS_MAX];
static u32 fn_count;
static u64 seeds[GUEST_CPUS_MAX];
static volatile u32 changes, strange; /* of what can't be written; of RAM */
static u64 ram[4096 / 8] __attribute__((aligned(4096)));

static u64 rnd(void)
{
	return random_next(&seeds[cpu_self()->index]);
}

/* The capabilities with bits to write: power state, MSI, MSI-X. */
static void find_writable(u32 fn)
{
	const u32 *word = fns[fn].word;
	u32 *mask = fns[fn].mask, at = word[CFG_CAPS / 4] & 0xfc;

	for (u32 n = 0; at && n < WORDS; n++, at = word[at / 4] >> 8 & 0xfc) {
		u32 w = at / 4, id = word[w] & 0xff, data = word[w] & MSI_64BIT ? w + 3 : w + 2;

		if (id == CAP_POWER) {
			mask[w + 1] = 3;
		} else if (id == CAP_MSIX) {
			mask[w] = 3u << 30; /* enable, function mask */
		} else if (id == CAP_MSI) {
			mask[w] = MSI_ENABLE | MSI_MULTIPLE;
			mask[w + 1] = ~3u;
			mask[data - 1] |= data == w + 3 ? ~0u : 0;
			mask[data] = 0xffff;
			if (word[w] & MSI_MASKS)
				mask[data + 1] = ~0u;
		}
	}
}

static void find_functions(void)
{
	for (u32 i = 0; i < 32 && fn_count < FUNCTIONS_MAX; i++) {
		u64 cfg = dt.pci.ecam + ((u64)i << 15);

		if (read32(cfg) == ~0u)
			continue;
		fns[fn_count].cfg = cfg;
		for (u32 w = 0; w < WORDS; w++)
			fns[fn_count].word[w] = read32(cfg + 4 * w);
		find_writable(fn_count);
		fn_count++;
	}
}

/* Bits of a word that a guest can change, and the interrupt's that changes by itself. */
static u32 changeable(u32 word)
{
	if (word == CFG_COMMAND / 4)
		return 0x0008ffff;
	if (word >= CFG_BAR0 / 4 && word < CFG_BAR0 / 4 + 6)
		return ~0xfu;
	return word == CFG_LINE_SIZE / 4 || word == CFG_INTERRUPT / 4 ? 0xff : 0;
}

static bool is_same(u32 fn, u32 word, u32 v)
{
	u32 differs = (v ^ fns[fn].word[word]) & ~changeable(word);

	return !(differs & ~fns[fn].mask[word]);
}

/* Of BARs of 64 bits the upper half has no bits that stay. */
static bool is_bar(u32 word)
{
	return word >= CFG_BAR0 / 4 && word < CFG_BAR0 / 4 + 6;
}

static void one_write(u64 at, u32 size)
{
	u64 v = rnd();

	at &= ~((u64)size - 1);
	if (v & 1) { /* one bit */
		u32 bit = 1u << (v >> 8) % (8 * size);

		if (size == 1)
			write8(at, (u8)(read8(at) ^ bit));
		else if (size == 2)
			write16(at, (u16)(read16(at) ^ bit));
		else
			write32(at, read32(at) ^ bit);
		return;
	}
	v = v & 2 ? ~0UL : v >> 3;
	if (size == 1)
		write8(at, (u8)v);
	else if (size == 2)
		write16(at, (u16)v);
	else
		write32(at, (u32)v);
}

static void check_word(u32 fn)
{
	u32 word = (u32)(rnd() % WORDS), v = read32(fns[fn].cfg + 4 * word);

	if (!is_bar(word) && !is_same(fn, word, v))
		changes = changes + 1;
}

/* Where BARs may be: what is there may be nothing. */
static void look(void)
{
	struct trap t = { 0 };

	trap_arm(&t);
	(void)read32(dt.pci.low + (rnd() % 64) * MIB(1));
	trap_disarm();
}

static void fuzz(u32 index)
{
	u64 count = dt_arg("n", 20000);

	(void)index;
	for (u64 i = 0; i < count; i++) {
		u64 r = rnd(), fn = (r >> 8) % fn_count, at = fns[fn].cfg;

		at += r >> 16 & (r >> 40 & 15 ? 0x3f : r >> 44 & 1 ? 0xff : 0xfff);
		if (!(r >> 48 & 0xff))
			at = dt.pci.ecam + (r >> 16) % MIB(1);
		/* A place where a BAR can be, and the next one's. */
		if (!(r >> 56 & 3)) {
			write32(fns[fn].cfg + CFG_BAR0, (u32)(dt.pci.low + (r >> 16) % 64 * MIB(1)));
			write16(fns[fn].cfg + CFG_COMMAND, COMMAND_MEMORY);
		}
		one_write(at, 1u << r % 3);
		check_word((u32)fn);
		look();
		if (ram[r % (sizeof(ram) / 8)] != 0x5a5a5a5a5a5a5a5aUL)
			strange = strange + 1;
	}
}

static void test_together(void)
{
	for (u32 i = 0; i < GUEST_CPUS_MAX; i++)
		seeds[i] = dt_arg("seed", 1) << 8 | i;
	memset(ram, 0x5a, sizeof(ram));
	expect(smp_run_all(fuzz, 10 * PATIENCE_US), "a CPU did not end");
	expect_eq(changes, 0, "changes of what can't be written");
	expect_eq(strange, 0, "changes of RAM");
}

/* All off, then each at a place of its own: edu answers, whatever was written. */
static void test_as_before(void)
{
	for (u32 i = 0; i < fn_count; i++)
		write16(fns[i].cfg + CFG_COMMAND, 0);
	for (u32 i = 0; i < fn_count; i++)
		for (u32 w = 0; w < WORDS; w++)
			expect(is_bar(w) || is_same(i, w, read32(fns[i].cfg + 4 * w)),
			       "function %u: word 0x%x has changed", i, 4 * w);
	for (u32 i = 0; i < fn_count; i++) {
		if (fns[i].word[0] != EDU_ID)
			continue;
		write32(fns[i].cfg + CFG_BAR0, (u32)dt.pci.low);
		write16(fns[i].cfg + CFG_COMMAND, COMMAND_MEMORY);
		expect_eq(read32(dt.pci.low), EDU_REVISION, "edu's ID register");
		write16(fns[i].cfg + CFG_COMMAND, 0);
	}
}

/* All first BARs in one place: one is there, whose it was first; it is the same for all later ones. */
static void test_over_one_another(void)
{
	for (u32 i = 0; i < fn_count; i++) {
		for (u32 b = 0; b < 6; b++)
			write32(fns[i].cfg + CFG_BAR0 + 4 * b, b & 1 ? 0 : (u32)dt.pci.low);
		write16(fns[i].cfg + CFG_COMMAND, COMMAND_MEMORY);
		expect_eq(read32(fns[i].cfg), fns[i].word[0], "ID");
	}
	if (fns[0].word[0] == EDU_ID)
		expect_eq(read32(dt.pci.low), EDU_REVISION, "edu's ID register");
	for (u32 i = 0; i < fn_count; i++)
		write16(fns[i].cfg + CFG_COMMAND, 0);
}

/* At the start of the low window: a BAR, or the lower half of one. */
static void place(u32 fn, u32 bar)
{
	u64 at = fns[fn].cfg + CFG_BAR0 + 4 * bar;

	write16(fns[fn].cfg + CFG_COMMAND, 0);
	write32(at, (u32)dt.pci.low);
	if (fns[fn].word[CFG_BAR0 / 4 + bar] & 4)
		write32(at + 4, 0);
	write16(fns[fn].cfg + CFG_COMMAND, COMMAND_MEMORY);
}

/* Each size, aligned and not; a trap is an answer as well. */
static void every_size(u64 at)
{
	struct trap t = { 0 };

	for (u64 k = 0; k < 8; k++) {
		trap_arm(&t);
		(void)read8(at + k);
		(void)read16(at + (k & ~1UL));
		(void)read32(at + (k & ~3UL));
		(void)read64(at);
		write8(at + k, 0);
		write16(at + (k & ~1UL), 0);
		write32(at + (k & ~3UL), 0);
		write64(at, 0);
		trap_disarm();
	}
}

/* The table and the pending bits of MSI-X, which a device may refuse to show in bytes. */
static void test_narrow(void)
{
	u32 found = 0;

	for (u32 i = 0; i < fn_count; i++) {
		const u32 *word = fns[i].word;
		u32 at = word[CFG_CAPS / 4] & 0xfc;

		for (u32 n = 0; at && n < WORDS && (word[at / 4] & 0xff) != CAP_MSIX; n++)
			at = word[at / 4] >> 8 & 0xfc;
		if (!at)
			continue;
		found++;
		for (u32 k = 1; k <= 2; k++) {
			place(i, word[at / 4 + k] & 7);
			every_size(dt.pci.low + (word[at / 4 + k] & ~7u));
		}
		place(i, word[at / 4 + 1] & 7);
		expect_eq(read32(dt.pci.low + (word[at / 4 + 1] & ~7u) + 12), 1, "a mask");
		write16(fns[i].cfg + CFG_COMMAND, 0);
	}
	expect(found, "no function has MSI-X");
}

static const struct suite_test tests[] = {
	{ "narrow", test_narrow, 1 },
	{ "together", test_together, 1 },
	{ "as before", test_as_before, 1 },
	{ "over one another", test_over_one_another, 1 },
	{ "as before, again", test_as_before, 1 },
};

void guest_main(void)
{
	test_begin("find");
	if (dt.pci.ecam)
		find_functions();
	expect(fn_count, "there is no function");
	gic_dist_init();
	gic_cpu_init();
	if (!test_failed())
		suite_run(tests, ARRAY_SIZE(tests), NULL);
	print("pcifuzz: %u functions, %u CPUs\n", fn_count, dt.cpu_count);
}
