/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device trees for unit tests: a machine much like QEMU's virt as source, edited by text
 * replacement, compiled by dtc, and put right before a page that can't be touched.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char dts_machine[] =
	"/dts-v1/;\n"
	"/memreserve/ 0x41000000 0x1000;\n"
	"/ {\n"
	"	interrupt-parent = <&gic>;\n"
	"	#address-cells = <2>;\n"
	"	#size-cells = <2>;\n"
	"	compatible = \"linux,dummy-virt\";\n"
	"	psci { compatible = \"arm,psci-1.0\", \"arm,psci-0.2\"; method = \"smc\"; };\n"
	"	memory@40000000 { device_type = \"memory\";\n"
	"		reg = <0 0x40000000 0 0x40000000>; };\n"
	"	reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n"
	"		secure@42000000 { reg = <0 0x42000000 0 0x200000>; no-map; };\n"
	"		pool { size = <0 0x100000>; };\n"
	"	};\n"
	"	cpus { #address-cells = <1>; #size-cells = <0>;\n"
	"		cpu@0 { device_type = \"cpu\"; compatible = \"arm,armv8\"; reg = <0>; };\n"
	"		cpu@1 { device_type = \"cpu\"; compatible = \"arm,armv8\"; reg = <1>; };\n"
	"		cpu@100 { device_type = \"cpu\"; compatible = \"arm,armv8\"; reg = <0x100>;\n"
	"			status = \"okay\"; };\n"
	"		cpu@101 { device_type = \"cpu\"; compatible = \"arm,armv8\"; reg = <0x101>;\n"
	"			status = \"disabled\"; };\n"
	"	};\n"
	"	gic: intc@8000000 { compatible = \"arm,gic-v3\"; interrupt-controller;\n"
	"		#interrupt-cells = <3>; #address-cells = <2>; #size-cells = <2>; ranges;\n"
	"		#redistributor-regions = <1>;\n"
	"		reg = <0 0x8000000 0 0x10000>, <0 0x80a0000 0 0xf60000>;\n"
	"		interrupts = <1 9 4>;\n"
	"		its@8080000 { compatible = \"arm,gic-v3-its\"; reg = <0 0x8080000 0 0x20000>; };\n"
	"	};\n"
	"	timer { compatible = \"arm,armv8-timer\", \"arm,armv7-timer\";\n"
	"		interrupts = <1 13 4>, <1 14 4>, <1 11 4>, <1 10 4>, <1 12 4>; };\n"
	"	clk: apb-pclk { compatible = \"fixed-clock\"; #clock-cells = <0>;\n"
	"		clock-frequency = <24000000>; };\n"
	"	fast: fast-clk { compatible = \"fixed-clock\"; #clock-cells = <0>;\n"
	"		clock-frequency = <100000000>; };\n"
	"	pll: pll { compatible = \"acme,pll\"; #clock-cells = <1>; };\n"
	"	pl011@9000000 { compatible = \"arm,pl011\", \"arm,primecell\";\n"
	"		reg = <0 0x9000000 0 0x1000>; interrupts = <0 1 4>;\n"
	"		clocks = <&clk>, <&clk>; clock-names = \"uartclk\", \"apb_pclk\"; };\n"
	"	pl031@9010000 { compatible = \"arm,pl031\", \"arm,primecell\";\n"
	"		reg = <0 0x9010000 0 0x1000>; interrupts = <0 2 4>;\n"
	"		clocks = <&clk>; clock-names = \"apb_pclk\"; };\n"
	"	serial2: pl011@9040000 { compatible = \"arm,pl011\", \"arm,primecell\";\n"
	"		reg = <0 0x9040000 0 0x1000>; interrupts = <0 8 4>; };\n"
	"	virtio_mmio@a003a00 { compatible = \"virtio,mmio\"; dma-coherent;\n"
	"		reg = <0 0xa003a00 0 0x200>; interrupts = <0 45 1>; };\n"
	"	virtio_mmio@a003c00 { compatible = \"virtio,mmio\"; dma-coherent;\n"
	"		reg = <0 0xa003c00 0 0x200>; interrupts = <0 46 1>; };\n"
	"	virtio_mmio@a003e00 { compatible = \"virtio,mmio\"; dma-coherent;\n"
	"		reg = <0 0xa003e00 0 0x200>; interrupts = <0 47 1>; };\n"
	"	soc { compatible = \"simple-bus\"; #address-cells = <1>; #size-cells = <1>;\n"
	"		ranges = <0x0 0 0x10000000 0x100000>, <0x100000 0 0x20000000 0x100000>;\n"
	"		dma-coherent;\n"
	"		gadget@1000 { compatible = \"acme,gadget\"; acme,mode = <3>;\n"
	"			reg = <0x1000 0x1000>, <0x101000 0x100>;\n"
	"			interrupts-extended = <&gic 0 60 4>, <&gic 0 61 1>;\n"
	"			clocks = <&fast>, <&clk>; clock-names = \"core\", \"bus\";\n"
	"			vdd-supply = <&pll>; reset-gpios = <&pll 1>; };\n"
	"		odd@2000 { compatible = \"acme,odd\"; reg = <0x2000 0x1000>;\n"
	"			clocks = <&pll 3>; clock-names = \"core\"; interrupts = <1 7 4>; };\n"
	"		quiet@3000 { compatible = \"acme,quiet\"; reg = <0x3000 0x1000>;\n"
	"			clocks = <&pll 3>; clock-names = \"core\"; };\n"
	"		off@4000 { compatible = \"acme,off\"; reg = <0x4000 0x1000>;\n"
	"			status = \"disabled\"; };\n"
	"		twin@5000 { compatible = \"acme,twin\"; reg = <0x5000 0x1000>;\n"
	"			interrupts = <0 2 4>; };\n"
	"		far@900000 { compatible = \"acme,far\"; reg = <0x900000 0x1000>; };\n"
	"	};\n"
	"	aliases { serial0 = \"/pl011@9000000\"; disk = \"/virtio_mmio@a003e00\"; };\n"
	"	chosen { bootargs = \"nidus.x\"; stdout-path = \"serial0:115200\"; /*CHOSEN*/ };\n"
	"};\n";

/* A copy of source with the first `from` replaced; the test fails if there is none. */
static inline char *dts_edit(const char *source, const char *from, const char *to)
{
	const char *at = strstr(source, from);
	char *out;

	if (!at) {
		fprintf(stderr, "dts_edit: \"%s\" is not in the source\n", from);
		abort();
	}
	out = malloc(strlen(source) + strlen(to) + 1);
	sprintf(out, "%.*s%s%s", (int)(at - source), source, to, at + strlen(from));
	return out;
}

#define GUARD_SPAN 0x200000UL

/* Memory for size bytes (a multiple of 8 to be exact) behind which nothing can be read. */
static inline void *guard_place(size_t size)
{
	static char *end;

	if (!end) {
		char *p = mmap(NULL, GUARD_SPAN + 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || mprotect(p + GUARD_SPAN, 4096, PROT_NONE))
			abort();
		end = p + GUARD_SPAN;
	}
	return end - ((size + 7) & ~7UL);
}

/* Run dtc over a file; its messages go to the test's own stderr. */
static inline void dts_run(const char *command)
{
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		abort();
	}
}

/* Compile; the tree is padded to a multiple of 8 bytes. The caller frees it. */
static inline void *dts_compile(const char *source, size_t *size)
{
	char dts[] = "/tmp/nidus-dts-XXXXXX", dtb[64], command[256];
	int fd = mkstemp(dts);
	void *tree;
	FILE *f;
	long n;

	if (fd < 0 || write(fd, source, strlen(source)) != (ssize_t)strlen(source))
		abort();
	close(fd);
	snprintf(dtb, sizeof(dtb), "%s.dtb", dts);
	snprintf(command, sizeof(command), "dtc -q -f -a 8 -I dts -O dtb -o %s %s", dtb, dts);
	dts_run(command);
	f = fopen(dtb, "rb");
	if (!f || fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0)
		abort();
	rewind(f);
	tree = malloc((size_t)n);
	if (!tree || fread(tree, 1, (size_t)n, f) != (size_t)n)
		abort();
	fclose(f);
	unlink(dts);
	unlink(dtb);
	*size = (size_t)n;
	return tree;
}

/* Compile, and put the result before the guard page; valid until the next call. */
static inline void *dts_tree(const char *source, size_t *size)
{
	void *tree = dts_compile(source, size), *at = guard_place(*size);

	memcpy(at, tree, *size);
	free(tree);
	return at;
}

/* xorshift64*: the same sequence on every run. */
static inline uint64_t dts_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dUL;
}
