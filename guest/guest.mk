# SPDX-License-Identifier: Apache-2.0
# The guest programs: build/guest/NAME.bin, each an arm64 Image. Included by the Makefile.
B ?= build
CROSS ?= aarch64-linux-gnu-
SUITE ?= trixie-backports
GUEST := $(patsubst guest/%.c,%,$(wildcard guest/*.c)) bench-el2
GUEST_FDT_LIB := $(firstword $(wildcard $(B)/arm64/$(SUITE)/usr/lib/aarch64-linux-gnu/libfdt.a \
	$(B)/arm64/$(SUITE)/lib/aarch64-linux-gnu/libfdt.a) \
	$(B)/arm64/$(SUITE)/usr/lib/aarch64-linux-gnu/libfdt.a)
GUEST_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -mgeneral-regs-only -mstrict-align -mno-outline-atomics \
	-fpie -fvisibility=hidden -march=armv8.2-a -fno-stack-protector -fno-asynchronous-unwind-tables \
	-Isrc -Iguest -Iguest/lib -isystem $(B)/arm64/$(SUITE)/usr/include \
	-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla
GUEST_LIB := $(patsubst %,$(B)/%.o,$(wildcard guest/lib/*.c)) $(B)/src/lib/string.c.o $(B)/src/lib/printf.c.o
GUEST_LIB := $(GUEST_LIB:$(B)/%=$(B)/guest/obj/%)
GUEST_BIN := $(GUEST:%=$(B)/guest/%.bin) $(B)/guest/hello-raw.bin $(B)/guest/hello.elf $(B)/guest/jump.bin
GUEST_LINUX := $(addprefix $(B)/guest/,fpcheck mathcheck timecheck pingcheck memcheck xenwait)
GUEST_LDFLAGS := -nostdlib -static -Wl,-T,guest/lib/link.ld -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,--no-warn-rwx-segments -Wl,--gc-sections
GUEST_PIE := -Wl,-pie -Wl,--no-dynamic-linker -Wl,-z,notext

guests: $(GUEST_BIN) $(GUEST_LINUX) $(B)/guest/vmm

$(B)/guest/obj/%.c.o: %.c guest/guest.mk | $(GUEST_FDT_LIB)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CROSS)gcc $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/guest/obj/%.S.o: %.S guest/guest.mk
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CROSS)gcc $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/guest/obj/start-raw.o: guest/lib/start.S
	@mkdir -p $(@D)
	@$(CROSS)gcc $(GUEST_CFLAGS) -DGUEST_RAW -c -o $@ $<

# An assembly file and a directory named after a program belong to it; hyp moves SIMD registers with canary's code;
# bench-el2 is bench with another start.
guest_parts = $(patsubst %,$(B)/guest/obj/%.o,$(wildcard guest/$(1).[cS] guest/$(1)/*.[cS]) \
	$(if $(filter hyp,$(1)),guest/canary.S) $(if $(filter bench-el2,$(1)),guest/bench.c guest/bench.S))

.SECONDEXPANSION:
$(GUEST:%=$(B)/guest/%.elf.pie): $(B)/guest/%.elf.pie: $(B)/guest/obj/guest/lib/start.S.o \
		$$(call guest_parts,$$*) $(GUEST_LIB) guest/lib/link.ld guest/guest.mk
	@$(CROSS)gcc $(GUEST_PIE) $(GUEST_LDFLAGS) -o $@ $(filter %.o,$^) $(GUEST_FDT_LIB)

$(B)/guest/hello-raw.elf.pie: $(B)/guest/obj/start-raw.o $(B)/guest/obj/guest/hello.c.o $(GUEST_LIB) guest/lib/link.ld guest/guest.mk
	@$(CROSS)gcc $(GUEST_PIE) $(GUEST_LDFLAGS) -o $@ $(filter %.o,$^) $(GUEST_FDT_LIB)

# An ELF linked at a fixed address, 4 MiB into QEMU's RAM, without relocations.
$(B)/guest/hello.elf: $(B)/guest/obj/guest/lib/start.S.o $(B)/guest/obj/guest/hello.c.o $(GUEST_LIB) guest/lib/link.ld guest/guest.mk
	@$(CROSS)gcc -no-pie -Wl,--defsym=BASE=0x40400000 $(GUEST_LDFLAGS) -o $@ $(filter %.o,$^) $(GUEST_FDT_LIB)

# Not a guest: starts nidus with a device tree made by a test.
$(B)/guest/jump.bin: $(B)/guest/obj/guest/lib/jump.S.o
	@$(CROSS)objcopy -O binary -j .text $< $@

$(B)/guest/%.bin: $(B)/guest/%.elf.pie
	@echo "  BIN   $@"
	@$(CROSS)objcopy -O binary $< $@

# Programs for Linux guests, without a libc, which tools/mkinitramfs puts into an initramfs. Code that checks results
# uses general registers alone; code that computes with FP or SVE is in files of its own.
GUEST_LINUX_LIB := $(patsubst %,$(B)/guest/obj/%.o,guest/linux/linux.c guest/linux/start.S src/lib/string.c src/lib/printf.c)
$(B)/guest/obj/guest/linux/%.c.o: GUEST_CFLAGS := $(filter-out -fpie,$(GUEST_CFLAGS)) -fno-pie
$(B)/guest/obj/guest/linux/math_fp.c.o: GUEST_CFLAGS := $(filter-out -mgeneral-regs-only,$(GUEST_CFLAGS)) -ffp-contract=off
$(B)/guest/obj/guest/linux/math_sve.c.o: GUEST_CFLAGS := \
	$(filter-out -mgeneral-regs-only -march=%,$(GUEST_CFLAGS)) -ffp-contract=off -march=armv8.2-a+sve

$(B)/guest/fpcheck: $(patsubst %,$(B)/guest/obj/guest/%.o,linux/fpcheck.c linux/fpcheck.S canary.S)
$(B)/guest/mathcheck: $(patsubst %,$(B)/guest/obj/guest/linux/%.o,mathcheck.c math_fp.c math_sve.c)
$(B)/guest/timecheck $(B)/guest/pingcheck $(B)/guest/memcheck $(B)/guest/xenwait: $(B)/guest/%: $(B)/guest/obj/guest/linux/%.c.o
$(GUEST_LINUX): $(GUEST_LINUX_LIB) guest/guest.mk
	@echo "  LD    $@"
	@$(CROSS)gcc -no-pie -static -nostdlib -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--gc-sections \
		-o $@ $(filter %.o,$^)

# A program for Linux guests with a libc: the VMM of bench/linux.
$(B)/guest/vmm: guest/linux/vmm.c $(wildcard guest/linux/vmm_*.c) guest/linux/vmm.h guest/guest.mk | $(GUEST_FDT_LIB)
	@echo "  CC    $@"
	@$(CROSS)gcc -std=gnu17 -O2 -s -static -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
		-Wundef -Wvla -Wconversion -Wno-sign-conversion -isystem $(B)/arm64/$(SUITE)/usr/include \
		-o $@ $(filter %.c,$^) $(GUEST_FDT_LIB)

.PHONY: guests
.PRECIOUS: $(B)/guest/%.elf.pie $(B)/guest/obj/%.o
-include $(wildcard $(B)/guest/obj/guest/*.d $(B)/guest/obj/guest/*/*.d)
