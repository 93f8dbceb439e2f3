/* SPDX-License-Identifier: Apache-2.0 */
/* Vector lengths of this machine, and of VMs. */
#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "lib/check.h"
#include "lib/log.h"
#include "simd/simd.h"
#include "simd/simd_regs.h"
#include "simd/simd_state.h"
#include "state/config.h"
#include "state/cpu.h"

#define LEN_MAX 15

/*
 * Probe the lengths: setting one gives the longest that exists up to it, at least the shortest
 * (ZCR_ELx.LEN).
 */
static u32 probe_sve(void)
{
	u32 mask = 0;

	for (u32 len = 0; len <= LEN_MAX; len++) {
		sysreg_write(ZCR_EL2, len);
		mask |= (u32)BIT(simd_regs_vl() / 16 - 1);
	}
	return mask;
}

static u32 probe_sme(void)
{
	u32 mask = 0;

	for (u32 len = 0; len <= LEN_MAX; len++) {
		sysreg_write(SMCR_EL2, len);
		mask |= (u32)BIT(simd_regs_svl() / 16 - 1);
	}
	return mask;
}

/* Clear what firmware left: no streaming mode, no ZA, no priority at the SMCU. */
static void quieten_sme(void)
{
	sysreg_write(SVCR, 0);
	sysreg_write(SMPRI_EL1, 0);
}

/* The mask of all lengths that are no longer than the longest in mask. */
static u32 lengths_up_to(u32 mask)
{
	return mask ? ~0U >> __builtin_clz(mask) : 0;
}

/* The longest length in mask, in bytes; 0 if mask is empty. */
static u32 longest(u32 mask)
{
	return mask ? (32 - (u32)__builtin_clz(mask)) * 16 : 0;
}

/* Report why this CPU is unusable: a vcpu could not move to it. */
static void tell_lengths(u64 mpidr, u32 sve, u32 sme)
{
	log_line(
		"cpu 0x%lx: left out: longest vectors SVE %u, SME %u bits (of lengths 0x%x, 0x%x), "
		"the boot CPU's "
		"SVE %u, SME %u (0x%x, 0x%x)",
		mpidr, longest(sve) * 8, longest(sme) * 8, sve, sme, longest(feat.sve_vl_mask) * 8,
		longest(feat.sme_vl_mask) * 8, feat.sve_vl_mask, feat.sme_vl_mask);
}

bool simd_boot(void)
{
	struct cpu *cpu = cpu_this();
	u32 sve = 0, sme = 0;

	simd_cptr_init();
	cpu->traps.cptr = sysreg_read(CPTR_EL2);
	simd_open();
	if (feat.sme) {
		quieten_sme();
		sme = probe_sme();
	}
	if (feat.sve)
		sve = probe_sve();
	/*
	 * QEMU's TCG aborts when it narrows to a streaming length that is longer than every SVE
	 * length.
	 */
	if (feat.qemu)
		sme &= lengths_up_to(sve);
	simd_close();
	isb();
	if (!cpu->index) {
		feat.sve_vl_mask = sve;
		feat.sme_vl_mask = sme;
	} else if (sve != feat.sve_vl_mask || sme != feat.sme_vl_mask) {
		tell_lengths(cpu->hw.mpidr, sve, sme);
		return false;
	}
	return true;
}

/* A length from the configuration, which simd_config_check() passed, in bytes. */
static u32 config_length(u32 bits, u32 mask)
{
	return bits == SVE_MAX ? longest(mask) : bits / 8;
}

u32 simd_config_vl(const struct vm_config *config)
{
	return config_length(config->sve, feat.sve_vl_mask);
}

/* No guest expects SME without SVE, and the layout of the home does not support it. */
u32 simd_config_svl(const struct vm_config *config)
{
	return simd_config_vl(config) ? config_length(config->sme, feat.sme_vl_mask) : 0;
}

static bool length_exists(u32 bits, u32 mask)
{
	if (!bits || bits == SVE_MAX)
		return true;
	return bits % 128 == 0 && bits <= 2048 && (mask & BIT(bits / 128 - 1));
}

static const char *complain(char *buf, size_t size, const char *path, const char *property,
			    u32 wanted, u32 mask)
{
	size_t n = (size_t)snprintf(buf, size, "%s: %s: wanted %u bits, available:%s", path,
				    property, wanted, mask ? "" : " none");

	for (u32 i = 0; i <= LEN_MAX && n < size; i++)
		if (mask & BIT(i))
			n += (size_t)snprintf(buf + n, size - n, " %u", (i + 1) * 128);
	return buf;
}

const char *simd_config_check(const struct vm_config *config, char *buf, size_t size)
{
	if (!length_exists(config->sve, feat.sve_vl_mask))
		return complain(buf, size, config->path, "sve", config->sve, feat.sve_vl_mask);
	if (!length_exists(config->sme, feat.sme_vl_mask))
		return complain(buf, size, config->path, "nidus,sme", config->sme,
				feat.sme_vl_mask);
	if (config->sme && !config->sve) {
		snprintf(buf, size, "%s: nidus,sme: wanted SME, which needs sve, and that is off",
			 config->path);
		return buf;
	}
	return NULL;
}
