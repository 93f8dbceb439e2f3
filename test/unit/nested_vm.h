/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM whose L1 is a hypervisor, for tests of what nidus does for it: RAM, vcpus with VNCR pages,
 * and a writer of L1's stage-2 tables (4 KiB granule, from level 1, 39 bits).
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "mm/page.h"
#include "mm/stage2.h"
#include "nested/shadow.h"
#include "state/vncr.h"
#include "nested/walk_vm.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"

#define NV_RAM 0x40000000UL
#define NV_RAM_SIZE MIB(32)
#define NV_DEVICE 0x09000000UL /* nothing of the VM's is there */
#define NV_TABLES (NV_RAM + MIB(28))
#define NV_CPUS 2
#define NV_VTCR (25UL | 1UL << 6 | 2UL << 16 | BIT(19))

static struct vm nv_vm;
static struct vcpu nv_vcpu[MAX_VCPUS];
static u64 nv_vncr[MAX_VCPUS][512];
static struct cpu nv_cpu[NV_CPUS];
static u32 nv_this;
static u64 nv_next_table;
static u64 nv_arena, nv_ram_pa;
#define NV_ARENA MIB(64)

struct cpu *cpu_this(void)
{
	return &nv_cpu[nv_this];
}

/* L1's RAM at this IPA, as the test accesses it. */
static inline u64 *nv_ptr(u64 at)
{
	return (u64 *)(nv_ram_pa + (at - NV_RAM));
}

static inline void nv_setup(u32 vcpus, u64 l0_block)
{
	fake_reset();
	fake_set("DCZID_EL0", 4);
	feat = (struct feat){
		.pa_bits = 48, .vmid16 = true, .xnx = true, .ttl = true, .qemu = true
	};
	if (!nv_arena) {
		nv_arena = (u64)aligned_alloc(MIB(64), NV_ARENA);
		nv_ram_pa = (u64)aligned_alloc(MIB(32), NV_RAM_SIZE);
	}
	page_init();
	page_region(nv_arena, nv_arena + NV_ARENA);
	page_add(nv_arena, NV_ARENA);
	memset((void *)nv_ram_pa, 0, NV_RAM_SIZE);
	memset(&nv_vm, 0, sizeof(nv_vm));
	memset(nv_vcpu, 0, sizeof(nv_vcpu));
	memset(nv_vncr, 0, sizeof(nv_vncr));
	memset(nv_cpu, 0, sizeof(nv_cpu));
	nv_this = 0;
	nv_cpu[1].index = 1;
	nv_next_table = NV_TABLES;
	nv_vm.nested.hcr = ~0UL;
	/*
	 * 40 bits, all granules, HAFDBS 2, VMID16, PAN3, HPDS; TTST, TTL, E0PD; TLBI ranges, XS;
	 * XNX
	 */
	nv_vm.id_regs.v[IDX_ID_AA64MMFR0_EL1] = 2 | 1 << 20;
	nv_vm.id_regs.v[IDX_ID_AA64MMFR1_EL1] = 2 | 2 << 4 | 1 << 12 | 3 << 20 | 1UL << 28;
	nv_vm.id_regs.v[IDX_ID_AA64MMFR2_EL1] = 1UL << 28 | 1UL << 48 | 1UL << 60;
	nv_vm.id_regs.v[IDX_ID_AA64ISAR0_EL1] = 2UL << 56;
	nv_vm.id_regs.v[IDX_ID_AA64ISAR1_EL1] = 1UL << 56;
	nv_vm.walk_feat = walk_feat_of(&nv_vm.id_regs);
	nv_vm.ram[0] = (struct vm_ram){ NV_RAM, nv_ram_pa, MIB(12) };
	nv_vm.ram[1] =
		(struct vm_ram){ NV_RAM + MIB(12), nv_ram_pa + MIB(12), NV_RAM_SIZE - MIB(12) };
	nv_vm.ram_chunks = 2;
	if (stage2_init(&nv_vm.stage2, 40, l0_block) ||
	    stage2_map(&nv_vm.stage2, ipa(NV_RAM), pa(nv_ram_pa), NV_RAM_SIZE, STAGE2_RAM))
		abort();
	nv_vm.vcpu_count = vcpus;
	for (u32 i = 0; i < vcpus; i++) {
		nv_vcpu[i] = (struct vcpu){
			.vm = &nv_vm, .index = (u8)i, .has_vel2 = true, .vncr = nv_vncr[i]
		};
		nv_vm.vcpus[i] = &nv_vcpu[i];
	}
}

/* L1 sets its registers for an L2 of this VMID with tables at root. */
static inline void nv_l1(u32 vcpu, u16 vmid, u64 root)
{
	vncr_write(&nv_vcpu[vcpu], VNCR_VTTBR_EL2, (u64)vmid << 48 | root);
	vncr_write(&nv_vcpu[vcpu], VNCR_VTCR_EL2, NV_VTCR);
	vncr_write(&nv_vcpu[vcpu], VNCR_HCR_EL2, HCR_VM | HCR_E2H | HCR_RW);
}

static inline u64 nv_table(void)
{
	u64 t = nv_next_table;

	nv_next_table += PAGE_SIZE;
	if (nv_next_table > NV_RAM + NV_RAM_SIZE)
		abort();
	memset(nv_ptr(t), 0, PAGE_SIZE);
	return t;
}

/* The entry of L1's tables for l2 at a level; missing tables on the way are made. */
static inline u64 *nv_entry(u64 root, u64 l2, u32 level)
{
	u64 *e = nv_ptr(root) + (l2 >> 30);

	for (u32 l = 1; l < level; l++) {
		if ((*e & 3) != 3)
			*e = nv_table() | 3;
		e = nv_ptr(*e & MASK(47, 12)) + (l2 >> (21 - 9 * (l - 1)) & 511);
	}
	return e;
}

/* Leaf bits of L1's: RW, WB, AF. */
#define NV_RW (BIT(10) | 15UL << 2 | BIT(7) | BIT(6) | 3UL << 8)
#define NV_RO (NV_RW & ~BIT(7))

static inline void nv_map(u64 root, u64 l2, u64 l1, u32 level, u64 attr)
{
	*nv_entry(root, l2, level) = l1 | attr | (level == 3 ? 3 : 1);
}

/* An abort of L2 at EL1: data read or write, or a fetch. */
static inline struct exit nv_abort(u64 l2, bool write, bool fetch, u64 fsc)
{
	return (struct exit){
		.esr = ESR(fetch ? EC_IABT_LOW : EC_DABT_LOW,
			   fsc | (write ? DABT_WNR : 0) | (fetch ? 0 : DABT_ISV)),
		.far = 0xffff000000000000UL | (l2 & 0xfff),
		.hpfar = l2 >> 12 << 4,
		.spsr = 5,
	};
}
