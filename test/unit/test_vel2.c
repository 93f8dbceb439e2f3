/* SPDX-License-Identifier: Apache-2.0 */
/* A vcpu with a virtual EL2: its page, its reset state, and the registers of vEL2 that trap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "boot/config.h"
#include "lib/log.h"
#include "mm/page.h"
#include "nested/shadow.h"
#include "traps/vel2.h"
#include "state/vncr.h"
#include "state/vcpu.h"
#include "state/vm.h"

static const struct vm_config with_vhe = { .name = "a" };
static struct vm vm;
static struct vcpu vcpu;
static u64 page[VNCR_WORDS] __attribute__((aligned(4096)));
static bool no_memory;
static unsigned frees;

u64 page_alloc_zero(void)
{
	return no_memory ? 0 : (u64)page;
}

void page_free(u64 at, u32 order)
{
	assert_int_equal(at, (u64)page);
	assert_int_equal(order, 0);
	frees++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(page, 0, sizeof(page));
	no_memory = false;
	frees = 0;
	vcpu.vm = &vm;
	vm.config = &with_vhe;
	vcpu.vncr = page;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vcpu.simd.vl = vcpu.simd.svl = 16; /* nothing hidden in CPACR_EL1 */
	vm.nested.cptr = CPTR_FPEN | CPTR_ZEN | CPTR_SMEN | CPTR_TCPAC;
	vm.nested.mdcr = 0xf00;
	return 0;
}

static void life(void **state)
{
	struct vcpu v = { .vm = &vm };

	(void)state;
	no_memory = true;
	assert_int_not_equal(vel2_init(&v), 0);
	vel2_destroy(&v);
	assert_int_equal(frees, 0);
	no_memory = false;
	assert_int_equal(vel2_init(&v), 0);
	assert_ptr_equal(v.vncr, page);
	assert_true(v.has_vel2 && v.in_vel2);
	vel2_destroy(&v);
	vel2_destroy(&v); /* of a VM whose creation failed later on */
	assert_int_equal(frees, 1);
}

/*
 * HCR_EL2.E2H = 0, or TCR_EL2 with the RES1 bits of that format (31, 23) and none of E2H = 1's
 * above bit 31: reported once in a boot.
 */
static unsigned lines;
static char last_line[256];

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_line, sizeof(last_line), fmt, ap);
	va_end(ap);
	lines++;
}

static void tcr(u64 v)
{
	assert_int_equal(twin_TCR_EL2(&vcpu, SR_TCR_EL2, true, &v), SKIP);
	assert_int_equal(fake_get("TCR_EL12"), v);
}

static void without_vhe(void **state)
{
	static const struct vm_config config = { .name = "xen" };

	(void)state;
	vm.config = &config;
	lines = 0;
	page[0x78 / 8] = 1UL << 34 | 1UL << 31;
	assert_true(vel2_with_vhe(&vcpu));
	tcr(0x5b5993519);        /* a VHE Linux's: IPS, TG1 */
	tcr(0x100000000 | 1UL << 31 | 1UL << 23);
	tcr(1UL << 31);
	assert_int_equal(lines, 0);
	tcr(0x80853510);         /* as Xen has it */
	tcr(0x80853510);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(last_line, "vm xen: "));
	assert_non_null(strstr(last_line, "VHE"));
	vm.e2h_said = false;
	page[0x78 / 8] = 1UL << 31;
	assert_false(vel2_with_vhe(&vcpu));
	vel2_report_vhe(&vcpu);
	vel2_report_vhe(&vcpu);
	assert_int_equal(lines, 2);
}

static void reset(void **state)
{
	struct shadow used = { .users = 1 };

	(void)state;
	memset(page, 0xff, sizeof(page));
	vm.id_regs.v[IDX_MIDR_EL1] = 0x410fd0c1;
	vcpu.vmpidr = 0x80000003;
	vcpu.in_vel2 = false;
	vcpu.reflection.device = true;
	vcpu.shadow.count = 1;
	vcpu.shadow.ref[0] = &used;
	vcpu.sr[SR_CPACR_EL1] = ~0UL;
	vel2_reset(&vcpu);
	assert_true(vcpu.in_vel2);
	assert_false(vcpu.reflection.device);
	for (u32 i = 0; i < VNCR_WORDS; i++) {
		u64 want = 0;

		if (i == 0x078 / 8) /* HCR_EL2: E2H and RW are RES1 */
			want = 1UL << 34 | 1UL << 31;
		if (i == 0x088 / 8) /* VPIDR_EL2, VMPIDR_EL2: warm reset values */
			want = 0x410fd0c1;
		if (i == 0x050 / 8)
			want = 0x80000003;
		if (page[i] != want)
			fail_msg("slot %#x: %#lx", i * 8, page[i]);
	}
	/* CPTR_EL2 is 0, and it is vEL2's CPACR_EL1. */
	assert_int_equal(vcpu.sr[SR_CPACR_EL1], 0);
	/*
	 * A reference that is not dropped is a shadow that is never free again: CPU_OFF and CPU_ON
	 * would use them up.
	 */
	assert_int_equal(vcpu.shadow.count, 1);
	assert_ptr_equal(vcpu.shadow.ref[0], &used);
}

static const struct {
	enum sysreg_id id;
	sysreg_fn *access;
	const char *reg;
} twins[] = {
	{ SR_SCTLR_EL2, twin_SCTLR_EL2, "SCTLR_EL12" },
	{ SR_TTBR0_EL2, twin_TTBR0_EL2, "TTBR0_EL12" },
	{ SR_TTBR1_EL2, twin_TTBR1_EL2, "TTBR1_EL12" },
	{ SR_TCR_EL2, twin_TCR_EL2, "TCR_EL12" },
	{ SR_AFSR0_EL2, twin_AFSR0_EL2, "AFSR0_EL12" },
	{ SR_AFSR1_EL2, twin_AFSR1_EL2, "AFSR1_EL12" },
	{ SR_MAIR_EL2, twin_MAIR_EL2, "MAIR_EL12" },
	{ SR_AMAIR_EL2, twin_AMAIR_EL2, "AMAIR_EL12" },
	{ SR_VBAR_EL2, twin_VBAR_EL2, "VBAR_EL12" },
	{ SR_CONTEXTIDR_EL2, twin_CONTEXTIDR_EL2, "CONTEXTIDR_EL12" },
};

static void twin_registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++) {
		u64 v = 0x1234500 + i;

		assert_int_equal(twins[i].access(&vcpu, twins[i].id, true, &v), SKIP);
		if (fake_get(twins[i].reg) != v || fake_writes_total() != i + 1)
			fail_msg("%s: %#lx, %u writes in all", twins[i].reg, fake_get(twins[i].reg),
				 fake_writes_total());
		fake_set(twins[i].reg, v + 0x100);
		v = 0;
		assert_int_equal(twins[i].access(&vcpu, twins[i].id, false, &v), SKIP);
		if (v != 0x1234600 + i)
			fail_msg("%s reads %#lx", twins[i].reg, v);
	}
}

/*
 * MDCR_EL2 has the bits of the features that the VM is shown, HPFAR_EL2 its FIPA; the rest is RES0.
 */
static void kept_registers(void **state)
{
	u64 v = ~0UL;

	(void)state;
	assert_int_equal(emul_el2(&vcpu, SR_MDCR_EL2, true, &v), SKIP);
	assert_int_equal(emul_el2(&vcpu, SR_MDCR_EL2, false, &v), SKIP);
	assert_int_equal(v, 0xf00);
	v = ~0UL;
	assert_int_equal(emul_el2(&vcpu, SR_HPFAR_EL2, true, &v), SKIP);
	assert_int_equal(emul_el2(&vcpu, SR_HPFAR_EL2, false, &v), SKIP);
	assert_int_equal(v, 0x00000ffffffffff0);
	assert_int_equal(fake_writes_total(), 0);
}

/*
 * CPTR_EL2 (E2H = 1): FPEN 21:20, ZEN 17:16, SMEN 25:24 are CPACR_EL1's at the same place; TCPAC 31
 * is not.
 */
static void cptr(void **state)
{
	u64 v = ~0UL;

	(void)state;
	assert_int_equal(emul_cptr(&vcpu, SR_CPTR_EL2, true, &v), SKIP);
	assert_int_equal(vcpu.sr[SR_CPTR_EL2], 0x83330000);
	assert_int_equal(fake_get("CPACR_EL12"), 0x03330000);
	assert_int_equal(vcpu.sr[SR_CPACR_EL1], 0x03330000);
	v = 0;
	assert_int_equal(emul_cptr(&vcpu, SR_CPTR_EL2, false, &v), SKIP);
	assert_int_equal(v, 0x83330000);
	v = 0x00100000;
	emul_cptr(&vcpu, SR_CPTR_EL2, true, &v);
	assert_int_equal(fake_get("CPACR_EL12"), 0x00100000);
}

/* An L2, for which they do not exist, reads nothing and changes nothing. */
static void not_for_l2(void **state)
{
	(void)state;
	vcpu.in_vel2 = false;
	for (u32 write = 0; write < 2; write++) {
		u64 v = 5;

		for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
			assert_int_equal(twins[i].access(&vcpu, twins[i].id, write, &v), UNDEF);
		assert_int_equal(emul_el2(&vcpu, SR_MDCR_EL2, write, &v), UNDEF);
		assert_int_equal(emul_cptr(&vcpu, SR_CPTR_EL2, write, &v), UNDEF);
	}
	assert_int_equal(fake_writes_total(), 0);
	assert_int_equal(vcpu.sr[SR_MDCR_EL2], 0);
	assert_int_equal(vcpu.sr[SR_CPTR_EL2], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(life, setup),
		cmocka_unit_test_setup(without_vhe, setup),
		cmocka_unit_test_setup(reset, setup),
		cmocka_unit_test_setup(twin_registers, setup),
		cmocka_unit_test_setup(kept_registers, setup),
		cmocka_unit_test_setup(cptr, setup),
		cmocka_unit_test_setup(not_for_l2, setup),
	};

	return cmocka_run_group_tests_name("vel2", tests, NULL, NULL);
}
