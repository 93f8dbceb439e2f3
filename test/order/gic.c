/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GIC: inputs and accesses of others while a vcpu chooses what its list registers hold,
 * enters its guest, leaves its CPU. Whatever is pending is taken, once, by whom it is for, and what
 * has been switched off is not.
 */
#include "gic.h"

#include <string.h>

#include "arch/gicv3.h"
#include "arch/hcr.h"
#include "exit/vcpu.h"
#include "guest.h"
#include "state/cpu.h"
#include "state/runq.h"
#include "vgic/internal.h"

#define WORD (SPI / 32)
#define BIT_OF(intid) (1u << (intid) % 32)

static u64 words[512]; /* L1's page */

static struct spi32 *spis(void)
{
	return &VM->vgic.spis->word[WORD];
}

void gic_setup(void)
{
	guest_setup();
	spis()->s.edge = ~0u;
	for (u32 i = 0; i < 2; i++) {
		guest_runs(i);
		(void)guest_look(&vcpus[i]);
	}
}

void gic_setup_full(void)
{
	gic_setup();
	fake_cpu = (int)(me = 0);
	/* A line in a list register has fallen. */
	vgic_set_ppi(&vcpus[0], PPI, true);
	(void)guest_look(&vcpus[0]);
	vgic_set_ppi(&vcpus[0], PPI, false);
}

void gic_setup_placed(void)
{
	gic_setup();
	vgic_set_spi(VM, SPI, true);
	fake_cpu = (int)(me = 0);
	(void)guest_look(&vcpus[0]);
}

void gic_setup_any(void)
{
	gic_setup();
	spis()->any = ~0u;
}

void gic_setup_l2(void)
{
	gic_setup();
	fake_cpu = (int)(me = 0);
	memset(words, 0, sizeof(words));
	words[VNCR_HCR_EL2 / 8] = HCR_IMO | HCR_FMO;
	vcpus[0].vncr = words;
	memset(&VM->nested, 0xff, sizeof(VM->nested)); /* all bits exist */
	vcpus[0].has_vel2 = true;
	vgic_level_switch(&vcpus[0]);
	(void)guest_look(&vcpus[0]);
}

void gic_setup_sleeps(void)
{
	guest_setup();
	sched_start(&vcpus[0]);
	script[steps++] = RUN_SLEEP;
	guest_runs(1);
	(void)guest_look(&vcpus[1]);
}

void gic_setup_away(void)
{
	gic_setup();
	fake_cpu = (int)(me = 0);
	vcpu_put(&vcpus[0]);
}

/* ---- who does what ---- */

void gic_spi(void)
{
	vgic_set_spi(VM, SPI, true);
	vgic_set_spi(VM, SPI, false);
}

void gic_ppi(void)
{
	vgic_set_ppi(&vcpus[0], PPI, true);
}

void gic_sgi(void)
{
	(void)vgic_sgi(&vcpus[1], 1, true);
}

/* Vcpu me writes a register: run.c handles the exit until it is over. */
static void write(mmio_fn *fn, u64 offset, u64 data)
{
	struct vcpu *v = &vcpus[me];
	struct mmio m = { .write = true, .size = 4, .offset = offset, .data = data };

	for (;;) {
		m.waits = false;
		(void)fn(v, VM, &m);
		if (!m.waits)
			break;
		irq_handle();
		(void)guest_look(v);
	}
	vgic_ask_drop(v);
}

void gic_two(void)
{
	write(vgic_dist_access, GICD_ISPENDR + 4 * WORD, BIT_OF(SPI));
	write(vgic_dist_access, GICD_ISPENDR + 4 * WORD, BIT_OF(SPI + 1));
	write(vgic_dist_access, GICD_ICPENDR + 4 * WORD, BIT_OF(SPI + 1));
	guest_loop();
}

void gic_urgent(void)
{
	write(vgic_dist_access, GICD_ISPENDR + 4 * WORD, BIT_OF(SPI));
	write(vgic_dist_access, GICD_IPRIORITYR + SPI, 0x80808080);
	guest_loop();
}

void gic_route(void)
{
	write(vgic_dist_access, GICD_IROUTER + 8 * SPI, 1);
	guest_loop();
}

void gic_disable(void)
{
	write(vgic_dist_access, GICD_ICENABLER + 4 * WORD, BIT_OF(SPI));
	guest_closed = true;
	guest_loop();
}

void gic_close(void)
{
	write(vgic_dist_access, GICD_CTLR, 0);
	guest_closed = true;
	guest_loop();
}

void gic_pend_private(void)
{
	write(vgic_redist_access, GICR_SGI + GICD_ISPENDR, 1);
	guest_loop();
}

static bool never(void)
{
	return false;
}

void gic_off(void)
{
	struct vcpu *v = &vcpus[me];

	while (!vgic_finish(v)) {
		irq_handle();
		(void)guest_look(v);
	}
	vcpu_put(v);
	vgic_vcpu_off(v);
	__atomic_store_n(&v->state, VCPU_OFF, __ATOMIC_SEQ_CST);
	wait_until(never);
}

void gic_group_off(void)
{
	sysreg_write(ICH_VMCR_EL2, sysreg_read(ICH_VMCR_EL2) & ~ICH_VMCR_ENG1);
	guest_loop();
}

void gic_load(void)
{
	vcpu_load(&vcpus[me]);
	guest_loop();
}

/* ---- what must be ---- */

/* Each SPI in a list register has the owner that holds it. */
static const char *wrong_owners(void)
{
	const struct spi32 *w = spis();

	for (u32 n = 0; n < 32; n++) {
		u32 held = 0;

		for (u32 i = 0; i < 2; i++)
			for (u32 used = vcpus[i].vgic.lr_used; used; used &= used - 1)
				if (vcpus[i].vgic.lr_intid[__builtin_ctz(used)] == 32 * WORD + n)
					held += 1 + (w->owner[n] != i);
		if (held != (w->s.inlr >> n & 1))
			return "an SPI in a list register has another owner";
	}
	return NULL;
}

/* It was taken once, by vcpu n (2: either). */
static const char *wrong_taken(u32 intid, u32 n)
{
	u32 count = n < 2 ? taken[n][intid] : taken[0][intid] + taken[1][intid];

	if (count != 1)
		return count ? "it is taken twice" : "it is not taken";
	return wrong_owners();
}

const char *gic_wrong_sgi(void)
{
	return wrong_taken(0, 0);
}

const char *gic_wrong_ppi(void)
{
	return wrong_taken(PPI, 0);
}

const char *gic_wrong_spi(void)
{
	return wrong_taken(SPI, 0);
}

const char *gic_wrong_two(void)
{
	if (taken[0][SPI + 1] > 1)
		return "what was withdrawn is taken twice";
	return wrong_taken(SPI, 0);
}

const char *gic_wrong_once(void)
{
	return wrong_taken(SPI, 2);
}

const char *gic_wrong_closed(void)
{
	return guest_taken_closed ? "it is taken though it was switched off" : wrong_owners();
}

const char *gic_wrong_l1(void)
{
	if (!taken_out)
		return "L2 is not left";
	return taken[0][0] + taken[0][SPI] == 1 ? wrong_owners() : "L1 does not get it";
}

const char *gic_wrong_private(void)
{
	return wrong_taken(0, 0);
}
