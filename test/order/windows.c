/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The windows of a vcpu (nested/vncr.c), whose L2 uses a page through VNCR_EL2 while another vcpu
 * unmaps it. L1's tables are one word here; a window is one word that stands for a TLB entry: it is
 * filled from the descriptor, and is gone when the TLBI is complete. L2 must not use a page after
 * L1's TLBI, nor that of another VNCR_EL2.
 */
#include "order.h"

#include <string.h>

#include "arch/barrier.h"
#include "arch/esr.h"
#include "mm/tlb.h"
#include "mm/window.h"
#include "nested/vncr.h"
#include "nested/walk_vm.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "state/vncr.h"

#include "windows.h"

#define RAM 0x40000000UL
#define FIRST 0x40001000UL  /* VNCR_EL2, and the page it maps, before */
#define SECOND 0x40002000UL /* and after */

static struct vm vm;
static struct vcpu vcpu[2];
static u64 words[2][512]; /* L1's, of each */
static u64 leaf;          /* 0: nothing is mapped */
static u64 tlb[WINDOWS];  /* page of each window */
static u64 met;           /* the page that L2 used; 0: none */
static u64 done;          /* the TLBI is over */
static const char *bad;

/* ---- what vncr.c calls ---- */

u64 window_address(u32 n)
{
	return n * PAGE_SIZE;
}

void window_open(u32 n, u64 pa, bool writable)
{
	(void)writable;
	__atomic_store_n(&tlb[n], pa, __ATOMIC_RELEASE);
	dsb(ishst);
}

void window_close(u32 n)
{
	dsb(ishst);
	__atomic_store_n(&tlb[n], 0, __ATOMIC_RELEASE);
	dsb(ish);
}

void tlb_invalidate_el2(u64 at, u64 size)
{
	(void)at;
	(void)size;
}

struct walk_s1_regs walk_s1_sample_vel2(const struct vcpu *v)
{
	(void)v;
	return (struct walk_s1_regs){ 0 };
}

struct walk_mem walk_mem_of(struct vm *of)
{
	(void)of;
	return (struct walk_mem){ 0 };
}

bool walk_s1(const struct walk_s1_regs *regs, const struct walk_s2_regs *s2,
	     const struct walk_feat *f, const struct walk_mem *mem, u64 va, struct walk_access a,
	     struct walk_s1_out *out, struct walk_fault *fault)
{
	(void)regs;
	(void)s2;
	(void)f;
	(void)mem;
	(void)a;
	*fault = (struct walk_fault){ .fsc = 7 };
	*out = (struct walk_s1_out){ .oa = va, .size = PAGE_SIZE, .global = true };
	return __atomic_load_n(&leaf, __ATOMIC_ACQUIRE);
}

/* ---- who does what ---- */

static void name(u64 vncr)
{
	words[0][VNCR_VNCR_EL2 / 8] = vncr;
}

void windows_setup(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(tlb, 0, sizeof(tlb));
	vm.id = 1;
	vm.vcpu_count = 2;
	vm.ram[0].ipa = vm.ram[0].pa = RAM;
	vm.ram[0].size = MIB(1);
	vm.ram_chunks = 1;
	for (u32 i = 0; i < 2; i++) {
		vm.vcpus[i] = &vcpu[i];
		vcpu[i].vm = &vm;
		vcpu[i].index = (u8)i;
		vcpu[i].vncr = words[i];
		vcpu[i].has_vel2 = vcpu[i].vel1_vncr = true;
	}
	leaf = 1;
	met = done = 0;
	bad = NULL;
	name(FIRST);
}

/* L2 of vcpu 0 uses the page, faulting as often as needed; false: L1 gets the fault. */
static bool use(void)
{
	for (;;) {
		u64 n = vncr_window(&vcpu[0]) / PAGE_SIZE;
		u64 over = __atomic_load_n(&done, __ATOMIC_ACQUIRE);
		struct exit exit = { .esr = ESR(EC_DABT_CUR, DABT_VNCR | 7) };

		met = __atomic_load_n(&tlb[n], __ATOMIC_RELAXED);
		if (met && over)
			bad = "L2 has a page behind the TLBI that took it away";
		if (met && met != words[0][VNCR_VNCR_EL2 / 8])
			bad = "L2 has another VNCR_EL2's page";
		if (met)
			return true;
		if (vncr_trap(&vcpu[0], &exit) == REFLECT_ABORT)
			return false;
	}
}

void windows_use(void)
{
	while (use() && !__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		order_relax();
	if (leaf) /* late */
		return;
	use();
}

/*
 * All of a vcpu's windows are used for the first page's address in turn; then another address gets
 * the first window.
 */
void windows_setup_open(void)
{
	windows_setup();
	for (u64 i = 0; i < VNCR_WINDOWS; i++) {
		name(FIRST + (VNCR_WINDOWS - i) * 16 * PAGE_SIZE);
		use();
	}
	bad = NULL;
}

void windows_rename(void)
{
	name(SECOND);
	use();
}

void windows_invalidate(void)
{
	static const struct tlbi_op op = { .kind = TLBI_VMALL, .el2 = true };

	__atomic_store_n(&leaf, 0, __ATOMIC_RELAXED);
	dsb(ish);
	vncr_tlbi(&vcpu[1], &op);
	dsb(ish);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
}

/* The same for what is still mapped. */
void windows_invalidate_more(void)
{
	static const struct tlbi_op op = { .kind = TLBI_VMALL, .el2 = true };

	vncr_tlbi(&vcpu[1], &op);
}

const char *windows_wrong(void)
{
	return bad;
}
