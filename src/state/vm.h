/* SPDX-License-Identifier: Apache-2.0 */
/* A guest machine. */
#pragma once

#include "boot/config.h"
#include "arch/spinlock.h"
#include "mm/stage2.h"
#include "traps/traps_nested.h"
#include "nested/walk.h"
#include "state/cpu.h"
#include "traps/idreg.h"
#include "exit/mmio.h"
#include "state/vcpu.h"
#include "vm/vm_load.h"
#include "vgic/vgic.h"

#define MAX_VMS 16
#define VM_RAM_CHUNKS 64

enum vm_state {
	VM_UNUSED,
	VM_LOADING, /* built; its RAM is being filled */
	VM_RUNNING,
	VM_STOPPING,
	VM_RESETTING, /* to VM_LOADING, when all vcpus are gone and what they left is */
	VM_DEAD,
};

struct vpl011;

/* Where a VM's own devices are; 1:1 VMs have them where the machine has its own. */
struct vm_layout {
	u64 ram, gicd, gicr, uart;
	u32 uart_intid;
	u64 ram_size; /* RAM from `ram` on, without a gap: all of it, but for 1:1 VMs */
};

struct vm {
	const struct vm_config *config;
	u32 id; /* 1.. in messages and on the console */
	u32 state;       /* atomic: enum vm_state */
	u32 vcpus_alive; /* atomic: vcpus that have not yet left for good */
	const char *stop_reason; /* NULL: the guest asked for it (PSCI); else why nidus stopped it */
	struct vm_layout layout;
	struct stage2 stage2;
	struct shadow_pool *shadows; /* nested/shadow.h; NULL: no virtual EL2 */
	/* RAM in the order of its IPAs: without gaps, or where it is in the machine (nidus,direct-map). */
	struct vm_ram {
		u64 ipa, pa, size;
	} ram[VM_RAM_CHUNKS];
	u32 ram_chunks;
	struct idregs id_regs;
	struct nested_bits nested; /* of its EL2 registers, if it has them */
	struct walk_feat walk_feat; /* what id_regs say to a walk of its tables */
	u64 cntoff;            /* guest counter = CNTPCT - cntoff */
	struct mmio_bus mmio;
	struct vgic vgic;
	struct vpl011 *uart;
	u64 undef_logged[4];   /* a small hash of what was logged once */
	bool stage2_ready;
	u64 started;              /* CNTPCT at vm_start() */
	bool entered;             /* its first instruction was reported */
	bool e2h_said;            /* that its hypervisor does without VHE was, in this boot */
	struct vm_load load;      /* vm_work() has these */
	bool end_told;            /* that it is off */
	u32 released;             /* how far vm_release_piece() got: parts that are gone */
	u64 stopped;              /* CNTPCT when that began */
	u32 reset;                /* and a reset: shadows done */
	u64 work_cpus;            /* bit n: cpus[n] may do its work, as its vcpus may run there */
	u64 entry, fdt_ipa;    /* where vcpu 0 starts, and x0 there */
	u32 vcpu_count;
	struct vcpu *vcpus[MAX_VCPUS];
	struct vcpu *last_ran[MAX_CPUS]; /* by CPU: whose translations its TLB may hold */
};

extern struct vm vms[MAX_VMS];
extern u32 vm_count;
extern u64 boot_ticks; /* CNTPCT at nidus's entry */
extern bool vm_stats_at_end; /* nidus's option "stats": print a VM's account when it ends */

/*
 * Build a VM from its configuration: memory, device tree, vcpus, and where its images go; then it waits for vm_work(),
 * which fills its memory and starts it. On error nothing is left behind, and one line names node and reason. At boot.
 */
int vm_create(const struct vm_config *config) must_check;
/* Its memory is filled: make vcpu 0 runnable. */
void vm_start(struct vm *vm);

/*
 * Stop all vcpus of the VM; the last one to leave frees its memory (or, for a reset, starts it anew).
 * Any CPU, any context of a vcpu. reason NULL: by the guest's own wish. The first call decides.
 */
void vm_stop(struct vm *vm, enum vm_state how, const char *reason);

/* Log how long after power-on the VM's first vcpu is entered. */
void vm_first_entry(struct vm *vm);
/*
 * A vcpu left its run loop for good (CPU_OFF, or the VM is stopping); it is no longer loaded anywhere. The last
 * one of a stopping VM queues the VM for vm_work().
 */
void vm_vcpu_gone(struct vcpu *vcpu);

/*
 * Work on VMs whose vcpus do not run: to fill their memory and start them, or to free them. vm_work() does one piece for
 * one VM, about a millisecond's worth at most, on a CPU that has no vcpu loaded; VMs take turns. A CPU does it only for
 * VMs whose vcpus may run there. vm_work_cpus(): those that could now; vm_work_pending(): whether this one is among them.
 */
u64 vm_work_cpus(void);
bool vm_work_pending(void);
void vm_work(void);

/* Whether there is RAM at an IPA. */
bool vm_has_ram(const struct vm *vm, ipa_t at);
/* Copy between nidus and guest RAM at an IPA; -EINVAL if any of it is not the VM's RAM. */
int vm_read(struct vm *vm, ipa_t from, void *to, size_t n) must_check;
int vm_write(struct vm *vm, ipa_t to, const void *from, size_t n) must_check;
/* page_clean() for a range of the VM's RAM. */
int vm_clean(struct vm *vm, ipa_t at, u64 size) must_check;
