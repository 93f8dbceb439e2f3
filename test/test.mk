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

# All of test/system; TESTS="gic 'canary*'" runs some, JOBS=1 one at a time.
JOBS ?= 2
test-system: $(B)/nidus.bin guests $(DIFF_TOOL) | $(ARM64)/Image $(XEN) $(FIRMWARE)
	SUITE=$(SUITE) test/system/run -j $(JOBS) $(TESTS)

# What test-system does for a short while, at full length (whatever reads SOAK), and what it leaves out ("# soak").
# SEED=N: another order of events; N=N: this many programs of diff-*. Then all of test-system on a newer QEMU. With
# TESTS: those alone, at full length.
SOAK_TESTS := linux-l2-kill linux-l2-reboot linux-l2-hotplug linux-l2-two linux-l2-memory linux-l2-oom hyp-nested-races 'diff-*' gicstorm \
	$(shell cd test/system/tests && grep -lx '\# soak' *)
soak:
ifeq ($(TESTS),)
	@tools/stages $(B)/log 'soak=$(MAKE) -s soak-long' 'diff-mutants=$(MAKE) -s diff-mutants' \
		'newer=$(MAKE) -s soak-newer'
else
	@$(MAKE) -s soak-long
endif

soak-long: $(B)/nidus.bin guests $(DIFF_TOOL) | $(ARM64)/Image $(XEN) $(FIRMWARE)
	@SOAK=1 TEST_LIMIT=14400 TEST_OUT=$(CURDIR)/$(B)/test/soak SUITE=$(SUITE) test/system/run -j 1 $(or $(TESTS),$(SOAK_TESTS))

# The system tests on another QEMU than the system's, by default one with SME2 and much of Arm v9.4 as well.
QEMU_SUITE ?= trixie-backports
NEWER := $(CURDIR)/$(B)/qemu/$(QEMU_SUITE)/qemu-system-aarch64
$(NEWER): tools/fetch-qemu tools/apt.sh | $(B)/.setup
	@QEMU_SUITE=$(QEMU_SUITE) tools/fetch-qemu
	@touch -c $@

soak-newer: $(B)/nidus.bin guests $(DIFF_TOOL) $(NEWER) | $(ARM64)/Image $(XEN) $(FIRMWARE)
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

.PHONY: test-system soak soak-long soak-newer diff-mutants bench headline
