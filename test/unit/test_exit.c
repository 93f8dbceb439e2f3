/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dispatch table: each of the 64 exception classes goes to its handler and is accounted as its
 * class.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nested/level.h"
#include "traps/reflect.h"
#include "simd/simd.h"
#include "exit/abort.h"
#include "exit/exit.h"
#include "exit/fast.h"
#include "exit/hvc.h"
#include "exit/sysreg_emul.h"
#include "state/vcpu.h"
#include "exit/wfx.h"
#include "nested/vncr.h"

static struct vcpu vcpu;
static struct exit exit_now;
static const char *handled;
static enum verdict verdict;

#define HANDLER(name)                                                                              \
	enum verdict name(struct vcpu *v, const struct exit *exit)                                 \
	{                                                                                          \
		assert_ptr_equal(v, &vcpu);                                                        \
		assert_ptr_equal(exit, &exit_now);                                                 \
		assert_null(handled);                                                              \
		handled = #name;                                                                   \
		return verdict;                                                                    \
	}
HANDLER(wfx_trap)
HANDLER(simd_trap)
HANDLER(hvc_trap)
HANDLER(smc_trap)
HANDLER(sysreg_trap)
HANDLER(iabt_trap)
HANDLER(dabt_trap)
HANDLER(level_eret)
HANDLER(vncr_trap)

static bool wanted, undefined;

bool reflect_wanted(const struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	if (!v->has_vel2 || v->in_vel2)
		fail_msg("asked what L1 wants of an exit that is not L2's");
	return wanted;
}

bool reflect_undefined(const struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	assert_true(v->has_vel2);
	return undefined;
}

/* DDI 0487, ESR_EL2.EC; what is not here is UNDEFINED for the guest, class OTHER. */
static const struct {
	u32 ec;
	const char *handler; /* NULL: UNDEF without one */
	enum exit_class class;
} rows[] = {
	{ 0x00, NULL, EXIT_CLASS_UNKNOWN },         { 0x01, "wfx_trap", EXIT_CLASS_WFX },
	{ 0x07, "simd_trap", EXIT_CLASS_FP_ASIMD }, { 0x09, NULL, EXIT_CLASS_PAC },
	{ 0x16, "hvc_trap", EXIT_CLASS_HVC },       { 0x17, "smc_trap", EXIT_CLASS_SMC },
	{ 0x18, "sysreg_trap", EXIT_CLASS_SYS },    { 0x19, "simd_trap", EXIT_CLASS_SVE },
	{ 0x1a, NULL, EXIT_CLASS_ERET },
	{ 0x1d, "simd_trap", EXIT_CLASS_SME },      { 0x20, "iabt_trap", EXIT_CLASS_IABT },
	{ 0x24, "dabt_trap", EXIT_CLASS_DABT },     { 0x25, "vncr_trap", EXIT_CLASS_DABT },
};

static void every_class(void **state)
{
	static const enum verdict verdicts[] = { RESUME, SKIP, REFLECT, UNDEF, SLEEP, DEAD, STOP_VM };

	(void)state;
	for (u32 ec = 0; ec < 64; ec++)
		for (size_t v = 0; v < ARRAY_SIZE(verdicts); v++) {
			const char *want = NULL;
			enum exit_class class = EXIT_CLASS_COUNT, want_class = EXIT_CLASS_OTHER;
			enum verdict got;

			for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
				if (rows[i].ec == ec) {
					want = rows[i].handler;
					want_class = rows[i].class;
				}
			handled = NULL;
			verdict = verdicts[v];
			/* ISS2 above the class and ISS below it must not matter. */
			exit_now.esr = 0x00ffffff00000000UL | (u64)ec << 26 | 0x3ffffff;
			got = exit_dispatch(&vcpu, &exit_now, &class);
			if ((want == NULL) != (handled == NULL) || (want && strcmp(want, handled)))
				fail_msg("EC %#x: handled by %s, want %s", ec,
					 handled ? handled : "nobody", want ? want : "nobody");
			if (got != (want ? verdict : UNDEF))
				fail_msg("EC %#x: verdict %d of %s", ec, got, handled);
			if (class != want_class)
				fail_msg("EC %#x: class %d, want %d", ec, class, want_class);
		}
}

/* Which classes have a fast path, of L2 and of vEL2. */
static void fast_paths(void **state)
{
	static exit_fast_fn *const want[64][2] = {
		[0x01] = { fast_trap, NULL },
		[0x07] = { fast_trap, NULL },
		[0x16] = { fast_hvc, NULL },
		[0x18] = { fast_trap, fast_sys_gprs },
		[0x19] = { fast_trap, NULL },
		[0x1a] = { fast_trap, fast_eret },
		[0x1d] = { fast_trap, NULL },
		[0x20] = { fast_abort, NULL },
		[0x24] = { fast_abort, fast_mmio_gprs },
	};

	(void)state;
	for (u32 ec = 0; ec < 64; ec++) {
		for (u32 in_vel2 = 0; in_vel2 < 2; in_vel2++)
			if (exit_table[ec].fast[in_vel2] != want[ec][in_vel2])
				fail_msg("EC %#x: another fast path, or none", ec);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (rows[i].ec == ec)
				assert_int_equal(exit_class((u64)ec << 26), rows[i].class);
	}
	assert_int_equal(exit_class(0x3fUL << 26), EXIT_CLASS_OTHER);
}

/* Only vEL2's ERETs are emulated; other contexts cannot trap by anything that nidus sets. */
static void eret_of_vel2(void **state)
{
	enum exit_class class;

	(void)state;
	vcpu = (struct vcpu){ .has_vel2 = true, .in_vel2 = true };
	wanted = true;
	undefined = false;
	handled = NULL;
	verdict = RESUME;
	exit_now.esr = 0x1aUL << 26;
	assert_int_equal(exit_dispatch(&vcpu, &exit_now, &class), RESUME);
	assert_string_equal(handled, "level_eret");
	assert_int_equal(class, EXIT_CLASS_ERET);
	vcpu.in_vel2 = wanted = false;
	handled = NULL;
	assert_int_equal(exit_dispatch(&vcpu, &exit_now, &class), UNDEF);
	assert_null(handled);
}

/* What L1 traps of L2 is reflected before any handler sees it; it is accounted by its own class. */
static void l1_comes_first(void **state)
{
	enum exit_class class;

	(void)state;
	vcpu = (struct vcpu){ .has_vel2 = true };
	wanted = undefined = true;
	verdict = SKIP;
	for (u32 ec = 0; ec < 64; ec++) {
		exit_now.esr = (u64)ec << 26;
		handled = NULL;
		if (exit_dispatch(&vcpu, &exit_now, &class) != REFLECT || handled)
			fail_msg("EC %#x: handled by %s", ec, handled);
	}
	assert_int_equal(class, EXIT_CLASS_OTHER);
	wanted = undefined = false;
	handled = NULL;
	exit_now.esr = 0x18UL << 26;
	assert_int_equal(exit_dispatch(&vcpu, &exit_now, &class), SKIP);
	assert_string_equal(handled, "sysreg_trap");
}

/*
 * HVC with HCR_EL2.HCD is UNDEFINED at EL1 and at EL2; the exception is taken at the HVC, which PC
 * is behind.
 */
static void hvc_disabled(void **state)
{
	enum exit_class class;

	(void)state;
	for (u32 hyp = 0; hyp < 2; hyp++) {
		vcpu = (struct vcpu){ .has_vel2 = true, .in_vel2 = hyp, .pc = 0x1004 };
		wanted = false;
		undefined = true;
		handled = NULL;
		exit_now = (struct exit){ .esr = 0x16UL << 26, .elr = 0x1004 };
		assert_int_equal(exit_dispatch(&vcpu, &exit_now, &class), UNDEF);
		assert_null(handled);
		assert_int_equal(vcpu.pc, 0x1000);
		assert_int_equal(class, EXIT_CLASS_HVC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class),
		cmocka_unit_test(fast_paths),
		cmocka_unit_test(eret_of_vel2),
		cmocka_unit_test(l1_comes_first),
		cmocka_unit_test(hvc_disabled),
	};

	return cmocka_run_group_tests_name("exit", tests, NULL, NULL);
}
