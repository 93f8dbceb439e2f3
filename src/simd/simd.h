/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner of a CPU's SIMD registers (FPSIMD, SVE, SME), and the only functions that move them.
 * State is live iff cpu->simd.owner and vcpu->simd.cpu point at each other. docs/simd.md has the
 * state machine and what is proved of it.
 */
#pragma once

#include "arch/sysreg.h"
#include "lib/sha256.h"
#include "lib/types.h"
#include "state/exit.h"
#include "state/simd.h"
#include "state/traps.h"

struct cpu;
struct exit;
struct vcpu;
struct vm_config;

/*
 * On each CPU, once: probe its vector lengths, leave the registers without an owner and all traps
 * set. The boot CPU (index 0) sets feat.sve_vl_mask and feat.sme_vl_mask; a CPU that differs is
 * unusable: false, with a message. feat and cpu_this() must work; HCR_EL2.E2H is 1; interrupts
 * masked.
 */
bool simd_boot(void) must_check;

/*
 * Check that this machine has the vector lengths in config. NULL, or buf with a message that names
 * the node, the property, what was expected and what there is. A length not in the machine's list
 * is an error; SVE_MAX is the longest, of which there may be none.
 */
const char *simd_config_check(const struct vm_config *config, char *buf, size_t size);
/*
 * Largest vector length (streaming vector length) in bytes of a VM so configured on this machine;
 * 0: no SVE (SME).
 */
u32 simd_config_vl(const struct vm_config *config);
u32 simd_config_svl(const struct vm_config *config);

/* Give a new vcpu, whose vcpu->vm is set, a home of its VM's size, in reset state; -ENOMEM. */
int simd_vcpu_init(struct vcpu *vcpu) must_check;
/*
 * Set the architectural reset state. State that is live here is dropped, not saved; must not be
 * live on another CPU.
 */
void simd_vcpu_reset(struct vcpu *vcpu);
/*
 * Drop state that is live here, free the home. Must not be live on another CPU. Harmless before
 * simd_vcpu_init().
 */
void simd_vcpu_destroy(struct vcpu *vcpu);

/*
 * The fields of CPACR_EL1 (ZEN, SMEN) that are RES0 to a VM without the feature on a machine with
 * it. They are kept all-ones in the register, and CPTR_EL2.TCPAC traps CPACR_EL1. Pure.
 */
u64 simd_cpacr_hidden(const struct simd_vcpu *s);

/*
 * The complete CPTR_EL2 (E2H=1 format) for an entry of vcpu into its guest on this CPU: FPEN,
 * ZEN, SMEN open iff its state is live here and its VM has the feature, trace and activity
 * monitors trapped. Pure.
 */
u64 simd_cptr(const struct vcpu *vcpu);

/*
 * Accessed by the name that HCR_EL2.E2H redirects: at a virtual EL2 the EL2 name traps, this one
 * may not.
 */
#define CPTR_EL2 CPACR_EL1

/*
 * Write CPTR_EL2, if it differs from have->cptr; have is this CPU's cpu->traps. Nothing else writes
 * it. As it governs EL2 too, the caller needs an ISB before it uses what this opens. Any interrupt
 * mask.
 */
static inline void simd_cptr_load(struct traps *have, u64 cptr)
{
	if (have->cptr == cptr)
		return;
	have->cptr = cptr;
	sysreg_write(CPTR_EL2, cptr);
}

/* The same, for callers without cpu->traps. */
void simd_cptr_write(u64 cptr);

/*
 * Handle a trapped use of FP or Advanced SIMD, SVE, SME (EC 0x07, 0x19, 0x1d; AArch32 at EL0 too):
 * claims and resumes, or UNDEF if the VM lacks the feature. Run loop, vcpu loaded.
 */
enum verdict simd_trap(struct vcpu *vcpu, const struct exit *exit);

/*
 * Make this CPU's SIMD registers vcpu's: load them from its home unless they are live, and open
 * the traps. vcpu is loaded here and live nowhere else. Any interrupt mask.
 */
void simd_claim(struct vcpu *vcpu);
/*
 * Write vcpu's state to its home if it is live here (it must not be live elsewhere) and set the
 * traps. Any interrupt mask.
 */
void simd_flush(struct vcpu *vcpu);

/*
 * Ensure that CPTR_EL2 is open iff vcpu's state is live, whatever host sections did. Before each
 * entry, after the last point where an interrupt could come, with IRQs masked up to the ERET. About
 * 10 instructions normally; else it corrects CPTR_EL2 and sets vcpu->traps_stale.
 */
void simd_check(struct vcpu *vcpu);

/*
 * Between these two nidus may use all SIMD registers: a live guest's are written back first. Any
 * context, an interrupt taken at EL2 included. Interrupts stay masked in between, so keep it
 * short; begin and end on one CPU in one function. They do not nest (CHECK). No value survives
 * simd_host_end().
 */
void simd_host_begin(void);
void simd_host_end(void);

/*
 * An engine for sha256_init(): the CPU's SHA2 instructions where it has them and the input is long
 * enough. Any context in which a host section may be opened; one section covers at most 16 KiB, so
 * interrupts wait no longer than that takes.
 */
sha256_blocks_fn simd_sha256_blocks;
/* sha256_ce.S: needs FEAT_SHA256 and an open host section. */
sha256_blocks_fn sha256_blocks_ce;

/* nidus's option simd.chaos. */
extern bool simd_chaos;
/* Run a host section that fills every SIMD register, ZA and the status registers with garbage. */
void simd_chaos_section(void);
/* The same, at one call in four. */
void simd_chaos_maybe(void);

/*
 * Mark a place where a host section could come. Free unless simd.chaos is on; then one comes at one
 * in four.
 */
static inline void simd_chaos_point(void)
{
	if (unlikely(simd_chaos))
		simd_chaos_maybe();
}
