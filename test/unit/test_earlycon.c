/* SPDX-License-Identifier: Apache-2.0 */
/* The early console, found in a device tree: trees by dtc, damaged ones, the words of Linux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/earlycon.h"
#include "dts.h"

#define TREE                                                                                           \
	"/dts-v1/;\n/ {\n	#address-cells = <2>; #size-cells = <2>;\n"                                  \
	"	chosen { bootargs = \"BOOTARGS\"; stdout-path = \"PATH\"; };\n"                              \
	"	aliases { serial0 = \"/soc/bus@0/uart@1000\"; serial1 = \"/uart@9000\"; };\n"                \
	"	uart@9000 { compatible = \"acme,uart\", \"arm,pl011\"; reg = <1 0x9000 0 0x1000>; };\n"      \
	"	uart@90 { compatible = \"arm,pl011\"; reg = <0 0x90 0 0x1000>; };\n"                         \
	"	sbsa@2 { compatible = \"arm,sbsa-uart\"; reg = <0 0x20000 0 0x1000>; };\n"                   \
	"	off@3 { compatible = \"arm,pl011\"; reg = <0 0x30000 0 0x1000>; status = \"disabled\"; };\n" \
	"	other@4 { compatible = \"acme,uart\"; reg = <0 0x40000 0 0x1000>; };\n"                      \
	"	wide@5 { compatible = \"ns16550a\"; reg = <0 0x50000 0 0x100>; reg-shift = <1>;\n"           \
	"		reg-io-width = <4>; };\n"                                                                   \
	"	soc { #address-cells = <1>; #size-cells = <1>; ranges;\n"                                    \
	"		bus@0 { #address-cells = <1>; #size-cells = <1>; ranges;\n"                                 \
	"			uart@1000 { compatible = \"snps,dw-apb-uart\"; reg = <0x71000 0x100>;\n"                   \
	"				reg-shift = <2>; reg-io-width = <4>; }; };\n"                                             \
	"		moved { #address-cells = <1>; #size-cells = <1>; ranges = <0 0x80000 0x1000>;\n"            \
	"			uart@0 { compatible = \"arm,pl011\"; reg = <0 0x100>; }; };\n"                             \
	"		none { #address-cells = <1>; #size-cells = <1>;\n"                                          \
	"			uart@0 { compatible = \"arm,pl011\"; reg = <0 0x100>; }; };\n"                             \
	"	};\n};\n"

static const void *tree(const char *bootargs, const char *path, size_t *size)
{
	char *one = dts_edit(TREE, "BOOTARGS", bootargs), *two = dts_edit(one, "PATH", path);
	const void *fdt = dts_tree(two, size);

	free(one);
	free(two);
	return fdt;
}

static struct uart_place at;

static enum earlycon find(const char *bootargs, const char *path)
{
	size_t size;
	const void *fdt = tree(bootargs, path, &size);

	memset(&at, 0, sizeof(at));
	return earlycon_find(fdt, 1UL << 21, &at);
}

static void by_path(void **state)
{
	(void)state;
	assert_int_equal(find("", "/uart@9000"), EARLYCON_FOUND);
	assert_true(at.base == 0x100009000 && at.kind == UART_PL011);
	assert_int_equal(find("", "/uart@90:115200n8"), EARLYCON_FOUND); /* not its neighbour */
	assert_true(at.base == 0x90);
	assert_int_equal(find("", "/sbsa@2"), EARLYCON_FOUND);
	assert_true(at.base == 0x20000 && at.kind == UART_SBSA);
	assert_int_equal(find("", "serial1:9600"), EARLYCON_FOUND);
	assert_true(at.base == 0x100009000);
	assert_int_equal(find("", "serial0"), EARLYCON_FOUND);
	assert_true(at.base == 0x71000 && at.kind == UART_8250 && at.shift == 2 && at.width == 4);
}

static void none(void **state)
{
	static const char *const paths[] = {
		"/off@3",
		"/other@4",
		"/wide@5",
		"/soc/moved/uart@0",
		"/soc/none/uart@0",
		"/uart@",
		"/uart@9000/x",
		"/soc",
		"/",
		"",
		"serial2",
		"serial",
		"/nothing",
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(paths); i++)
		if (find("", paths[i]) != EARLYCON_NONE)
			fail_msg("%s: 0x%lx", paths[i], at.base);
}

/* Documentation of Linux's kernel parameters: earlycon=. */
static const struct {
	const char *words;
	u64 base; /* 0: none */
	enum uart_kind kind;
	u32 shift, width;
} words[] = {
	{ "earlycon=pl011,0x9000000", 0x9000000, UART_PL011, 0, 1 },
	{ "stats earlycon=pl011,mmio32,0x9000000,115200 simd.chaos", 0x9000000, UART_PL011, 0, 1 },
	{ "earlycon=uart8250,mmio,0xFE001000", 0xfe001000, UART_8250, 0, 1 },
	{ "earlycon=uart8250,mmio32,0xfe001000,115200n8", 0xfe001000, UART_8250, 2, 4 },
	{ "earlycon=uart,mmio32,0x1fe001000", 0x1fe001000, UART_8250, 2, 4 },
	{ "earlycon=ns16550a,0x1000 stats", 0x1000, UART_8250, 0, 1 },
	{ "earlycon=pl011,0x1000 earlycon=pl011,0x2000", 0x2000, UART_PL011, 0, 1 },
	{ "earlycon=pl011,9000000", 0, 0, 0, 0 },
	{ "earlycon=pl011,0x", 0, 0, 0, 0 },
	{ "earlycon=pl011", 0, 0, 0, 0 },
	{ "earlycon=pl011,0x90z", 0, 0, 0, 0 },
	{ "earlycon=pl011,0x12345678123456789", 0, 0, 0, 0 },
	{ "earlycon=pl011,io,0x3f8", 0, 0, 0, 0 },
	{ "earlycon=acme,0x1000", 0, 0, 0, 0 },
	{ "earlycon=", 0, 0, 0, 0 },
};

static void by_word(void **state)
{
	int len;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		enum earlycon found = find(words[i].words, "/uart@90");

		/* What is not understood counts as not said. */
		if (found != EARLYCON_FOUND || (!words[i].base && at.base != 0x90) ||
		    !earlycon_refused(words[i].words, &len) != !!words[i].base)
			fail_msg("%s: %d, 0x%lx", words[i].words, found, at.base);
		if (words[i].base && (at.base != words[i].base || at.kind != words[i].kind ||
				      at.shift != words[i].shift || at.width != words[i].width))
			fail_msg("%s: 0x%lx, %d, %u, %u", words[i].words, at.base, at.kind,
				 at.shift, at.width);
	}
	/* Alone it is the console's, as without it; within another word it is none. */
	assert_int_equal(find("earlycon", "/uart@90"), EARLYCON_FOUND);
	assert_true(at.base == 0x90);
	assert_string_equal(earlycon_refused("a earlycon=x,1 b", &len), "x,1 b");
	assert_int_equal(len, 3);
	assert_null(earlycon_refused("earlycon stats", &len));
	assert_null(earlycon_refused(NULL, &len));
	assert_int_equal(find("noearlycon=pl011,0x1000", "/uart@90"), EARLYCON_FOUND);
	assert_true(at.base == 0x90);
}

static void unreadable(void **state)
{
	u8 zero[64] = { 0 };
	size_t size;
	const u8 *fdt = tree("", "/uart@9000", &size);

	(void)state;
	assert_int_equal(earlycon_find(NULL, 1UL << 21, &at), EARLYCON_UNREADABLE);
	assert_int_equal(earlycon_find(zero, sizeof(zero), &at), EARLYCON_UNREADABLE);
	assert_int_equal(earlycon_find(fdt, 39, &at), EARLYCON_UNREADABLE);
	/* Cut off: what is there may be enough, and nothing behind it is read. */
	for (u64 n = 40; n < size; n++) {
		u8 *part = malloc(n);

		memcpy(part, fdt, n);
		assert_int_not_equal(earlycon_find(part, n, &at), EARLYCON_NONE);
		free(part);
	}
}

/* Damaged in any byte: no access outside (ASan), no endless walk. */
static void damaged(void **state)
{
	u64 seed = 1;
	size_t size;
	const u8 *fdt = tree("earlycon", "serial0:1", &size);
	u8 *copy = malloc(size);

	(void)state;
	for (u32 i = 0; i < 20000; i++) {
		memcpy(copy, fdt, size);
		for (u32 k = 0; k <= i % 4; k++) {
			seed = seed * 6364136223846793005UL + 1442695040888963407UL;
			copy[(seed >> 33) % size] = (u8)(seed >> 56);
		}
		/* Its size may be larger now, the blob is not. */
		(void)earlycon_find(copy, size, &at);
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_path),    cmocka_unit_test(none),    cmocka_unit_test(by_word),
		cmocka_unit_test(unreadable), cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("earlycon", tests, NULL, NULL);
}
