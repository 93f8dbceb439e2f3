/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of a VM on the machine's bus behind SMMUs: what is refused, and when they reach the VM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "dev/smmu.h"
#include "did.h"
#include "dts.h"
#include "mm/page.h"
#include "state/vm.h"
#include "vm/vpass.h"

#define ARENA MIB(16)

static struct vm vm;
static struct vm_config config;
static bool deaf;
static const char *no_stream;
static struct smmu *const smmus[2] = { (struct smmu *)0x1000, NULL }; /* the second is not up */

struct smmu *smmu_at(int node)
{
	return smmus[node - 1];
}

const char *smmu_stage2_check(const struct smmu *s, const struct stage2 *s2)
{
	(void)s;
	return s2->pt.ia_bits > 44 ? "more address bits than its SMMU has" : NULL;
}

const char *smmu_stream_init(struct smmu_stream *stream)
{
	assert_ptr_equal(stream->smmu, smmus[0]);
	did("take %u; ", stream->sid);
	return no_stream;
}

void smmu_stream_done(struct smmu_stream *stream)
{
	did("free %u; ", stream->sid);
}

bool smmu_attach(struct smmu_stream *stream, struct stage2 *s2, const char *name)
{
	assert_ptr_equal(s2, &vm.stage2);
	assert_string_equal(name, "a");
	did("attach %u; ", stream->sid);
	return !deaf;
}

bool smmu_detach(struct smmu_stream *stream)
{
	did("detach %u; ", stream->sid);
	return !deaf;
}

static void stream(u32 device, u32 i, int smmu, u32 sid)
{
	config.pass[device].stream[i].smmu = smmu;
	config.pass[device].stream[i].sid = sid;
	config.pass[device].stream_count = i + 1;
}

/* Two devices: one with two streams, one that shares the first of them. */
static int setup(void **state)
{
	static u64 arena;
	static char *tree;
	size_t size;

	(void)state;
	feat.pa_bits = 48;
	if (!arena) {
		arena = (u64)aligned_alloc(ARENA, ARENA);
		tree = dts_compile(dts_machine, &size);
	}
	machine.fdt = tree;
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	memset(&vm, 0, sizeof(vm));
	config = (struct vm_config){ .name = "a", .pass_count = 2 };
	stream(0, 0, 1, 5);
	stream(0, 1, 1, 6);
	stream(1, 0, 1, 5);
	vm.config = &config;
	vm.stage2.pt.ia_bits = 40;
	done[0] = line[0] = '\0';
	deaf = false;
	no_stream = NULL;
	return 0;
}

static void assert_done(const char *what)
{
	assert_string_equal(done, what);
	done[0] = '\0';
}

static void lives(void **state)
{
	u64 before = page_free_count();

	(void)state;
	assert_null(vpass_build(&vm));
	assert_done("take 5; take 6; ");
	assert_true(vpass_confines(&vm));
	assert_true(vpass_start(&vm));
	assert_done("attach 5; attach 6; ");
	vpass_stop(&vm);
	vpass_stop(&vm);
	assert_done("detach 5; detach 6; detach 5; detach 6; ");
	assert_false(vm.devices_may_write);
	vpass_destroy(&vm);
	assert_done("free 5; free 6; ");
	vpass_destroy(&vm);
	assert_int_equal(page_free_count(), before);
}

static void refusals(void **state)
{
	(void)state;
	stream(1, 0, 2, 7);
	assert_non_null(strstr(vpass_build(&vm), "expected direct-map, or an SMMU that nidus can use"));
	vpass_destroy(&vm);
	vm.stage2.pt.ia_bits = 48;
	assert_non_null(strstr(vpass_build(&vm), "more address bits than its SMMU has"));
	vpass_destroy(&vm);
	setup(state);
	no_stream = "one whose stream another device has too";
	assert_non_null(strstr(vpass_build(&vm), "one whose stream another device has too"));
	vpass_destroy(&vm);
	assert_done("take 5; ");
}

/* Mapped 1:1 one without an SMMU is a VM's as well, but its memory is nobody else's afterwards. */
static void not_confined(void **state)
{
	(void)state;
	config.direct_map = true;
	stream(1, 0, 2, 7);
	assert_null(vpass_build(&vm));
	assert_false(vpass_confines(&vm));
	assert_true(vpass_start(&vm));
	assert_done("take 5; take 6; attach 5; attach 6; ");
	vpass_destroy(&vm);
	config.pass[1].stream_count = 0;
	assert_null(vpass_build(&vm));
	assert_false(vpass_confines(&vm));
	vpass_destroy(&vm);
	config.pass_count = 0;
	assert_null(vpass_build(&vm));
	assert_null(vm.pass);
	assert_true(vpass_start(&vm));
	vpass_stop(&vm);
}

/* An SMMU that does not answer: whatever it still has is not freed. */
static void deaf_smmu(void **state)
{
	u64 before = page_free_count();

	(void)state;
	assert_null(vpass_build(&vm));
	deaf = true;
	assert_false(vpass_start(&vm));
	vpass_stop(&vm);
	assert_true(vm.devices_may_write);
	vpass_destroy(&vm);
	assert_true(page_free_count() < before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lives, setup),
		cmocka_unit_test_setup(refusals, setup),
		cmocka_unit_test_setup(not_confined, setup),
		cmocka_unit_test_setup(deaf_smmu, setup),
	};

	return cmocka_run_group_tests_name("vpass", tests, NULL, NULL);
}
