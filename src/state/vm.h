/* SPDX-License-Identifier: Apache-2.0 */
/* A guest machine. */
#pragma once

#include "arch/spinlock.h"
#include "mm/page_pool.h"
#include "mm/stage2.h"
#include "state/config.h"
#include "state/cpu.h"
#include "state/idregs.h"
#include "state/load.h"
#include "state/mmio.h"
#include "state/vcpu.h"

#define MAX_VMS 16
#define VM_RAM_CHUNKS 64

enum vm_state {
	VM_UNUSED,
	VM_LOADING, /* built; its RAM is being filled */
	VM_RUNNING,
	VM_STOPPING,
	VM_RESETTING, /* to VM_LOADING, when all vcpus have left and their state is cleaned up */
	VM_DEAD,
};

struct vpl011;
struct vpl031;
struct vflash;
struct vpci;

/* Where a VM's own devices are; 1:1 VMs have them where the machine has its own. */
struct vm_layout {
	u64 ram, gicd, gicr, uart, rtc, flash, fw_cfg, its; /* its 0: there can be none */
	u64 smmu;                                           /* 0: it is to see none */
	u64 stolen; /* a page of its own, no RAM: a struct stolen_time for each vcpu */
	u32 uart_intid, rtc_intid;
	u32 smmu_intid[2]; /* of events, of errors */
	u32 intid_max;     /* of what it has of the machine's PCI functions, and of its SMMU */
	u64 ram_size; /* RAM from `ram` on, without a gap: all of it, but for 1:1 VMs */
};

struct vm {
	const struct vm_config *config;
	u32 id; /* 1.. in messages and on the console */
	u32 state;       /* atomic: enum vm_state */
	u32 vcpus_alive; /* atomic: vcpus that have not yet left for good */
	/* NULL: the guest asked for it (PSCI); else why nidus stopped it */
	const char *stop_reason;
	struct vm_layout layout;
	struct stage2 stage2;
	struct page_pool tables; /* for stage2, if it has PCI functions: their BARs move */
	struct shadow_pool *shadows; /* nested/shadow.h; NULL: no virtual EL2 */
	/*
	 * RAM in the order of its IPAs: without gaps, or where it is in the machine
	 * (nidus,direct-map).
	 */
	struct vm_ram {
		u64 ipa, pa, size;
	} ram[VM_RAM_CHUNKS];
	u32 ram_chunks;
	struct idregs id_regs;
	struct vel2_bits nested;  /* of its EL2 registers, if it has them */
	struct vncr_vm vncr;      /* if its hypervisor has FEAT_NV2 */
	struct walk_feat walk_feat; /* features for a walk of its tables, from id_regs */
	u64 cntoff;            /* guest counter = CNTPCT - cntoff */
	struct mmio_bus mmio;
	struct vgic vgic;
	struct vpl011 *uart;
	struct vpl031 *rtc;
	struct vm_fwcfg {
		u32 item, at; /* atomic: what is read, and how far */
	} fw_cfg;
	struct vflash *flash;  /* NULL: it does not start from firmware */
	struct vpci *pci;      /* vm/vpci.h; NULL: it has no PCI functions */
	struct vpass *pass;    /* vm/vpass.h; NULL: it has no devices by nidus,passthrough */
	bool devices_may_write; /* one may still write to the VM's RAM when it is off */
	u32 hw_errors;         /* atomic: that the hardware reported, see hwerror.h */
	u64 undef_logged[4];   /* a small hash set of what was logged once */
	bool stage2_ready;
	u64 started;              /* CNTPCT at vm_start() */
	bool entered;             /* its first instruction was reported */
	bool e2h_said;            /* reported in this boot: it does without VHE */
	struct vm_load load;      /* vm_work() has these */
	bool end_told;            /* it was reported that it is off */
	u32 released;             /* progress of vm_release_piece(): parts that are freed */
	u64 stopped;              /* CNTPCT when that began */
	u32 reset;                /* progress of a reset: shadows done */
	u64 work_cpus;            /* bit n: cpus[n] may do its work, as its vcpus may run there */
	u64 entry, fdt_ipa;    /* where vcpu 0 starts, and x0 there */
	u64 stolen_page;       /* PA of what is at layout.stolen */
	u32 vcpu_count;
	struct vcpu *vcpus[MAX_VCPUS];
	struct vcpu *last_ran[MAX_CPUS]; /* by CPU: whose translations its TLB may hold */
};

/* Why a VM is stopped whose accesses are the likeliest cause of a physical SError interrupt. */
#define VM_SERROR "SError interrupt from the hardware"

extern struct vm vms[MAX_VMS];
extern u32 vm_count;

/*
 * Stop all vcpus of the VM; the last one to leave frees its memory (or, for a reset, starts it
 * again). Any CPU, any context of a vcpu. reason NULL: at the guest's request. The first call
 * decides.
 */
void vm_stop(struct vm *vm, enum vm_state how, const char *reason);

/*
 * Queue of VMs whose vcpus do not run and that wait for work: to be loaded and started, or torn
 * down (vm/vm.h). A CPU works only on VMs whose vcpus may run there. vm_hand_over(): queue this VM.
 * vm_take_work(): dequeue one that the CPUs of a mask may work on, which then is the caller's until
 * vm_hand_over(); NULL: none, or other CPUs were faster. vm_work_cpus(): CPUs that could take one
 * now; vm_work_pending(): whether this CPU is among them.
 */
void vm_hand_over(struct vm *vm);
struct vm *vm_take_work(u64 where);
u64 vm_work_cpus(void);
bool vm_work_pending(void);
/* Count a vcpu that has left for good; the last one hands the VM over. */
void vm_drop_vcpu(struct vm *vm);
/* Mark a vcpu that is off as dead at once; the caller that succeeds counts it. */
void vm_kill_if_off(struct vcpu *vcpu);

/* Whether there is RAM at an IPA. */
bool vm_has_ram(const struct vm *vm, ipa_t at);
/* Copy between nidus and guest RAM at an IPA; -EINVAL if any of it is not the VM's RAM. */
int vm_read(struct vm *vm, ipa_t from, void *to, size_t n) must_check;
int vm_write(struct vm *vm, ipa_t to, const void *from, size_t n) must_check;
/* page_clean() for a range of the VM's RAM. */
int vm_clean(struct vm *vm, ipa_t at, u64 size) must_check;
