# SPDX-License-Identifier: Apache-2.0
# System tests and measurements in QEMU. Included by the Makefile.
B ?= build

# All of test/system; TESTS="gic 'canary*'" runs some, JOBS=1 one at a time.
JOBS ?= 2
test-system: $(B)/nidus.bin guests | $(ARM64)/Image
	SUITE=$(SUITE) test/system/run -j $(JOBS) $(TESTS)

# What test-system does for a short while, at full length: whatever reads SOAK. SEED=N: another course.
SOAK_TESTS := linux-l2-kill linux-l2-reboot linux-l2-hotplug linux-l2-two linux-l2-memory linux-l2-oom
soak: $(B)/nidus.bin guests | $(ARM64)/Image
	SOAK=1 TEST_LIMIT=3600 TEST_OUT=$(CURDIR)/$(B)/test/soak SUITE=$(SUITE) test/system/run -j 1 $(or $(TESTS),$(SOAK_TESTS))

bench: $(B)/nidus.bin guests
	@bench/run

.PHONY: test-system soak bench
