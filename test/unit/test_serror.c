/* SPDX-License-Identifier: Apache-2.0 */
/* An SError interrupt that is pending when a CPU gets another vcpu, or idles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "traps/bank.h"
#include "state/cpu.h"
#include "exit/hwerror.h"
#include "exit/serror.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "exit/vcpu.h"
#include "simd/simd.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"


static struct cpu cpu;
static struct vm vm;
static struct vcpu vcpu;
static bool physical;   /* an SError interrupt is pending */
static bool before_dsb; /* it was found before the guest's accesses were complete */
static unsigned takes, requests, saved;

struct cpu *cpu_this(void)
{
	return &cpu;
}

/* ESB: what is pending and masked is deferred, and no longer pending. */
static void on_esb(u64 v)
{
	(void)v;
	before_dsb |= !fake_dsbs;
	if (feat.ras && physical) {
		fake_set("DISR_EL1", 1UL << 31 | 0x11 | 3 << 10);
		physical = false;
	}
}

static u64 on_isr(u64 stored)
{
	(void)stored;
	before_dsb |= !fake_dsbs || !fake_isbs;
	return (physical ? 1UL << 8 : 0) | 1UL << 7; /* and an IRQ */
}

void serror_take(void)
{
	assert_true(physical);
	physical = false;
	takes++;
	fake_set("ESR_EL2", 0xbf000000UL | 1UL << 24 | 5);
}

static bool survives;
static struct vcpu *blamed;
static unsigned reports;

bool hwerror_serror(struct vcpu *v, u64 syndrome)
{
	assert_int_equal(syndrome & 0x1ffffff, feat.ras ? 0xc11 : 0x1000005);
	reports++;
	blamed = v;
	return survives;
}

void vcpu_request(struct vcpu *v, u32 request)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(request, REQ_STOP | REQ_SERROR);
	assert_false(saved); /* its vcpu is still loaded: no other CPU can run it yet */
	requests++;
}

void simd_flush(struct vcpu *v)
{
	(void)v;
}

void vgic_put(struct vcpu *v)
{
	(void)v;
}

void vtimer_put(struct vcpu *v)
{
	(void)v;
}

void sysreg_save(struct vcpu *v)
{
	(void)v;
	saved++;
}

static void begin(bool ras, bool pending)
{
	fake_reset();
	memset(&cpu, 0, sizeof(cpu));
	memset(&vcpu, 0, sizeof(vcpu));
	feat = (struct feat){ .ras = ras };
	fake_on_write("ESB", on_esb);
	fake_on_read("ISR_EL1", on_isr);
	fake_isbs = fake_dsbs = takes = requests = saved = reports = 0;
	before_dsb = false;
	blamed = NULL;
	physical = pending;
	vcpu.vm = &vm;
}

static void put(bool ras, bool pending)
{
	begin(ras, pending);
	cpu.loaded = &vcpu;
	vcpu.loaded_cpu = &cpu;
	vcpu_put(&vcpu);
	assert_null(cpu.loaded);
	assert_int_equal(saved, 1);
	assert_false(before_dsb);
	/* Nothing is left pending for the next vcpu. */
	assert_false(physical);
	assert_int_equal(fake_get("DISR_EL1"), 0);
	assert_int_equal(reports, pending);
	assert_ptr_equal(blamed, pending ? &vcpu : NULL);
	assert_int_equal(requests, pending && !survives);
	assert_int_equal(takes, pending && !ras);
}

static void is_its_own(void **state)
{
	(void)state;
	for (u32 i = 0; i < 8; i++) {
		survives = i & 4;
		put(i & 1, i & 2);
	}
}

/* With no vcpu loaded it is reported, and nobody is stopped. */
static void of_none(void **state)
{
	(void)state;
	survives = false;
	for (u32 i = 0; i < 4; i++) {
		begin(i & 1, i & 2);
		fake_dsbs = 1;
		serror_poll();
		assert_int_equal(reports, !!(i & 2));
		assert_null(blamed);
		assert_int_equal(requests, 0);
		assert_false(physical);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_its_own),
		cmocka_unit_test(of_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
