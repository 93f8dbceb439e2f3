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

# All of test/system; TESTS="gic 'canary*'" runs some, JOBS=1 one at a time.
JOBS ?= 2
test-system: $(B)/nidus.bin guests $(DIFF_TOOL) | $(ARM64)/Image
	SUITE=$(SUITE) test/system/run -j $(JOBS) $(TESTS)

# What test-system does for a short while, at full length: whatever reads SOAK. SEED=N: another course; N=N: so many
# programs of diff-*.
SOAK_TESTS := linux-l2-kill linux-l2-reboot linux-l2-hotplug linux-l2-two linux-l2-memory linux-l2-oom 'diff-*'
soak: $(B)/nidus.bin guests $(DIFF_TOOL) | $(ARM64)/Image
	$(if $(TESTS),,@$(MAKE) -s diff-mutants)
	SOAK=1 TEST_LIMIT=3600 TEST_OUT=$(CURDIR)/$(B)/test/soak SUITE=$(SUITE) test/system/run -j 1 $(or $(TESTS),$(SOAK_TESTS))

bench: $(B)/nidus.bin guests
	@bench/run

.PHONY: test-system soak diff-mutants bench
