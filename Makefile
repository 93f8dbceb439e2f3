# SPDX-License-Identifier: Apache-2.0
# nidus: a bare-metal hypervisor for 64-bit Arm. `make help` lists the targets.
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
B := build
CROSS ?= aarch64-linux-gnu-
CC_ARM ?= $(CROSS)gcc
OBJCOPY := $(CROSS)objcopy
HOSTCC ?= gcc
# Debian suite that guest kernels, busybox, QEMU for guests and libfdt are taken from.
SUITE ?= trixie-backports
ARM64 := $(B)/arm64/$(SUITE)
LIBFDT := $(ARM64)/usr/lib/aarch64-linux-gnu/libfdt.a

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
	-Wconversion -Wno-sign-conversion

.PHONY: all help setup run check test bench clean
all: $(B)/nidus.bin guests $(B)/trace/nidus-trace

help:
	@sed -n 's/^#: //p' $(MAKEFILE_LIST)
#: make            build/nidus.bin (an arm64 Image, as nidus.efi a UEFI application) and the guests
#: make run        boot Debian Linux with KVM under nidus, and Debian Linux in that; ends with "run: PASS"
#: make run-efi    the same under UEFI (EDK2), from an EFI system partition, by ACPI (RUN_EFI=dt: by device tree; grub: by GRUB)
#: make run TRACE=1  the same with a trace of all exits, build/run/trace.pftrace for Perfetto
#: make check      unit tests, the SIMD explorer, lock-free words, figures of the code; no emulator
#: make test       everything; ends with "N passed, N failed, N skipped"
#: make diff-mutants  that the differential tester finds the mends of test/diff/mutants undone
#: make soak       what make test shortens or leaves out, at full length, and the system tests on a newer QEMU
#: make bench      instruction counts, as a table and in build/bench/results.json
#: make headline   what leaving SIMD registers live is worth to a guest at level 3: instructions, and by the clock
#: make headline KVM=1  the same with Linux/KVM at levels 1 and 2; builds two kernels once
#: make pictures   docs/*.svg: an exit of L2 and one of L3, from traces
#: make clean      remove build/

# ---- set-up: tools of the host, arm64 packages ---------------------------------------------------
setup: $(B)/.setup
$(B)/.setup: tools/setup tools/apt.sh
	@mkdir -p $(B)
	tools/setup
	@touch $@

$(LIBFDT) $(ARM64)/Image &: tools/fetch-arm64 tools/apt.sh | $(B)/.setup
	SUITE=$(SUITE) tools/fetch-arm64
	@touch -c $(LIBFDT) $(ARM64)/Image

# ---- nidus itself --------------------------------------------------------------------------------
ARM_CFLAGS := -std=gnu17 -O2 -g $(WARN) -ffreestanding -fpie -fno-builtin -fno-stack-protector \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fvisibility=hidden -include src/lib/visibility.h \
	-march=armv8.2-a -mgeneral-regs-only -ffixed-x18 -mstrict-align -Isrc -I$(B)/arm
ARM_SRC := $(filter-out src/exit/offsets.c,$(wildcard src/*/*.c)) $(wildcard src/*/*.S)
ARM_OBJ := $(ARM_SRC:%=$(B)/arm/%.o)
# X18 is never used: the fast paths of vectors.S leave the guest's where it is.
# Optimised as a whole: the hot exits cross many files, and each call over a border costs a frame.
LTO := -flto=1 -flto-partition=one -fno-fat-lto-objects
ARM_LDFLAGS := -nostdlib -static-pie -Wl,--no-dynamic-linker,-z,norelro,-z,notext,-z,noexecstack \
	-Wl,--no-warn-rwx-segments,--gc-sections,--build-id=none
FDT_CFLAGS := -isystem src/lib/libc -isystem $(ARM64)/usr/include
# What runs at boot, when a VM is built, or for people who type: small rather than quick. (LTO keeps it.)
COLD := src/boot/%.c src/vm/vm_build.c src/vm/vm_layout.c src/vm/guest_fdt.c src/vm/image.c src/vm/vm_load.c \
	src/vm/vm_ram.c src/vm/console.c src/vm/console_input.c src/vm/account.c src/dev/dt.c src/dev/dt_irq.c \
	src/dev/smmu.c src/dev/smmu_queue.c src/dev/pci.c src/dev/pci_host.c src/vm/vpci.c src/vm/vpci_life.c src/vm/vmsi.c src/vm/vpci_dma.c src/vgic/its.c src/vgic/its_cmd.c src/vm/guest_fdt_pci.c \
	src/dev/its.c src/dev/its_queue.c src/dev/lpi.c src/dev/power.c src/lib/printf.c src/lib/log.c src/mm/machine.c src/mm/stage1.c src/arch/feat.c \
	src/traps/idreg.c src/traps/nvhe.c src/exit/psci.c src/exit/account_call.c src/state/account.c \
	src/nested/at.c src/nested/pauth.c src/nested/s1walk.c src/vm/vm.c src/vm/vpl011.c src/vm/vpl031.c src/vm/vflash.c src/vm/vfwcfg.c src/dev/rtc.c \
	src/exit/el2_panic.c src/exit/hwerror.c src/dev/pl011.c src/dev/uart.c src/dev/uart8250.c src/mm/page.c src/mm/page_pool.c \
	src/boot/below.c src/mm/window.c src/mm/vmid.c src/state/trace.c src/state/trace_area.c src/vm/trace_print.c
COLD_OBJ := $(filter $(COLD:%=$(B)/arm/%.o),$(ARM_OBJ))
$(COLD_OBJ): ARM_CFLAGS += -Os

$(B)/arm/%.o: % Makefile $(LIBFDT)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC_ARM) $(ARM_CFLAGS) $(LTO) $(FDT_CFLAGS) $(CFLAGS_EXTRA) -MMD -MP -c -o $@ $<

# What assembly knows of C.
$(B)/arm/src/exit/vectors.S.o $(B)/arm/src/boot/head.S.o $(B)/arm/src/boot/efi_entry.S.o: $(B)/arm/offsets.h
$(B)/arm/offsets.h: src/exit/offsets.c Makefile | $(B)/.setup
	@mkdir -p $(@D)
	@$(CC_ARM) $(ARM_CFLAGS) -MMD -MP -MF $(B)/arm/offsets.d -MT $@ -S -o $(B)/arm/offsets.s $<
	@sed -n 's/^.*"->\([A-Z0-9a-z_]*\) \([0-9]*\)".*/#define \1 \2/p' $(B)/arm/offsets.s >$@

$(B)/nidus.elf: $(ARM_OBJ) $(LIBFDT) src/boot/nidus.ld
	@echo "  LD    $@"
	@$(CC_ARM) $(ARM_CFLAGS) $(LTO) $(ARM_LDFLAGS) -T src/boot/nidus.ld -o $@ $(ARM_OBJ) $(LIBFDT)

$(B)/nidus.bin: $(B)/nidus.elf
	@$(OBJCOPY) -O binary $< $@
	@ln -f $@ $(B)/nidus.efi
	@echo "  BIN   $@: $$(stat -c %s $@) bytes"

include guest/guest.mk

# ---- host side: unit tests on the fake machine -------------------------------------------------
# Files of src/ that run only on the machine itself.
HOST_OUT := src/exit/offsets.c src/boot/boot.c src/boot/smp.c src/boot/probe.c src/dev/power.c src/exit/el2_panic.c src/state/cpu.c src/lib/string.c src/lib/printf.c \
	src/lib/stack_chk.c src/lib/popcount.c src/lib/log.c
HOST_SRC := $(filter-out $(HOST_OUT),$(wildcard src/*/*.c)) $(wildcard test/fake/*.c)
HOST_OBJ := $(HOST_SRC:%.c=$(B)/host/%.o)
HOST_CFLAGS := -std=gnu17 -O1 -g $(WARN) -DNIDUS_FAKE -Itest/fake -Isrc -fsanitize=address,undefined \
	-fno-sanitize-recover=all
UNIT := $(patsubst test/unit/%.c,%,$(wildcard test/unit/test_*.c))

$(B)/host/%.o: %.c | $(B)/.setup
	@mkdir -p $(@D)
	@echo "  HOSTCC $<"
	@$(HOSTCC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/host/libnidus.a: $(HOST_OBJ)
	@rm -f $@
	@ar rcs $@ $^

# A test's own definition of a function goes before the library's.
$(B)/unit/%: test/unit/%.c $(B)/host/libnidus.a
	@mkdir -p $(@D)
	@echo "  HOSTCC $<"
	@$(HOSTCC) $(HOST_CFLAGS) -MMD -MP -o $@ $< $(B)/host/libnidus.a -lcmocka -lfdt -Wl,-z,muldefs

# ---- traces on the host (trace/): nidus-trace, which is nidus-stat by that name -------------------
TRACE_TOOL := $(B)/trace/nidus-trace
TRACE_CFLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g $(filter-out -Wconversion,$(WARN)) -Itrace -Isrc -I$(B)/trace
$(B)/trace/perfetto.pb-c.c: trace/perfetto.proto | $(B)/.setup
	@mkdir -p $(@D)
	@protoc-c --proto_path=trace --c_out=$(@D) $<

$(TRACE_TOOL): $(wildcard trace/*.[ch]) $(B)/trace/perfetto.pb-c.c $(wildcard src/state/trace_format.h src/state/exit.h src/arch/*.def)
	@echo "  HOSTCC $@"
	@$(HOSTCC) $(TRACE_CFLAGS) -o $@ $(filter %.c,$^) -lprotobuf-c
	@ln -sf nidus-trace $(@D)/nidus-stat

# ---- the SIMD explorer and its mutants (test/model) ----------------------------------------------
MODEL_SRC := $(filter-out src/simd/simd_sha256.c,$(wildcard src/simd/*.c)) \
	$(addprefix src/traps/,traps.c traps_nested.c reflect.c bank.c vel2.c) src/nested/level.c \
	$(addprefix src/exit/,run.c prepare.c fast.c exit.c) src/state/trace.c $(wildcard test/model/*.c)
MODEL_OBJ := $(patsubst %.c,$(B)/model/%.o,$(notdir $(MODEL_SRC)))
MODEL_CFLAGS := -std=gnu17 -O2 -g $(WARN) -DNIDUS_FAKE -Itest/model/include -Itest/model -Itest/fake -Isrc \
	-Wl,--wrap=simd_check,--wrap=simd_cptr,--wrap=simd_chaos_maybe

define MODEL_RULE
$(B)/model/%.o: $(1)/%.c | $(B)/.setup
	@mkdir -p $$(@D)
	@echo "  HOSTCC $$<"
	@$$(HOSTCC) $$(MODEL_CFLAGS) -MMD -MP -c -o $$@ $$<
endef
$(foreach dir,src/simd src/traps src/nested src/exit src/state test/model,$(eval $(call MODEL_RULE,$(dir))))

# Its last line: "explorer: N states, N violations".
$(B)/model/explorer: $(MODEL_OBJ)
	@$(HOSTCC) $(MODEL_CFLAGS) -o $@ $^

# Last line: "mutants: N/N caught".
.PHONY: mutants
mutants: $(B)/model/explorer
	@test/model/mutants.sh test/model/mutants $(B)/model $(HOSTCC) $(MODEL_CFLAGS)

-include $(MODEL_OBJ:.o=.d)
# ---- end of the SIMD explorer --------------------------------------------------------------------

# ---- the deep explorer: one nidus as the guest of another, and its mutants (test/deep) -------------
DEEP_SRC := $(filter-out src/simd/simd_sha256.c,$(wildcard src/simd/*.c)) \
	$(addprefix src/traps/,traps.c traps_nested.c reflect.c bank.c vel2.c) $(addprefix src/nested/,level.c inject.c) \
	$(addprefix src/exit/,run.c prepare.c fast.c exit.c sysreg_emul.c vcpu.c) src/state/trace.c src/arch/sysreg_table.c test/deep/below.c
DEEP_OBJ := $(patsubst %.c,$(B)/deep/nidus/%.o,$(notdir $(DEEP_SRC)))
DEEP_MODEL := $(patsubst test/deep/%.c,$(B)/deep/model/%.o,$(filter-out test/deep/below.c,$(wildcard test/deep/*.c)))
DEEP_CFLAGS := -std=gnu17 -O2 -g $(WARN) -DNIDUS_FAKE -fno-pie -fno-stack-protector -Itest/deep/include -Itest/model/include -Itest/deep \
	-Itest/fake -Isrc

$(DEEP_OBJ): $(B)/deep/nidus/%.o: Makefile | $(B)/.setup
	@mkdir -p $(@D)
	@echo "  HOSTCC $(filter %/$*.c,$(DEEP_SRC))"
	@$(HOSTCC) $(DEEP_CFLAGS) -MMD -MP -c -o $@ $(filter %/$*.c,$(DEEP_SRC))

$(DEEP_MODEL): $(B)/deep/model/%.o: test/deep/%.c Makefile | $(B)/.setup
	@mkdir -p $(@D)
	@echo "  HOSTCC $<"
	@$(HOSTCC) $(DEEP_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/deep/l0.o $(B)/deep/l1.o: $(B)/deep/%.o: $(DEEP_OBJ) test/deep/link.sh
	@test/deep/link.sh $@ $* $(B)/deep/nidus

$(B)/deep/deep: $(DEEP_MODEL) $(B)/deep/l0.o $(B)/deep/l1.o
	@$(HOSTCC) $(DEEP_CFLAGS) -no-pie -o $@ $^

# Last lines: "deep: N states, N violations", "mutants: N/N caught".
.PHONY: deep deep-mutants
deep: $(B)/deep/deep
	@$(B)/deep/deep

deep-mutants: $(B)/deep/deep
	@test/model/mutants.sh test/deep/mutants $(B)/deep $(HOSTCC) $(DEEP_CFLAGS)

-include $(DEEP_OBJ:.o=.d) $(DEEP_MODEL:.o=.d)
# ---- end of the deep explorer --------------------------------------------------------------------

# ---- the order of lock-free words, and its mutants (test/order) -----------------------------------
ORDER_SRC := $(wildcard src/vgic/*.c) src/vm/sched.c src/state/runq.c src/state/stolen.c src/state/vm.c src/state/trace.c src/exit/wake.c src/exit/psci.c \
	src/nested/vncr.c \
	$(wildcard test/order/*.c) test/fake/sysreg.c test/fake/base.c
ORDER_OBJ := $(patsubst %.c,$(B)/order/%.o,$(notdir $(ORDER_SRC)))
ORDER_CC = $(if $(filter src/% %/vm_vm.c,$(filter %/$*.c,$(ORDER_SRC))),test/order/cc) $(HOSTCC)
ORDER_CFLAGS := -std=gnu17 -O2 -g $(WARN) -Wno-ignored-qualifiers -DNIDUS_FAKE -fno-pie -Itest/order/include \
	-Itest/order -Itest/fake -Isrc -include order.h

$(ORDER_OBJ): $(B)/order/%.o: Makefile test/order/order.h | $(B)/.setup
	@mkdir -p $(@D)
	@echo "  HOSTCC $(filter %/$*.c,$(ORDER_SRC))"
	@$(ORDER_CC) $(ORDER_CFLAGS) -MMD -MP -c -o $@ $(filter %/$*.c,$(ORDER_SRC))

$(B)/order/order: $(ORDER_OBJ)
	@$(HOSTCC) -no-pie -o $@ $^

# Its last line: "order: N scenarios, N violations"; then "mutants: N/N caught".
.PHONY: order
order: $(B)/order/order
	@$(B)/order/order
	@test/model/mutants.sh test/order/mutants $(B)/order test/order/cc $(HOSTCC) $(ORDER_CFLAGS)

-include $(ORDER_OBJ:.o=.d)

# ---- what the README names -----------------------------------------------------------------------
include test/test.mk

UNIT_BIN := $(UNIT:%=$(B)/unit/%)
unit: $(UNIT_BIN)
	@tools/unit $(UNIT_BIN)

# The same sources under a second compiler.
clang: $(B)/arm/offsets.h | $(LIBFDT)
	@for f in $(wildcard src/*/*.c src/*/*.S); do \
		clang --target=aarch64-linux-gnu $(ARM_CFLAGS) $(FDT_CFLAGS) -c -o $(B)/clang.o $$f || exit 1; \
	done
	@echo "clang: no warning"

CHECK_STAGES := 'figures=tools/figures' 'rules=test/figures' 'clang=$(MAKE) -s clang' 'unit=$(MAKE) -s unit' \
	'explorer=$(MAKE) -s explorer' 'mutants=$(MAKE) -s mutants' 'deep=$(MAKE) -s deep' 'order=$(MAKE) -s order'
check: $(B)/nidus.elf $(UNIT_BIN) $(B)/model/explorer $(B)/deep/deep $(B)/order/order
	@tools/stages $(B)/log $(CHECK_STAGES)

explorer: $(B)/model/explorer
	@$(B)/model/explorer

OLD_SUITE ?= trixie
ifneq ($(OLD_SUITE),$(SUITE))
$(B)/arm64/$(OLD_SUITE)/Image: tools/fetch-arm64 tools/apt.sh | $(B)/.setup
	SUITE=$(OLD_SUITE) tools/fetch-arm64
	@touch -c $@
endif

# What the tests run, all CPUs at work on it once the packages are there.
.PHONY: built
built: all $(UNIT_BIN) $(B)/model/explorer $(B)/deep/deep $(B)/order/order $(DIFF_TOOL)

test: $(ARM64)/Image $(B)/arm64/$(OLD_SUITE)/Image
	@$(MAKE) --no-print-directory -j "$$(nproc)" built
	@tools/stages $(B)/log $(CHECK_STAGES) 'deep-mutants=$(MAKE) -s deep-mutants' 'system=$(MAKE) -s test-system' 'run=tools/run-main $(SUITE)'

run: $(B)/nidus.bin $(ARM64)/Image $(GUEST_LINUX) $(TRACE_TOOL)
	@RUN_TRACE=$(TRACE) tools/run-main $(SUITE)

run-efi: $(B)/nidus.bin $(ARM64)/Image $(GUEST_LINUX) $(TRACE_TOOL) guests $(FIRMWARE)
	@RUN_EFI=$(or $(RUN_EFI),acpi) tools/run-main $(SUITE)

pictures: $(B)/nidus.bin guests $(TRACE_TOOL) | $(ARM64)/Image
	@SUITE=$(SUITE) tools/pictures

.PHONY: unit clang explorer run-efi pictures
clean:
	rm -rf $(B)

-include $(HOST_OBJ:.o=.d) $(ARM_OBJ:.o=.d) $(B)/arm/offsets.d
