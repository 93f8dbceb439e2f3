# SPDX-License-Identifier: Apache-2.0
# System tests and measurements in QEMU. Included by the Makefile.
B ?= build

# All of test/system; TESTS="gic 'canary*'" runs some, JOBS=1 one at a time.
JOBS ?= 2
test-system: $(B)/nidus.bin guests | $(ARM64)/Image
	SUITE=$(SUITE) test/system/run -j $(JOBS) $(TESTS)

bench: $(B)/nidus.bin guests
	@bench/run

.PHONY: test-system bench
