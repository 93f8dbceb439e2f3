# SPDX-License-Identifier: Apache-2.0
# System tests and measurements in QEMU. Included by the Makefile.
B ?= build

# The differential tester's host tool (test/diff); its guest is guest/diff.
DIFF_TOOL := $(B)/diff/diff
$(DIFF_TOOL): $(wildcard test/diff/*.c) test/diff/diff.h | $(B)/.setup
	@mkdir -p $(@D)
	@echo "  HOSTCC $@"
	@$(HOSTCC) -std=gnu17 -O2 -g $(WARN) -o $@ $(filter %.c,$^)

# Last line: "diff-mutants: N/N caught".
diff-mutants: $(B)/nidus.bin guests $(DIFF_TOOL)
	@test/diff/mutants.sh $(B)/diff/mutants $(MUTANTS)

# Debian's Xen, for the tests that run it. Without it they are skipped.
XEN_SUITE ?= trixie
XEN := $(B)/xen/$(XEN_SUITE)/xen
$(XEN): tools/fetch-xen tools/apt.sh | $(B)/.setup
	@XEN_SUITE=$(XEN_SUITE) tools/fetch-xen || echo "tests of Xen will be skipped"
	@touch -c $@

# EDK2 and GRUB, for tests of nidus under UEFI. Without them they are skipped.
EFI_SUITE ?= forky
FIRMWARE := $(B)/efi/$(EFI_SUITE)/QEMU_EFI.fd
$(FIRMWARE): tools/fetch-efi tools/apt.sh | $(B)/.setup
	@EFI_SUITE=$(EFI_SUITE) tools/fetch-efi || echo "tests of UEFI will be skipped"
	@touch -c $@

# Debian's installer, which a VM starts from firmware. Without it its tests are skipped.
INSTALLER_SUITE ?= trixie
INSTALLER := $(B)/installer/$(INSTALLER_SUITE)/linux
$(INSTALLER): tools/fetch-installer tools/apt.sh | $(B)/.setup
	@INSTALLER_SUITE=$(INSTALLER_SUITE) tools/fetch-installer || echo "tests of Debian's installer will be skipped"
	@touch -c $@

# All of test/system; TESTS="gic 'canary*'" runs some, JOBS=1 one at a time.
JOBS ?= 2
test-system: $(B)/nidus.bin guests $(DIFF_TOOL) | $(ARM64)/Image $(XEN) $(FIRMWARE) $(INSTALLER)
	SUITE=$(SUITE) test/system/run -j $(JOBS) $(TESTS)

# What test-system does for a short while, at full length (whatever reads SOAK), and what it leaves out ("# soak").
# SEED=N: another order of events; N=N: this many programs of diff-*. Then all of test-system on a newer QEMU. With
# TESTS: those alone, at full length.
SOAK_TESTS := linux-l2-kill linux-l2-reboot linux-l2-hotplug linux-l2-two linux-l2-memory linux-l2-oom hyp-nested-races 'diff-*' gicstorm pci-edu-reset pci-fuzz \
	$(shell cd test/system/tests && grep -lx '\# soak' *)
soak:
ifeq ($(TESTS),)
	@tools/stages $(B)/log 'fuzz=$(MAKE) -s fuzz FUZZ_SECONDS=300' 'soak=$(MAKE) -s soak-long' 'diff-mutants=$(MAKE) -s diff-mutants' \
		'newer=$(MAKE) -s soak-newer'
else
	@$(MAKE) -s soak-long
endif

soak-long: $(B)/nidus.bin guests $(DIFF_TOOL) | $(ARM64)/Image $(XEN) $(FIRMWARE) $(INSTALLER)
	@SOAK=1 TEST_LIMIT=14400 TEST_OUT=$(CURDIR)/$(B)/test/soak SUITE=$(SUITE) test/system/run -j 1 $(or $(TESTS),$(SOAK_TESTS))

# The system tests on another QEMU than the system's, by default one with SME2 and much of Arm v9.4 as well.
QEMU_SUITE ?= trixie-backports
NEWER := $(CURDIR)/$(B)/qemu/$(QEMU_SUITE)/qemu-system-aarch64
$(NEWER): tools/fetch-qemu tools/apt.sh | $(B)/.setup
	@QEMU_SUITE=$(QEMU_SUITE) tools/fetch-qemu
	@touch -c $@

soak-newer: $(B)/nidus.bin guests $(DIFF_TOOL) $(NEWER) | $(ARM64)/Image $(XEN) $(FIRMWARE) $(INSTALLER)
	@QEMU=$(NEWER) TEST_OUT=$(CURDIR)/$(B)/test/newer SUITE=$(SUITE) test/system/run -j $(JOBS) $(TESTS)

# A QEMU plugin that counts what silicon charges for.
COST := $(B)/bench/cost.so
$(COST): bench/plugin/cost.c bench/plugin/qemu.h | $(B)/.setup
	@mkdir -p $(@D)
	@echo "  HOSTCC $@"
	@$(HOSTCC) -std=gnu17 -O2 -g $(filter-out -Wconversion,$(WARN)) -fPIC -shared -fvisibility=hidden -o $@ $<

bench: $(B)/nidus.bin guests $(COST)
	@bench/run

# What live SIMD registers are worth at level 3: instructions, then the clock. ROUNDS, VLS, REQUESTS: bench/headline.sh. KVM=1:
# with Linux/KVM at levels 1 and 2, two kernels of Debian's source that differ in that alone.
headline: $(B)/nidus.bin guests $(COST)
	@BENCH_OUT=$(CURDIR)/$(B)/bench/$(if $(KVM),headline_kvm bench/run headline_kvm,headline bench/run headline)

# ---- parsers of what comes from outside, under libFuzzer (test/fuzz) ------------------------------
# Each target for FUZZ_SECONDS, from seeds that are made and what earlier runs found (build/fuzz/TARGET). Last line:
# "fuzz: N targets, no fault". An input that is a fault stays in build/fuzz.
FUZZ := $(B)/fuzz
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := acpi image map tree
FUZZ_SRC := $(wildcard src/boot/acpi*.c src/boot/config*.c test/fake/*.c) src/boot/efi_map.c src/boot/efi_tree.c src/boot/fdt.c \
	src/dev/dt.c src/dev/dt_irq.c src/mm/machine.c src/vm/image.c src/arch/feat.c
FUZZ_CFLAGS := -std=gnu17 -O1 -g -DNIDUS_FAKE -Itest/fuzz -Itest/fake -Itest -Isrc -I$(FUZZ) -fsanitize=address,undefined \
	-fno-sanitize-recover=all
FUZZ_OBJ := $(FUZZ_SRC:%.c=$(FUZZ)/obj/%.o)

$(FUZZ)/obj/%.o: %.c | $(B)/.setup
	@mkdir -p $(@D)
	@echo "  CLANG $<"
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(FUZZ)/seeds: test/fuzz/seeds.c test/unit/dts.h test/unit/acpi_tables.h src/boot/efi.h | $(B)/.setup
	@mkdir -p $(FUZZ_TARGETS:%=$(FUZZ)/%)
	@$(HOSTCC) -std=gnu17 -O1 -g $(WARN) -Itest -Isrc -o $@ $<
	@$@ $(FUZZ)

# The machine that other trees are laid over.
$(FUZZ)/machine_dtb.h: $(FUZZ)/seeds
	@{ echo 'static const unsigned char machine_dtb[] __attribute__((aligned(8))) = {'; \
		od -An -v -tx1 $(FUZZ)/tree/machine | sed 's/ \(..\)/0x\1,/g'; echo '};'; } >$@

$(FUZZ)/nidus.a: $(FUZZ_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(FUZZ)/run-%: test/fuzz/%.c test/fuzz/fuzz.h $(FUZZ)/machine_dtb.h $(FUZZ)/nidus.a
	@echo "  CLANG $@"
	@clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ)/nidus.a -lfdt

fuzz: $(FUZZ_TARGETS:%=$(FUZZ)/run-%) guests
	@head -c 4096 $(B)/guest/hello.bin >$(FUZZ)/image/image
	@$(CROSS)strip -o $(FUZZ)/image/elf $(B)/guest/hello.elf
	@for t in $(FUZZ_TARGETS); do \
		$(FUZZ)/run-$$t -max_total_time=$(FUZZ_SECONDS) -max_len=131072 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(FUZZ)/$$t- $(FUZZ)/$$t >$(FUZZ)/$$t.log 2>&1 || \
			{ tail -n 40 $(FUZZ)/$$t.log; echo "fuzz: $$t: a fault, see $(FUZZ)/$$t.log"; exit 1; }; \
		echo "fuzz: $$t: $$(sed -n 's/^stat::number_of_executed_units: *//p' $(FUZZ)/$$t.log) inputs, no fault"; \
	done; echo "fuzz: $(words $(FUZZ_TARGETS)) targets, no fault"

-include $(FUZZ_OBJ:.o=.d)

.PHONY: fuzz test-system soak soak-long soak-newer diff-mutants bench headline
