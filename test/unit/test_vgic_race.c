/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another CPU does to SPIs in the middle of a flush: at each register that vcpu 0's flush
 * reads or writes, vcpu 1 gets a turn. In every case an SPI in a list register has the one owner
 * that holds it, and what a flush without the lock leaves alone comes with the next one.
 */
#include "vgic/internal.h"

#include "gic_model.h"

enum { QUIET, PEND, WITHDRAW, OVER };
static int step;

/*
 * vcpu 1 acts on a CPU that is not the current one; not while the flush holds the lock, for which
 * it would wait.
 */
static bool other(u32 reg, u32 intid)
{
	int self = fake_cpu;

	if (__atomic_load_n(&vm.vgic.lock.held, __ATOMIC_RELAXED))
		return false;
	bit_wr(&vcpu[1], 0, intid, reg);
	fake_cpu = self;
	return true;
}

/* After the check for what needs a list register. */
static u64 on_vmcr(u64 stored)
{
	if (step == PEND && other(GICD_ISPENDR, 40) && other(GICD_ISPENDR, 41))
		step = WITHDRAW;
	return stored;
}

/* While interrupts are placed. */
static void on_lr(u64 v)
{
	if (step == WITHDRAW && (v & ICH_LR_STATE) && other(GICD_ICPENDR, 41))
		step = OVER;
}

static void owners_check(void)
{
	for (u32 word = 1; word < VGIC_WORDS; word++) {
		const struct spi32 *w = &vm.vgic.spis->word[word];

		for (u32 n = 0; n < 32; n++) {
			u32 held = 0;

			for (u32 i = 0; i < vm.vcpu_count; i++)
				for (u32 used = vcpu[i].vgic.lr_used; used; used &= used - 1)
					if (vcpu[i].vgic.lr_intid[__builtin_ctz(used)] ==
					    word * 32 + n) {
						held++;
						assert_int_equal(w->owner[n], i);
					}
			assert_int_equal(held, w->s.inlr >> n & 1);
		}
	}
}

/* A full flush that starts while no SPI is pending, for a PPI whose line rose and fell. */
static void comes_while_unlocked(void **state)
{
	(void)state;
	vm_up(2, 4);
	open_up();
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	bit_wr(&vcpu[0], 0, 41, GICD_ISENABLER);
	enter(&vcpu[0]);
	fake_on_read("ICH_VMCR_EL2", on_vmcr);
	for (u32 i = 0; i < 4; i++)
		fake_on_write(lr_name[i], on_lr);
	vgic_set_ppi(&vcpu[0], 30, true);
	vgic_set_ppi(&vcpu[0], 31, true);
	enter(&vcpu[0]);
	vgic_set_ppi(&vcpu[0], 30, false);
	step = PEND;
	fake_cpu = 0;
	vgic_flush(&vcpu[0]);
	assert_int_not_equal(step, PEND); /* it came in between */
	owners_check();
	assert_true(vcpu[0].vgic.stale || step == OVER); /* and is not lost */
	step = QUIET;
	bit_wr(&vcpu[1], 0, 41, GICD_ISPENDR);
	enter(&vcpu[0]);
	owners_check();
	vgic_set_ppi(&vcpu[0], 31, false);
	enter(&vcpu[0]);
	for (u32 n = 0; n < 2; n++) {
		u32 intid = hw_ack(1);

		assert_int_equal(intid, 40 + n);
		hw_eoi(intid, 1);
	}
	vm_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_while_unlocked),
	};

	return cmocka_run_group_tests_name("vgic: what comes in the middle of a flush", tests, NULL,
					   NULL);
}
