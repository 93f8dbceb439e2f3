/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow stage 2: whatever L1 does to its tables, after its TLBI the shadow is the composition of
 * L1's translation and the VM's; and what a change does not affect is not invalidated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"
#include "arch/pgtable.h"
#include "nested/shadow.h"
#include "nested/shadow_tables.h"
#include "nested/tlbi.h"
#include "nested/walk_vm.h"
#include "nested_vm.h"

static u64 seed = 3;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL >> 16;
}

static u64 root_a, root_b;

static int setup_blocks(u32 vcpus, u64 block)
{
	nv_setup(vcpus, block);
	assert_int_equal(shadow_vm_init(&nv_vm), 0);
	root_a = nv_table();
	root_b = nv_table();
	for (u32 i = 0; i < vcpus; i++)
		nv_l1(i, 7, root_a);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_blocks(2, 0);
}

/* Pretend that the VM has so much RAM that its shadows may be large; there is none behind it. */
static int setup_large(void **state)
{
	(void)state;
	nv_setup(2, 0);
	nv_vm.ram[2] = (struct vm_ram){ BIT(39), BIT(39), GIB(3) };
	nv_vm.ram_chunks = 3;
	assert_int_equal(shadow_vm_init(&nv_vm), 0);
	nv_vm.ram_chunks = 2;
	root_a = nv_table();
	return 0;
}

static int teardown(void **state)
{
	u64 all;

	(void)state;
	all = page_free_count();
	while (shadow_vm_destroy_piece(&nv_vm))
		;
	assert_true(page_free_count() > all);
	stage2_destroy(&nv_vm.stage2);
	assert_int_equal(page_free_count(), page_total());
	return 0;
}

static struct shadow *enter(u32 vcpu)
{
	struct shadow *s;

	for (int n = 0; !(s = shadow_find(&nv_vcpu[vcpu])); n++)
		assert_true(n < 2000);
	nv_vcpu[vcpu].in_vel2 = false;
	shadow_load(&nv_vcpu[vcpu], s);
	return s;
}

static enum shadow_verdict fault(u32 vcpu, u64 l2, bool write, struct reflection *r)
{
	struct exit e = nv_abort(l2, write, false, ESR_FSC_TRANSLATION | 3);
	struct reflection dummy;

	return shadow_fault(&nv_vcpu[vcpu], &e, r ? r : &dummy);
}

static bool mapped(struct shadow *s, u64 l2)
{
	struct pgtable_leaf leaf;

	return pgtable_lookup(&s->s2.pt, l2, &leaf);
}

/* What run.c does before the vcpu is entered again; returns how many times. */
static unsigned work(u32 vcpu)
{
	struct vcpu *v = &nv_vcpu[vcpu];
	unsigned n = 0;

	for (; v->requests & REQ_WORK; n++) {
		assert_true(n < 2000);
		v->requests = 0;
		shadow_work(v);
	}
	return n;
}

/* L1 at vEL2 executes a TLBI, with everything that follows from it. */
static unsigned tlbi(u32 vcpu, u32 op1, u32 crm, u32 op2, u64 arg)
{
	struct vcpu *v = &nv_vcpu[vcpu];
	struct exit e = { .esr = ESR(EC_SYS64, SYSREG_KEY(1, op1, 8, crm, op2) | 3u << 5),
			  .spsr = 9 };
	unsigned n;

	v->in_vel2 = true;
	v->gpr[3] = arg;
	assert_int_equal(tlbi_trap(v, &e), SKIP);
	n = work(vcpu);
	v->in_vel2 = false;
	return n;
}

/* TLBI IPAS2E1IS */
static void tlbi_ipa(u32 vcpu, u64 l2, u64 ttl)
{
	tlbi(vcpu, 4, 0, 1, l2 >> 12 | ttl << 44);
}

/* TLBI RIPAS2E1IS of num + 1 times 8 KiB << 5 * scale, without TTL. */
static void tlbi_range(u32 vcpu, u64 l2, u64 scale, u64 num)
{
	tlbi(vcpu, 4, 0, 2, l2 >> 12 | num << 39 | scale << 44 | 1UL << 46);
}

/* ---- one fault ---- */

static void a_page_is_composed(void **state)
{
	struct shadow *s = enter(0);
	struct pgtable_leaf leaf;

	(void)state;
	nv_map(root_a, 0x80001000, NV_RAM + 0x5000, 3, NV_RO);
	assert_int_equal(fault(0, 0x80001234, false, NULL), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, 0x80001234, &leaf));
	assert_int_equal(leaf.oa, nv_ram_pa + 0x5234);
	assert_int_equal(leaf.size, PAGE_SIZE);
	assert_int_equal(leaf.attr & (S2_AP_READ | S2_AP_WRITE | S2_XN), S2_AP_READ);
	assert_false(mapped(s, 0x80002000));
	assert_int_equal(fake_get("VTTBR_EL2"), s->s2.vttbr);
}

/* L1 has RAM at 0, with its tables there, and what they map; L2 has it at 0 as well. */
static void all_at_zero(void **state)
{
	struct shadow_cursor c = { 0 };
	struct pgtable_leaf leaf;
	struct shadow *s;
	u64 *low;

	(void)state;
	low = (u64 *)nv_ram_pa;
	memset(low, 0, 4 * PAGE_SIZE);
	/* The first 2 MiB are mapped, and nothing else. */
	nv_vm.ram[2] = nv_vm.ram[0];
	nv_vm.ram[2].ipa += MIB(2);
	nv_vm.ram[2].pa += MIB(2);
	nv_vm.ram[2].size -= MIB(2);
	nv_vm.ram[0] = (struct vm_ram){ 0, nv_ram_pa, MIB(2) };
	nv_vm.ram_chunks = 3;
	assert_int_equal(stage2_unmap(&nv_vm.stage2, ipa(NV_RAM), MIB(2)), 0);
	assert_int_equal(
		stage2_map(&nv_vm.stage2, ipa(0), pa(nv_ram_pa), MIB(2), STAGE2_RAM), 0);
	/* Level 1 at 0 leads to level 2 behind it and, for the second GiB, to itself. */
	low[0] = PAGE_SIZE | 3;
	low[1] = 3;
	low[PAGE_SIZE / 8] = 2 * PAGE_SIZE | 3;
	low[2 * PAGE_SIZE / 8] = NV_RW | 3; /* level 3: L2's page 0 is L1's */
	low[2 * PAGE_SIZE / 8 + 1] = 3 * PAGE_SIZE | NV_RO | 3;
	nv_l1(0, 1, 0);
	s = enter(0);
	assert_int_equal(fault(0, 0x10, true, NULL), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, 0x10, &leaf));
	assert_int_equal(leaf.oa, nv_ram_pa + 0x10);
	/* From the table that the last walk ended in. */
	assert_int_equal(fault(0, PAGE_SIZE, false, NULL), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, PAGE_SIZE, &leaf));
	assert_int_equal(leaf.oa, nv_ram_pa + 3 * PAGE_SIZE);
	assert_int_equal(fault(0, 2 * PAGE_SIZE, false, NULL), SHADOW_REFLECT);
	/* Level 2 at 0: its first entry is level 3 behind it, whose first is level 2's table. */
	assert_int_equal(fault(0, GIB(1), false, NULL), SHADOW_REFLECT);
	low[PAGE_SIZE / 8 + 5] = NV_RW | 3;
	assert_int_equal(fault(0, GIB(1) + 5 * PAGE_SIZE, true, NULL), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, GIB(1) + 5 * PAGE_SIZE, &leaf));
	assert_int_equal(leaf.oa, nv_ram_pa);
	/* Both of L2's pages for L1's page 0 are unmapped with it, and no other. */
	while (shadow_unmap_ipa(&nv_vm, ipa(0), PAGE_SIZE, &c))
		;
	assert_false(mapped(s, 0) || mapped(s, GIB(1) + 5 * PAGE_SIZE));
	assert_true(mapped(s, PAGE_SIZE));
	tlbi_ipa(0, PAGE_SIZE, 0);
	assert_false(mapped(s, PAGE_SIZE));
	assert_int_equal(fault(0, 0, true, NULL), SHADOW_RETRY);
	tlbi_ipa(0, 0, 0);
	assert_false(mapped(s, 0));
}

/* A fault for L1, with L1's level, at L1's address. */
static void faults_are_l1s(void **state)
{
	struct reflection r;
	struct exit e;

	(void)state;
	enter(0);
	nv_map(root_a, 0x80001000, NV_RAM + 0x5000, 3, NV_RO);
	assert_int_equal(fault(0, 0x80002678, true, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr, ESR(EC_DABT_LOW, DABT_ISV | DABT_WNR | 7));
	assert_int_equal(r.far, 0xffff000000000678UL);
	assert_int_equal(r.hpfar, 0x80002UL << 4);
	assert_int_equal(fault(0, 0xc0000000, false, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr, ESR(EC_DABT_LOW, DABT_ISV | 5));
	/* The hardware found nothing, L1 forbids it: permission, level 3. */
	assert_int_equal(fault(0, 0x80001000, true, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr, ESR(EC_DABT_LOW, DABT_ISV | DABT_WNR | 15));
	/* Out of range of T0SZ: level 0. */
	assert_int_equal(fault(0, 1UL << 39, false, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr & 63, 4);
	/* Access flag; a table outside of RAM; execute-never for EL0 alone. */
	nv_map(root_a, 0x80003000, NV_RAM, 3, NV_RW & ~BIT(10));
	assert_int_equal(fault(0, 0x80003000, false, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr & 63, 11);
	*nv_entry(root_a, 0x100000000, 1) = NV_DEVICE | 3;
	assert_int_equal(fault(0, 0x100000000, false, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr & 63, 0x16);
	nv_map(root_a, 0x80004000, NV_RAM, 3, NV_RW | 3UL << 53);
	e = nv_abort(0x80004000, false, true, 7);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	e.spsr = 0;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr, ESR(EC_IABT_LOW, 15));
	/* A walk of L2's own: S1PTW stays. */
	e = nv_abort(0x80009000, false, false, 7);
	e.esr |= ABT_S1PTW;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr & (ABT_S1PTW | 63), ABT_S1PTW | 7);
}

static void devices_are_nidus_s(void **state)
{
	struct reflection r;

	(void)state;
	enter(0);
	nv_map(root_a, 0x80001000, NV_DEVICE, 3, NV_RW);
	assert_int_equal(fault(0, 0x80001018, false, &r), SHADOW_DEVICE);
	assert_int_equal(r.ipa.a, NV_DEVICE + 0x18);
}

/* HCR_EL2.VM=0: L2's addresses are L1's; still a shadow of its own. */
static void without_stage2(void **state)
{
	struct shadow *with = enter(0), *s;
	struct pgtable_leaf leaf;
	struct reflection r;

	(void)state;
	vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_E2H | HCR_RW);
	s = enter(0);
	assert_ptr_not_equal(s, with);
	assert_int_not_equal(s->s2.vmid, with->s2.vmid);
	assert_int_equal(fault(0, NV_RAM + 0x3000, true, NULL), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, NV_RAM + 0x3000, &leaf));
	assert_int_equal(leaf.oa, nv_ram_pa + 0x3000);
	assert_int_equal(fault(0, NV_DEVICE, false, &r), SHADOW_DEVICE);
	assert_int_equal(r.ipa.a, NV_DEVICE);
	/* Unused tables make no difference, and TLBIs of stage 2 do not apply. */
	vncr_write(&nv_vcpu[0], VNCR_VTTBR_EL2, 7UL << 48 | root_b);
	assert_ptr_equal(enter(0), s);
	tlbi_ipa(0, NV_RAM + 0x3000, 0);
	assert_true(mapped(s, NV_RAM + 0x3000));
	vncr_write(&nv_vcpu[0], VNCR_VTTBR_EL2, 7UL << 48 | root_a);
	/* HCR_EL2.DC switches stage 2 on. */
	vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_E2H | HCR_RW | HCR_DC);
	assert_ptr_equal(enter(0), with);
}

static void attributes_are_the_stricter(void **state)
{
	static const struct {
		u64 l1, want;
	} t[] = { { 15, 15 }, { 5, 5 }, { 0, 0 }, { 1, 1 }, { 3, 3 }, { 10, 10 }, { 13, 13 } };
	struct shadow *s = enter(0);
	struct pgtable_leaf leaf;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		u64 l2 = 0x80000000 + i * PAGE_SIZE;

		nv_map(root_a, l2, NV_RAM + i * PAGE_SIZE, 3,
		       (NV_RW & ~(15UL << 2)) | t[i].l1 << 2);
		assert_int_equal(fault(0, l2, false, NULL), SHADOW_RETRY);
		assert_true(pgtable_lookup(&s->s2.pt, l2, &leaf));
		assert_int_equal(FIELD(leaf.attr, 5, 2), t[i].want);
	}
	for (u64 xn = 0; xn < 4; xn++) {
		u64 l2 = 0x80100000 + xn * PAGE_SIZE;

		nv_map(root_a, l2, NV_RAM, 3, NV_RW | xn << 53);
		assert_int_equal(fault(0, l2, false, NULL), SHADOW_RETRY);
		assert_true(pgtable_lookup(&s->s2.pt, l2, &leaf));
		assert_int_equal(FIELD(leaf.attr, 54, 53), xn);
	}
}

/*
 * L2's addresses may go as far as PARange, beyond the VM's own stage 2; a shadow that gets such
 * tables is as large, and shrinks to the VM's size again when it is reused.
 */
static void l2_has_more_addresses_than_the_vm(void **state)
{
	u64 far = BIT(44) + 0x3000, table = root_b;
	struct pgtable_leaf leaf;
	struct shadow *s;

	(void)state;
	nv_vm.id_regs.v[IDX_ID_AA64MMFR0_EL1] = 5 | 1 << 20;
	nv_vm.walk_feat = walk_feat_of(&nv_vm.id_regs);
	for (u32 shift = 39; shift > 12; shift -= 9) {
		nv_ptr(table)[far >> shift & 511] = nv_table() | 3;
		table = nv_ptr(table)[far >> shift & 511] & MASK(47, 12);
	}
	nv_ptr(table)[3] = (NV_RAM + 0x7000) | NV_RW | 3;
	nv_l1(0, 9, root_b);
	/* T0SZ 16, from level 0, 48 bits. */
	vncr_write(&nv_vcpu[0], VNCR_VTCR_EL2, 16UL | 2UL << 6 | 5UL << 16 | BIT(19));
	s = enter(0);
	assert_int_equal(fake_get("VTTBR_EL2"), s->s2.vttbr);
	assert_int_equal(fake_get("VTCR_EL2") & 63, 64 - 48);
	assert_int_equal(fault(0, far + 8, true, NULL), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, far + 8, &leaf));
	assert_int_equal(leaf.oa, nv_ram_pa + 0x7008);
	tlbi_ipa(0, far, 0);
	assert_false(mapped(s, far));
	assert_int_equal(fault(0, far, true, NULL), SHADOW_RETRY);
	assert_true(mapped(s, far));
	/* After seven others it is reused for another key. */
	for (u16 vmid = 20; s->vmid == 9; vmid++) {
		nv_l1(0, vmid, root_a);
		assert_int_equal(enter(0)->s2.pt.ia_bits, 40);
		assert_int_equal(fake_get("VTCR_EL2") & 63, 64 - 40);
	}
	assert_false(mapped(s, far));
}

/* Dirty state: read-only until written, then L1's descriptor says so. */
static void dirty_pages(void **state)
{
	struct shadow *s;
	struct pgtable_leaf leaf;
	u64 *e;

	(void)state;
	vncr_write(&nv_vcpu[0], VNCR_VTCR_EL2, NV_VTCR | 3UL << 21);
	s = enter(0);
	nv_map(root_a, 0x80001000, NV_RAM, 3, (NV_RO & ~BIT(10)) | BIT(51));
	e = nv_entry(root_a, 0x80001000, 3);
	assert_int_equal(fault(0, 0x80001000, false, NULL), SHADOW_RETRY);
	assert_true(*e & BIT(10));
	assert_false(*e & BIT(7));
	assert_true(pgtable_lookup(&s->s2.pt, 0x80001000, &leaf));
	assert_false(leaf.attr & S2_AP_WRITE);
	assert_int_equal(fault(0, 0x80001000, true, NULL), SHADOW_RETRY);
	assert_true(*e & BIT(7));
	assert_true(pgtable_lookup(&s->s2.pt, 0x80001000, &leaf));
	assert_true(leaf.attr & S2_AP_WRITE);
}

/*
 * HPFAR_EL2 is UNKNOWN for a permission fault: AT gives the address, and PAR_EL1 stays the guest's.
 */
static u64 at_par;

static void on_at(u64 va)
{
	(void)va;
	fake_set("PAR_EL1", at_par);
}

static void permission_faults_ask_at(void **state)
{
	struct exit e = nv_abort(0xdead000, true, false, ESR_FSC_PERMISSION | 3);
	struct reflection r;

	(void)state;
	enter(0);
	fake_on_write("AT_s1e1r", on_at);
	fake_set("PAR_EL1", 0x1234);
	nv_map(root_a, 0x80001000, NV_RAM, 3, NV_RO);
	at_par = 0xff00000080001a00;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_REFLECT);
	assert_int_equal(r.hpfar, 0x80001UL << 4);
	assert_int_equal(fake_get("PAR_EL1"), 0x1234);
	at_par = 1;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	assert_int_equal(fake_get("PAR_EL1"), 0x1234);
}

/* A walk through memory that L1 maps as Device: refused with L1's PTW, else permitted. */
static void walks_through_device_memory(void **state)
{
	struct exit e = nv_abort(0x80001000, false, false, ESR_FSC_PERMISSION | 3);
	struct shadow *s = enter(0);
	struct pgtable_leaf leaf;
	struct reflection r;

	(void)state;
	e.esr |= ABT_S1PTW;
	nv_map(root_a, 0x80001000, NV_RAM, 3, (NV_RW & ~(15UL << 2)));
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, 0x80001000, &leaf));
	assert_int_equal(FIELD(leaf.attr, 5, 2), 5);
	/*
	 * It may read; it may not set the access flag, and L1 gets that fault. Unless the page may
	 * be written.
	 */
	nv_map(root_a, 0x80001000, NV_RAM, 3, (NV_RO & ~(15UL << 2)));
	tlbi_ipa(0, 0x80001000, 0);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr, ESR(EC_DABT_LOW, DABT_ISV | ABT_S1PTW | 15));
	nv_map(root_a, 0x80001000, NV_RAM, 3, (NV_RW & ~(15UL << 2)));
	tlbi_ipa(0, 0x80001000, 0);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	/* The first fault may be that nothing is mapped. */
	tlbi_ipa(0, 0x80001000, 0);
	e.esr = (e.esr & ~63UL) | ESR_FSC_TRANSLATION | 3;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, 0x80001000, &leaf));
	assert_int_equal(FIELD(leaf.attr, 5, 2), 5);
	/* Tables in a device that the VM has cannot be walked. */
	assert_int_equal(
		stage2_map(&nv_vm.stage2, ipa(NV_DEVICE), pa(0x20000000), PAGE_SIZE, STAGE2_DEVICE),
		0);
	nv_map(root_a, 0x80002000, NV_DEVICE, 3, (NV_RW & ~(15UL << 2)));
	e.hpfar = 0x80002UL << 4;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_DEVICE);
	e.esr = (e.esr & ~63UL) | ESR_FSC_PERMISSION | 3;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_DEVICE);
	e.hpfar = 0x80001UL << 4;
	vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_VM | HCR_PTW | HCR_E2H | HCR_RW);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr & 63, 15);
}

/*
 * L1's attributes forbid an access: an unaligned one in Device memory; a fetch from it, if the CPU
 * refuses it.
 */
static void device_memory_refuses(void **state)
{
	struct shadow *s = enter(0);
	struct exit e = nv_abort(0x80001000, false, false, ESR_FSC_TRANSLATION | 3);
	struct reflection r;

	(void)state;
	nv_map(root_a, 0x80001000, NV_DEVICE, 3, (NV_RW & ~(15UL << 2)) | 1UL << 2);
	nv_map(root_a, 0x80002000, NV_DEVICE, 3, NV_RW);
	e.esr |= 2UL << 22; /* 4 bytes */
	for (u64 off = 0; off < 8; off++) {
		e.far = 0xffff000000001000UL + off;
		e.hpfar = 0x80001UL << 4;
		assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r),
				 off % 4 ? SHADOW_REFLECT : SHADOW_DEVICE);
		if (off % 4)
			assert_int_equal(r.esr, ESR(EC_DABT_LOW, DABT_ISV | 2UL << 22 | 0x21));
		e.hpfar = 0x80002UL << 4;
		assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_DEVICE);
	}
	nv_map(root_a, 0x80003000, NV_RAM, 3, (NV_RW & ~(15UL << 2)));
	e = nv_abort(0x80003000, false, true, ESR_FSC_TRANSLATION | 3);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	assert_true(mapped(s, 0x80003000));
	fake_on_write("AT_s1e1r", on_at);
	at_par = 0xff00000080003a00;
	e.esr = ESR(EC_IABT_LOW, ESR_FSC_PERMISSION | 3);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_REFLECT);
	assert_int_equal(r.esr, ESR(EC_IABT_LOW, 15));
}

/*
 * Cache maintenance at EL0 needs a page that can be read, and with HCRX_EL2.CMOW one that can be
 * written.
 */
static void maintenance_at_el0(void **state)
{
	struct exit e = nv_abort(0x80001000, true, false, ESR_FSC_PERMISSION | 3);
	struct reflection r;

	(void)state;
	enter(0);
	fake_on_write("AT_s1e1r", on_at);
	at_par = 0xff00000080001a00;
	nv_map(root_a, 0x80001000, NV_RAM, 3, NV_RO);
	e.esr |= DABT_CM;
	e.spsr = 0;
	nv_vm.nested.hcrx = HCRX_CMOW;
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	vncr_write(&nv_vcpu[0], VNCR_HCRX_EL2, HCRX_CMOW);
	assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_REFLECT);
}

/*
 * The size of L1's leaf that a leaf of the shadow carries: all that three granules have, and none.
 */
static void leaf_sizes(void **state)
{
	static const u64 sizes[] = { KIB(4), KIB(16), KIB(64), MIB(2), MIB(32), MIB(512), GIB(1) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_equal(shadow_tag_size(shadow_tag(sizes[i])), sizes[i]);
	assert_int_equal(shadow_tag_size(shadow_tag(~0UL)), PAGE_SIZE);
}

/* ---- block sizes ---- */

static void blocks(void **state)
{
	static const struct {
		u64 l0, l1_level, want;
	} t[] = {
		{ MIB(2), 3, PAGE_SIZE },
		{ MIB(2), 2, MIB(2) },
		{ PAGE_SIZE, 2, PAGE_SIZE },
		{ GIB(1), 2, MIB(2) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pgtable_leaf leaf;
		struct shadow *s;

		setup_blocks(1, t[i].l0);
		s = enter(0);
		nv_map(root_a, 0x80200000, NV_RAM + MIB(2), (u32)t[i].l1_level, NV_RW);
		assert_int_equal(fault(0, 0x80200000, true, NULL), SHADOW_RETRY);
		assert_true(pgtable_lookup(&s->s2.pt, 0x80200000, &leaf));
		assert_int_equal(leaf.size, t[i].want);
		assert_int_equal(leaf.oa, nv_ram_pa + MIB(2));
		while (shadow_vm_destroy_piece(&nv_vm))
			;
		stage2_destroy(&nv_vm.stage2);
		assert_int_equal(page_free_count(), page_total());
	}
}

/* ---- which vcpu has which shadow ---- */

static void shadows_are_shared_and_kept(void **state)
{
	struct shadow *s = enter(0);

	(void)state;
	assert_ptr_equal(enter(1), s);
	assert_int_equal(s->users, 2);
	/* CnP is not part of it; VMID, table and size are. */
	nv_l1(0, 7, root_a | 1);
	assert_ptr_equal(enter(0), s);
	nv_l1(0, 8, root_a);
	assert_ptr_not_equal(enter(0), s);
	nv_l1(0, 7, root_b);
	assert_ptr_not_equal(enter(0), s);
	nv_l1(0, 7, root_a);
	vncr_write(&nv_vcpu[0], VNCR_VTCR_EL2, NV_VTCR - 1);
	assert_ptr_not_equal(enter(0), s);
	nv_l1(0, 7, root_a);
	assert_ptr_equal(enter(0), s);
	assert_int_equal(nv_vcpu[0].shadow.count, 4);
	/* After four others vcpu 0 has no reference to it, but vcpu 1 has one. */
	for (u16 vmid = 100; vmid < 104; vmid++) {
		nv_l1(0, vmid, root_a);
		assert_ptr_not_equal(enter(0), s);
	}
	assert_int_equal(s->users, 1);
	assert_int_equal(s->vmid, 7);
	nv_l1(0, 7, root_a);
	assert_ptr_equal(enter(0), s);
}

/* A shadow that is reused begins empty, with its hardware VMID unchanged, and TLBs flushed. */
static unsigned s12_flushes;

static void on_s12(u64 v)
{
	(void)v;
	s12_flushes++;
}

static void many_vmids(void **state)
{
	u32 count = shadow_count(&nv_vm);

	(void)state;
	assert_int_equal(count, 8);
	fake_on_write("TLBI_VMALLS12E1IS", on_s12);
	nv_map(root_a, 0x80001000, NV_RAM, 3, NV_RW);
	for (u32 n = 0; n < 3000; n++) {
		struct shadow *s;

		nv_l1(n & 1, (u16)(n * 37), root_a);
		s = enter(n & 1);
		assert_false(mapped(s, 0x80001000));
		assert_int_equal(fault(n & 1, 0x80001000, true, NULL), SHADOW_RETRY);
		assert_true(mapped(s, 0x80001000));
		assert_true(shadow_pages(&nv_vm) <= shadow_pages_max(&nv_vm));
	}
}

static unsigned local_flushes;

static void on_local(u64 v)
{
	(void)v;
	local_flushes++;
}

/* Another vcpu's TLB entries, or one's own from before it was away, are dropped. */
static void tlb_is_taken_over(void **state)
{
	(void)state;
	fake_on_write("TLBI_VMALLE1", on_local);
	local_flushes = 0;
	enter(0);
	assert_int_equal(local_flushes, 1);
	enter(0);
	assert_int_equal(local_flushes, 1);
	enter(1);
	assert_int_equal(local_flushes, 2);
	enter(0);
	assert_int_equal(local_flushes, 3);
	nv_this = 1;
	enter(0);
	assert_int_equal(local_flushes, 4);
	nv_this = 0;
	enter(0);
	assert_int_equal(local_flushes, 5);
	enter(0);
	assert_int_equal(local_flushes, 5);
}

/* ---- TLBIs invalidate what they must ---- */

static u64 tlbs_of[16];
static unsigned tlbs;

static void on_vmalle1is(u64 v)
{
	(void)v;
	tlbs_of[tlbs++ % 16] = fake_get("VTTBR_EL2");
}

static void stage1_tlbis_go_to_the_vmid(void **state)
{
	struct shadow *seven = enter(0), *other, *off;

	(void)state;
	nv_l1(1, 8, root_b);
	other = enter(1);
	vncr_write(&nv_vcpu[1], VNCR_VTTBR_EL2, 7UL << 48);
	vncr_write(&nv_vcpu[1], VNCR_HCR_EL2, HCR_E2H | HCR_RW);
	off = enter(1);
	fake_set("VTTBR_EL2", nv_vm.stage2.vttbr);
	fake_on_write("TLBI_VMALLE1IS", on_vmalle1is);
	/* VMALLE1 at vEL2 with TGE=0: both shadows of VMID 7, with and without stage 2; not 8. */
	tlbs = 0;
	fake_walks = true;
	tlbi(0, 0, 7, 0, 0);
	assert_int_equal(fake_walk_races, 0); /* walks of vEL2's end before VTTBR_EL2 changes */
	assert_int_equal(tlbs, 2);
	assert_true((tlbs_of[0] == seven->s2.vttbr && tlbs_of[1] == off->s2.vttbr) ||
		    (tlbs_of[1] == seven->s2.vttbr && tlbs_of[0] == off->s2.vttbr));
	assert_int_equal(fake_get("VTTBR_EL2"), nv_vm.stage2.vttbr);
	/* With TGE=1, and ALLE2: the VM's own. */
	tlbs = 0;
	tlbi(0, 4, 7, 0, 0);
	vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_VM | HCR_TGE | HCR_E2H | HCR_RW);
	tlbi(0, 0, 7, 0, 0);
	assert_int_equal(tlbs, 2);
	assert_int_equal(tlbs_of[0], nv_vm.stage2.vttbr);
	assert_int_equal(tlbs_of[1], nv_vm.stage2.vttbr);
	(void)other;
}

static void stage2_tlbis_by_vmid(void **state)
{
	struct shadow *seven = enter(0), *other;

	(void)state;
	nv_map(root_a, 0x80001000, NV_RAM, 3, NV_RW);
	nv_map(root_b, 0x80001000, NV_RAM, 3, NV_RW);
	assert_int_equal(fault(0, 0x80001000, true, NULL), SHADOW_RETRY);
	nv_l1(1, 8, root_b);
	other = enter(1);
	assert_int_equal(fault(1, 0x80001000, true, NULL), SHADOW_RETRY);
	tlbi_ipa(0, 0x80001000, 0);
	assert_false(mapped(seven, 0x80001000));
	assert_true(mapped(other, 0x80001000));
	tlbi(0, 4, 3, 6, 0); /* VMALLS12E1IS of 7 */
	assert_true(mapped(other, 0x80001000));
	tlbi(1, 4, 7, 6, 0); /* VMALLS12E1, of 8 */
	assert_false(mapped(other, 0x80001000));
	assert_int_equal(fault(1, 0x80001000, true, NULL), SHADOW_RETRY);
	tlbi(0, 4, 3, 4, 0); /* ALLE1IS */
	assert_false(mapped(other, 0x80001000));
}

/*
 * A leaf of L1's that is many leaves of the shadow is invalidated as a whole, by any address in it.
 */
static void a_leaf_goes_as_a_whole(void **state)
{
	struct shadow *s = enter(0);

	(void)state;
	nv_map(root_a, 0x80200000, NV_RAM + MIB(2), 2, NV_RW);
	nv_map(root_a, 0x80400000, NV_RAM + MIB(4), 2, NV_RW);
	nv_map(root_a, 0x80001000, NV_RAM, 3, NV_RW);
	for (u64 at = 0x80200000; at < 0x80600000; at += 0x7f000)
		assert_int_equal(fault(0, at, true, NULL), SHADOW_RETRY);
	assert_int_equal(fault(0, 0x80001000, true, NULL), SHADOW_RETRY);
	tlbi_ipa(0, 0x80345000, 0); /* an address that the shadow does not even have */
	for (u64 at = 0x80200000; at < 0x80600000; at += 0x7f000)
		assert_int_equal(mapped(s, at), at >= 0x80400000);
	tlbi_ipa(0, 0x805ff000, 1 << 2 | 2); /* TTL: 4 KiB granule, level 2 */
	for (u64 at = 0x80200000; at < 0x80600000; at += 0x7f000)
		assert_false(mapped(s, at));
	assert_true(mapped(s, 0x80001000));
}

/*
 * FEAT_BBM level 2: a block becomes a table of pages that may be read only, without a break, and L2
 * uses one of them before the TLBI. The TLBI of any address of the block invalidates everything
 * that was composed from it.
 */
static void a_block_is_replaced_without_a_break(void **state)
{
	struct shadow *s = enter(0);
	struct pgtable_leaf leaf;
	u64 table = nv_table();

	(void)state;
	nv_map(root_a, 0x80200000, NV_RAM + MIB(2), 2, NV_RW);
	for (u64 page = 10; page < 512; page += 100)
		assert_int_equal(fault(0, 0x80200000 + page * PAGE_SIZE, true, NULL), SHADOW_RETRY);
	for (u64 page = 0; page < 512; page++)
		nv_ptr(table)[page] = (NV_RAM + MIB(2) + page * PAGE_SIZE) | NV_RO | 3;
	*nv_entry(root_a, 0x80200000, 2) = table | 3;
	for (u64 page = 3; page < 512; page += 250)
		assert_int_equal(fault(0, 0x80200000 + page * PAGE_SIZE, false, NULL),
				 SHADOW_RETRY);
	tlbi_ipa(0, 0x803ff000, 0);
	for (u64 page = 10; page < 512; page += 100)
		assert_false(mapped(s, 0x80200000 + page * PAGE_SIZE));
	/*
	 * And back: a remaining page of the table is invalidated by its own address, the block by
	 * any.
	 */
	for (u64 page = 3; page < 512; page += 250)
		assert_int_equal(fault(0, 0x80200000 + page * PAGE_SIZE, false, NULL),
				 SHADOW_RETRY);
	nv_map(root_a, 0x80200000, NV_RAM + MIB(2), 2, NV_RW);
	tlbi_ipa(0, 0x90000000, 0); /* of something else: the table is no longer cached */
	for (u64 page = 10; page < 512; page += 100)
		assert_int_equal(fault(0, 0x80200000 + page * PAGE_SIZE, true, NULL), SHADOW_RETRY);
	tlbi_ipa(0, 0x80203000, 1 << 2 | 3); /* TTL: 4 KiB, level 3 */
	assert_false(mapped(s, 0x80203000));
	assert_true(pgtable_lookup(&s->s2.pt, 0x8020a000, &leaf));
	assert_true(leaf.attr & S2_AP_WRITE);
	tlbi_ipa(0, 0x80300000, 0);
	for (u64 page = 10; page < 512; page += 100)
		assert_false(mapped(s, 0x80200000 + page * PAGE_SIZE));
}

/* ---- the reverse map ---- */

static void l0_takes_a_page(void **state)
{
	struct shadow_cursor c = { 0 };
	struct shadow *s = enter(0), *t;

	(void)state;
	/* Page 5 of RAM is mapped twice in one L2, and once in another. */
	nv_map(root_a, 0x80001000, NV_RAM + 0x5000, 3, NV_RW);
	nv_map(root_a, 0x90001000, NV_RAM + 0x5000, 3, NV_RO);
	nv_map(root_a, 0x80002000, NV_RAM + 0x6000, 3, NV_RW);
	nv_map(root_b, 0x70000000, NV_RAM + 0x5000, 3, NV_RW);
	nv_map(root_b, 0x70001000, NV_RAM + 0x4000, 3, NV_RW);
	assert_int_equal(fault(0, 0x80001000, false, NULL), SHADOW_RETRY);
	assert_int_equal(fault(0, 0x90001000, false, NULL), SHADOW_RETRY);
	assert_int_equal(fault(0, 0x80002000, false, NULL), SHADOW_RETRY);
	nv_l1(1, 8, root_b);
	t = enter(1);
	assert_int_equal(fault(1, 0x70000000, false, NULL), SHADOW_RETRY);
	assert_int_equal(fault(1, 0x70001000, false, NULL), SHADOW_RETRY);
	assert_int_equal(stage2_unmap(&nv_vm.stage2, ipa(NV_RAM + 0x5000), PAGE_SIZE), 0);
	while (shadow_unmap_ipa(&nv_vm, ipa(NV_RAM + 0x5000), PAGE_SIZE, &c))
		;
	assert_false(mapped(s, 0x80001000));
	assert_false(mapped(s, 0x90001000));
	assert_true(mapped(s, 0x80002000));
	assert_false(mapped(t, 0x70000000));
	assert_true(mapped(t, 0x70001000));
	/* What is no longer where the reverse map last saw it is not unmapped. */
	nv_map(root_a, 0x80002000, NV_RAM + 0x8000, 3, NV_RW);
	tlbi_ipa(0, 0x80002000, 0);
	assert_int_equal(fault(0, 0x80002000, false, NULL), SHADOW_RETRY);
	c = (struct shadow_cursor){ 0 };
	while (shadow_unmap_ipa(&nv_vm, ipa(NV_RAM + 0x6000), PAGE_SIZE, &c))
		;
	assert_true(mapped(s, 0x80002000));
}

/* ---- a fault races with an invalidation ---- */

static int race;

void *pa_ptr(pa_t p)
{
	/* L1's other CPU changes its table and invalidates it right after this one has read it. */
	if (race && !nv_vcpu[0].shadow.ref[0]->s2.lock.held && --race == 0) {
		nv_map(root_a, 0x80001000, NV_RAM + 0x9000, 3, NV_RW);
		tlbi_ipa(1, 0x80001000, 0);
	}
	return (void *)p.a;
}

static void stale_walks_are_not_installed(void **state)
{
	struct shadow *s = enter(0);
	struct pgtable_leaf leaf;
	int happened = 0;

	(void)state;
	enter(1);
	for (int when = 1; when < 12; when++) {
		bool raced;

		nv_map(root_a, 0x80001000, NV_RAM + 0x5000, 3, NV_RW);
		tlbi_ipa(0, 0x80001000, 0);
		race = when;
		nv_vcpu[0].in_vel2 = false;
		assert_int_equal(fault(0, 0x80001000, true, NULL), SHADOW_RETRY);
		happened += raced = !race;
		race = 0;
		if (pgtable_lookup(&s->s2.pt, 0x80001000, &leaf) && raced &&
		    leaf.oa != nv_ram_pa + 0x9000)
			fail_msg("walk of %d reads ago installed", when);
	}
	/* Each of the three levels of L1's. */
	assert_true(happened >= 3);
	/* The same with the table cached, of which only the last descriptor is read. */
	nv_map(root_a, 0x80001000, NV_RAM + 0x5000, 3, NV_RW);
	nv_map(root_a, 0x80003000, NV_RAM + 0x5000, 3, NV_RW);
	tlbi_ipa(0, 0x80001000, 0);
	assert_int_equal(fault(0, 0x80003000, true, NULL), SHADOW_RETRY);
	race = 1;
	assert_int_equal(fault(0, 0x80001000, true, NULL), SHADOW_RETRY);
	assert_int_equal(race, 0);
	assert_false(mapped(s, 0x80001000));
	assert_int_equal(fault(0, 0x80001000, true, NULL), SHADOW_RETRY);
	assert_true(pgtable_lookup(&s->s2.pt, 0x80001000, &leaf));
	assert_int_equal(leaf.oa, nv_ram_pa + 0x9000);
}

/* L1 replaces its last table, with a TLBI of any kind on any vcpu: both vcpus walk the new one. */
static void tables_are_remembered_until_a_tlbi(void **state)
{
	static const struct {
		u32 op1, crm, op2;
		u64 arg;
	} tlbis[] = {
		{ 4, 0, 1, 0x80000 }, /* IPAS2E1IS, by any address in it */
		{ 4, 4, 1, 0x80001 }, /* IPAS2E1 */
		{ 4, 3, 6, 0 },       /* VMALLS12E1IS */
		{ 4, 3, 4, 0 },       /* ALLE1IS */
		{ 4, 0, 2, 0x80000 | 1UL << 46 | 1UL << 44 | 7UL << 39 }, /* RIPAS2E1IS, 2 MiB */
	};
	struct shadow *s = enter(0);

	(void)state;
	assert_ptr_equal(enter(1), s);
	for (size_t i = 0; i < ARRAY_SIZE(tlbis); i++) {
		u64 *table = nv_entry(root_a, 0x80000000, 2), old = NV_RAM + (2 * i + 1) * MIB(1),
		    now = old + MIB(1);

		for (u64 page = 0; page < 8; page++)
			nv_map(root_a, 0x80000000 + page * PAGE_SIZE, old + page * PAGE_SIZE, 3,
			       NV_RW);
		tlbi(0, 4, 3, 4, 0);
		for (u32 v = 0; v < 2; v++)
			assert_int_equal(fault(v, 0x80000000 + v * PAGE_SIZE, true, NULL),
					 SHADOW_RETRY);
		*table = 0;
		tlbi(1, tlbis[i].op1, tlbis[i].crm, tlbis[i].op2, tlbis[i].arg);
		for (u64 page = 0; page < 8; page++)
			nv_map(root_a, 0x80000000 + page * PAGE_SIZE, now + page * PAGE_SIZE, 3,
			       NV_RW);
		for (u32 v = 0; v < 2; v++) {
			u64 l2 = 0x80002000 + v * PAGE_SIZE;
			struct pgtable_leaf leaf;

			assert_int_equal(fault(v, l2, true, NULL), SHADOW_RETRY);
			assert_true(pgtable_lookup(&s->s2.pt, l2, &leaf));
			if (leaf.oa != nv_ram_pa + (now - NV_RAM) + (l2 & 0xffff))
				fail_msg("TLBI %zu: vcpu %u walked the table that was", i, v);
		}
	}
}

/*
 * A second TLBI while the first one's work is half done: what was walked in between is stale, too.
 */
static void a_joined_tlbi_counts(void **state)
{
	struct shadow *s = enter(0);
	u64 seq;

	(void)state;
	enter(1);
	for (u64 i = 0; i < 4; i++) {
		nv_map(root_a, i << 30, NV_RAM, 3, NV_RW);
		assert_int_equal(fault(0, i << 30, true, NULL), SHADOW_RETRY);
	}
	assert_true(shadow_clear(s));
	seq = s->seq;
	assert_int_equal(s->clearing, SHADOW_CLEARS_TABLES);
	tlbi(1, 4, 3, 6, 0); /* VMALLS12E1IS */
	assert_int_equal(s->clearing, SHADOW_STAYS);
	assert_true(s->seq > seq);
}

/*
 * A TLBI whose work was left for later is complete before the guest, and with it L1's interrupt
 * handler, runs: the same TLBI there starts anew and finds what others have mapped since.
 */
static void the_same_tlbi_again(void **state)
{
	struct shadow *a = enter(0), *b;
	struct vcpu *v = &nv_vcpu[0];
	struct exit e = { .esr = ESR(EC_SYS64, SYSREG_KEY(1, 4, 8, 3, 6) | 3U << 5), .spsr = 9 };

	(void)state;
	nv_map(root_a, 0x80001000, NV_RAM + 0x5000, 3, NV_RO);
	assert_int_equal(fault(0, 0x80001000, false, NULL), SHADOW_RETRY);
	nv_l1(0, 7, root_b);
	b = enter(0);
	assert_ptr_not_equal(a, b);
	for (u64 i = 0; i < 20; i++) {
		nv_map(root_b, i << 30, NV_RAM, 3, NV_RW);
		assert_int_equal(fault(0, i << 30, false, NULL), SHADOW_RETRY);
	}
	nv_l1(0, 7, root_a);
	fake_set("ISR_EL1", 1 << 7);
	v->in_vel2 = true;
	assert_int_equal(tlbi_trap(v, &e), SKIP);
	while (!v->shadow.cursor.slot) {
		assert_int_equal(v->requests, REQ_WORK);
		v->requests = 0;
		shadow_work(v);
	}
	/* L2 on the other vcpu takes a fault. */
	(void)enter(1);
	assert_int_equal(fault(1, 0x80001000, false, NULL), SHADOW_RETRY);
	assert_true(mapped(a, 0x80001000));
	assert_int_equal(v->requests, REQ_WORK);
	assert_true(work(0) > 1);
	/* The handler. */
	nv_map(root_a, 0x80001000, NV_RAM + 0x9000, 3, NV_RO);
	assert_int_equal(tlbi_trap(v, &e), SKIP);
	(void)work(0);
	assert_false(mapped(a, 0x80001000));
}

/* ---- the property ---- */

#define WINDOW 0x80000000UL
#define WINDOW_SIZE MIB(8)
static u8 was[2][WINDOW_SIZE / PAGE_SIZE];

/* Everything that the shadow maps is what L1 and the VM map now. */
static void check_composed(struct shadow *s, u32 vcpu)
{
	struct walk_feat f = walk_feat_of(&nv_vm.id_regs);
	struct walk_mem mem = walk_mem_of(&nv_vm);
	struct walk_s2_regs regs = { .vttbr = s->vttbr, .vtcr = s->vtcr, .vm = true };

	(void)vcpu;
	mem.swap = NULL;
	for (u64 at = WINDOW; at < WINDOW + WINDOW_SIZE; at += PAGE_SIZE) {
		struct pgtable_leaf leaf, l0;
		struct walk_s2_out out;
		struct walk_fault fa;

		if (!pgtable_lookup(&s->s2.pt, at, &leaf))
			continue;
		if (!walk_s2(&regs, &f, &mem, at, (struct walk_access){ 0 }, &out, &fa))
			fail_msg("%#lx is mapped, L1 has not got it (FSC %#x)", at, fa.fsc);
		if (!stage2_lookup(&nv_vm.stage2, ipa(out.oa), &l0))
			fail_msg("%#lx is mapped, the VM has not got it", at);
		if (leaf.oa != l0.oa)
			fail_msg("%#lx leads to %#lx, not %#lx", at, leaf.oa, l0.oa);
		if (FIELD(leaf.attr, 7, 6) != out.ap || FIELD(leaf.attr, 5, 2) != out.memattr)
			fail_msg("%#lx: attributes %#lx", at, leaf.attr);
	}
}

static void note_mapped(struct shadow *s, u32 which)
{
	for (u64 i = 0; i < WINDOW_SIZE / PAGE_SIZE; i++)
		was[which][i] = mapped(s, WINDOW + i * PAGE_SIZE);
}

/* Nothing outside [lo, hi) was unmapped. */
static void check_untouched(struct shadow *s, u32 which, u64 lo, u64 hi)
{
	for (u64 i = 0; i < WINDOW_SIZE / PAGE_SIZE; i++) {
		u64 at = WINDOW + i * PAGE_SIZE;

		if (was[which][i] && (at < lo || at >= hi) && !mapped(s, at))
			fail_msg("%#lx went with [%#lx, %#lx)", at, lo, hi);
	}
}

static u64 random_l1(u64 size)
{
	return NV_RAM + ALIGN_DOWN(rnd() % MIB(24), size);
}

/* The leaf of L1's that covers l2, or its page. */
static void change(u64 root, u32 vcpu, struct shadow **s)
{
	u64 l2 = WINDOW + ALIGN_DOWN(rnd() % WINDOW_SIZE, PAGE_SIZE), lo = l2, hi = l2 + PAGE_SIZE;
	u64 *block = nv_entry(root, l2, 2), attr = rnd() & 1 ? NV_RW : NV_RO;
	bool ttl = rnd() & 1, range = !(rnd() % 3);
	u64 level = 3;

	for (u32 i = 0; i < 2; i++)
		note_mapped(s[i], i);
	if (rnd() & 16)
		attr ^= 8UL << 2;
	if ((*block & 3) == 1 || !(rnd() % 12)) {
		/* Change a block: break it, then make a table or another block. */
		level = (*block & 3) == 3 ? 0 : 2;
		lo = ALIGN_DOWN(l2, MIB(2));
		hi = lo + MIB(2);
		*block = 0;
	} else {
		*nv_entry(root, l2, 3) = 0;
	}
	if (range || level == 0)
		tlbi_range(vcpu, lo, hi - lo == PAGE_SIZE ? 0 : 1, hi - lo == PAGE_SIZE ? 0 : 7);
	else
		tlbi_ipa(vcpu, l2, ttl ? 4 | level : 0);
	for (u32 i = 0; i < 2; i++)
		check_untouched(s[i], i, lo,
				range || level == 0 ? MAX(hi, lo + 2 * PAGE_SIZE) : hi);
	if (level != 3 && (rnd() & 1))
		nv_map(root, lo, random_l1(MIB(2)), 2, attr);
	else if (rnd() % 4)
		nv_map(root, l2, random_l1(PAGE_SIZE), 3, attr);
}

static void random_life(u64 block)
{
	struct shadow *s[2];

	setup_blocks(2, block);
	nv_l1(1, 9, root_b);
	s[0] = enter(0);
	s[1] = enter(1);
	for (u32 n = 0; n < 1500; n++) {
		u32 i = rnd() & 1;
		u64 root = i ? root_b : root_a, l2 = WINDOW + rnd() % WINDOW_SIZE;
		struct shadow_cursor c = { 0 };
		struct reflection r;

		switch (rnd() % 8) {
		case 0:
		case 1:
		case 2:
			change(root, i, s);
			break;
		case 3:
			l2 = random_l1(PAGE_SIZE);
			assert_int_equal(stage2_unmap(&nv_vm.stage2, ipa(l2), PAGE_SIZE), 0);
			while (shadow_unmap_ipa(&nv_vm, ipa(l2), PAGE_SIZE, &c))
				;
			break;
		case 4:
			if (n % 5)
				break;
			assert_int_equal(stage2_map(&nv_vm.stage2, ipa(NV_RAM), pa(nv_ram_pa),
						    NV_RAM_SIZE, STAGE2_RAM),
					 0);
			break;
		default:
			for (u32 k = 0; k < 20; k++, l2 = WINDOW + rnd() % WINDOW_SIZE) {
				bool write = rnd() & 1;

				if (fault(i, l2, write, &r) == SHADOW_RETRY && !mapped(s[i], l2))
					fail_msg("%#lx: not mapped", l2);
			}
		}
		if (n % 4 == 0) {
			check_composed(s[0], 0);
			check_composed(s[1], 1);
		}
	}
	teardown(NULL);
}

static void property(void **state)
{
	(void)state;
	random_life(PAGE_SIZE);
	random_life(MIB(2));
	random_life(GIB(1));
}

/* ---- memory ---- */

/* One page of RAM mapped all over L2's address space: the tables stay within the VM's share. */
static void memory_is_bounded(void **state)
{
	u64 l2_tables = nv_table(), page = nv_table(), most = 0;

	(void)state;
	/* Every 1 GiB has the same table of tables; every page is the same page. */
	for (u32 i = 0; i < 512; i++) {
		nv_ptr(root_a)[i] = l2_tables | 3;
		nv_ptr(l2_tables)[i] = page | 3;
		nv_ptr(page)[i] = NV_RAM | NV_RW | 3;
	}
	enter(0);
	for (u64 n = 0; n < 20000; n++) {
		u64 l2 = rnd() % (1UL << 39);

		assert_int_equal(fault(0, l2, true, NULL), SHADOW_RETRY);
		most = MAX(most, shadow_pages(&nv_vm));
	}
	if (most > shadow_pages_max(&nv_vm) + 8)
		fail_msg("%lu table pages, %lu allowed", most, shadow_pages_max(&nv_vm));
	/* The limit was reached; and L2 still gets its pages. */
	assert_true(most > shadow_pages_max(&nv_vm) / 2);
	for (u32 n = 0; !mapped(nv_vcpu[0].shadow.ref[0], 0x1234000); n++) {
		assert_true(n < 1000);
		assert_int_equal(fault(0, 0x1234000, true, NULL), SHADOW_RETRY);
	}
}

/* The largest number of table pages that one call has freed since the last reset of this count. */
static u64 freed_most, pages_were;

static void look(void)
{
	u64 now = shadow_pages(&nv_vm);

	freed_most = pages_were > now ? MAX(freed_most, pages_were - now) : freed_most;
	pages_were = now;
}

/* Make a shadow with this many tables, each with a page, 128 in a GiB. */
static struct shadow *large(u32 vcpu, u16 vmid, u64 tables)
{
	struct shadow *s;

	nv_l1(vcpu, vmid, root_a);
	s = enter(vcpu);
	for (u64 n = 0; n < tables; n++)
		assert_int_equal(fault(vcpu, n << 23, true, NULL), SHADOW_RETRY);
	look();
	return s;
}

/* Reusing a shadow, or freeing all, frees tables in pieces, one a call, before it succeeds. */
static void tables_go_in_pieces(void **state)
{
	u64 l2_tables = nv_table(), page = nv_table();
	struct shadow *s;
	u32 waits = 0;

	(void)state;
	for (u32 i = 0; i < 512; i++) {
		nv_ptr(root_a)[i] = l2_tables | 3;
		nv_ptr(l2_tables)[i] = page | 3;
		nv_ptr(page)[i] = NV_RAM | NV_RW | 3;
	}
	pages_were = freed_most = 0;
	for (u16 vmid = 0; vmid < 24; vmid++) {
		nv_l1(0, vmid, root_a);
		for (;; waits++) {
			s = shadow_find(&nv_vcpu[0]);
			look();
			if (s)
				break;
			assert_true(waits < 1000);
		}
		assert_false(mapped(s, 0));
		assert_int_equal(s->vmid, vmid);
		(void)large(0, vmid, 250);
	}
	if (waits < 8)
		fail_msg("%u waits", waits);
	/*
	 * As the run loop does it: the vcpu is not entered, interrupts are taken, and then the
	 * shadow is ready.
	 */
	nv_l1(0, 100, root_a);
	nv_vcpu[0].in_vel2 = true;
	fake_set("ISR_EL1", 1 << 7);
	assert_false(shadow_ready(&nv_vcpu[0]));
	assert_int_equal(nv_vcpu[0].requests, REQ_WORK);
	assert_true(work(0) >= 1);
	assert_true(shadow_ready(&nv_vcpu[0]));
	pages_were = shadow_pages(&nv_vm);
	for (u32 done = waits = 0; shadow_vm_reset_piece(&nv_vm, &done); waits++)
		look();
	look();
	assert_true(waits > 8);
	/* A root, and what there is in one GiB. */
	if (freed_most > 128 + 4)
		fail_msg("%lu table pages at once", freed_most);
}

/* Shadows that nobody refers to are the first to go. */
static void idle_shadows_go_first(void **state)
{
	struct shadow *mine;
	u64 l2_tables = nv_table(), page = nv_table();

	(void)state;
	for (u32 i = 0; i < 512; i++) {
		nv_ptr(root_a)[i] = l2_tables | 3;
		nv_ptr(l2_tables)[i] = page | 3;
		nv_ptr(page)[i] = NV_RAM | NV_RW | 3;
	}
	for (u16 v = 0; v < 6; v++) {
		nv_l1(0, (u16)(20 + v), root_a);
		enter(0);
		for (u64 n = 0; n < 40; n++)
			assert_int_equal(fault(0, n << 30, true, NULL), SHADOW_RETRY);
	}
	mine = nv_vcpu[0].shadow.ref[0];
	for (u64 n = 0; shadow_pages(&nv_vm) < shadow_pages_max(&nv_vm); n++)
		assert_int_equal(fault(0, n << 21, true, NULL), SHADOW_RETRY);
	assert_int_equal(fault(0, 5UL << 30, true, NULL), SHADOW_RETRY);
	assert_int_equal(fault(0, 511UL << 30, true, NULL), SHADOW_RETRY);
	assert_true(mapped(mine, 5UL << 30));
	assert_int_equal(mine->clearing, SHADOW_STAYS);
}

/*
 * Use of memory by others has no effect: with no free page in the machine, two vcpus that fill as
 * many shadows as they can, all over their guests' addresses, still get every page.
 */
static void others_took_all_pages(void **state)
{
	static u64 hoard[20000];
	u64 l2_tables = nv_table(), page = nv_table();
	u32 n = 0;

	(void)state;
	for (u32 i = 0; i < 512; i++) {
		nv_ptr(root_a)[i] = l2_tables | 3;
		nv_ptr(l2_tables)[i] = page | 3;
		nv_ptr(page)[i] = NV_RAM | NV_RW | 3;
	}
	while ((hoard[n] = page_alloc(0)))
		n++;
	assert_int_equal(page_free_count(), 0);
	for (u64 step = 0; step < 20000; step++) {
		u32 vcpu = rnd() % 2;

		if (rnd() % 50 == 0) {
			/* Sometimes with more address bits than the VM's own tables have. */
			nv_l1(vcpu, (u16)(20 + rnd() % 12), root_a);
			vncr_write(&nv_vcpu[vcpu], VNCR_VTCR_EL2,
				   rnd() % 4 ? NV_VTCR
					     : (NV_VTCR & ~0xff003fUL) | 5UL << 16 | 2UL << 6 | 16);
		}
		enter(vcpu);
		if (fault(vcpu, rnd() % (1UL << 39), true, NULL) == SHADOW_DEAD)
			fail_msg("step %lu: %lu pages taken", step, shadow_pages(&nv_vm));
	}
	assert_true(shadow_pages(&nv_vm) > shadow_pages_max(&nv_vm) / 2);
	assert_true(shadow_pages(&nv_vm) < shadow_pages_needed(&nv_vm));
	while (n)
		page_free(hoard[--n], 0);
}

static void reset_forgets(void **state)
{
	struct shadow *s = enter(0);
	u32 done = 0;

	(void)state;
	nv_map(root_a, 0x80001000, NV_RAM, 3, NV_RW);
	assert_int_equal(fault(0, 0x80001000, true, NULL), SHADOW_RETRY);
	while (shadow_vm_reset_piece(&nv_vm, &done))
		;
	assert_int_equal(nv_vcpu[0].shadow.count, 0);
	assert_false(mapped(s, 0x80001000));
	enter(0);
	assert_false(mapped(nv_vcpu[0].shadow.ref[0], 0x80001000));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_page_is_composed), TEST(all_at_zero),
		TEST(faults_are_l1s),
		TEST(devices_are_nidus_s),
		TEST(without_stage2),
		TEST(attributes_are_the_stricter),
		TEST(l2_has_more_addresses_than_the_vm),
		TEST(dirty_pages),
		TEST(permission_faults_ask_at),
		TEST(walks_through_device_memory),
		TEST(device_memory_refuses),
		TEST(maintenance_at_el0),
		cmocka_unit_test(leaf_sizes),
		cmocka_unit_test(blocks),
		TEST(shadows_are_shared_and_kept),
		TEST(many_vmids),
		TEST(tlb_is_taken_over),
		TEST(stage1_tlbis_go_to_the_vmid),
		TEST(stage2_tlbis_by_vmid),
		TEST(a_leaf_goes_as_a_whole),
		TEST(a_block_is_replaced_without_a_break),
		TEST(l0_takes_a_page),
		TEST(stale_walks_are_not_installed),
		TEST(tables_are_remembered_until_a_tlbi),
		TEST(a_joined_tlbi_counts),
		TEST(the_same_tlbi_again),
		cmocka_unit_test(property),
		TEST(memory_is_bounded),
		cmocka_unit_test_setup_teardown(tables_go_in_pieces, setup_large, teardown),
		TEST(idle_shadows_go_first),
		TEST(others_took_all_pages),
		TEST(reset_forgets),
	};

	return cmocka_run_group_tests_name("shadow", tests, NULL, NULL);
}
