/* SPDX-License-Identifier: Apache-2.0 */
/* Trapped MRS, MSR and SYS instructions: decoding, lookup, and the EMUL rows of sysreg.def. */
#include "exit/sysreg_emul.h"

#include "arch/cacheid.h"
#include "arch/pstate.h"
#include "arch/barrier.h"
#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "nested/at.h"
#include "nested/tlbi.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "traps/debug.h"
#include "traps/nvhe.h"
#include "traps/vel2.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/nested.h"
#include "vtimer/vtimer.h"

/* ---- what is emulated ---- */

enum verdict emul_raz_wi(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)vcpu;
	(void)id;
	(void)write;
	(void)value;
	return SKIP;
}

enum verdict emul_raz(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)vcpu;
	(void)id;
	(void)value;
	return write ? UNDEF : SKIP;
}

enum verdict emul_sgi(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	return write ? vgic_sgi(vcpu, *value, id == SR_ICC_SGI1R_EL1) : UNDEF;
}

enum verdict emul_dir(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	return write ? vgic_dir(vcpu, *value) : UNDEF;
}

enum verdict emul_count(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (write)
		return UNDEF;
	*value = vtimer_phys_read(vcpu, VTIMER_COUNT);
	return SKIP;
}

enum verdict emul_timer(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	enum vtimer_reg reg = id == SR_CNTP_CTL_EL0    ? VTIMER_CTL
			      : id == SR_CNTP_CVAL_EL0 ? VTIMER_CVAL
						       : VTIMER_TVAL;

	if (write)
		vtimer_phys_write(vcpu, reg, *value);
	else
		*value = vtimer_phys_read(vcpu, reg);
	return SKIP;
}

/* Read-only emulation of an identity register with the machine's value v. */
static enum verdict read_only(bool write, u64 *value, u64 v)
{
	if (write)
		return UNDEF;
	*value = v;
	return SKIP;
}

enum verdict emul_aidr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)vcpu;
	(void)id;
	return read_only(write, value, sysreg_read(AIDR_EL1));
}

/* SMPS (streaming priorities) and the SMCU's affinity are not shown. */
enum verdict emul_smidr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!vcpu->vm->config->sme)
		return UNDEF;
	return read_only(write, value, sysreg_read(SMIDR_EL1) & SMIDR_IMPLEMENTER_REVISION);
}

/* Without SMIDR_EL1.SMPS the register is RES0. */
enum verdict emul_smpri(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	return vcpu->vm->config->sme ? emul_raz_wi(vcpu, id, write, value) : UNDEF;
}

/* Without tag caches: FEAT_MTE2 is hidden. */
enum verdict emul_clidr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)vcpu;
	(void)id;
	return read_only(write, value, sysreg_read(CLIDR_EL1) & ~CLIDR_TTYPES);
}

enum verdict emul_csselr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	if (write)
		vcpu->sr[id] = *value & CSSELR_MASK;
	else
		*value = vcpu->sr[id];
	return SKIP;
}

/* Whether CLIDR_EL1 has the cache that this CSSELR_EL1 value selects. */
static bool cache_exists(u64 csselr)
{
	u64 clidr = sysreg_read(CLIDR_EL1);
	u32 level = CSSELR_LEVEL(csselr), type = 0;

	if (level == CSSELR_LEVEL_NONE)
		return false;
	for (u32 i = 0; i <= level; i++) {
		type = CLIDR_CTYPE(clidr, i);
		if (type == CTYPE_NONE) /* nothing beyond the first level without a cache counts */
			return false;
	}
	/* Beyond these two: both, or a unified one. */
	return csselr & CSSELR_IND ? type & CTYPE_INSTRUCTION : type >= CTYPE_DATA;
}

enum verdict emul_ccsidr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	u64 csselr = vcpu->sr[SR_CSSELR_EL1];

	(void)id;
	/*
	 * Selecting a cache that isn't there makes the real register UNDEFINED on some CPUs, at EL2
	 * too.
	 */
	if (write || !cache_exists(csselr))
		return read_only(write, value, 0);
	/* CSSELR_EL1 itself is nidus's scratch: no guest reaches it. */
	sysreg_write(CSSELR_EL1, csselr);
	isb();
	*value = sysreg_read(CCSIDR_EL1);
	return SKIP;
}

/*
 * CCSIDR2_EL1, AArch32's number of sets, exists with FEAT_CCIDX. The register itself may be
 * UNDEFINED on a CPU without AArch32, at EL2 too, and its value is in CCSIDR_EL1.
 */
enum verdict emul_ccsidr2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	enum verdict verdict;

	if (!FIELD(vcpu->vm->id_regs.v[IDX_ID_AA64MMFR2_EL1], 23, 20))
		return UNDEF;
	verdict = emul_ccsidr(vcpu, id, write, value);
	if (!write)
		*value = CCSIDR_NUMSETS(*value);
	return verdict;
}

/* Trapped only where HCR_EL2.TID2 must stand in for TID4. */
enum verdict emul_ctr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)vcpu;
	(void)id;
	return read_only(write, value, sysreg_read(CTR_EL0));
}

/* ---- which of them an access means ---- */

/* op0=3 op1=0 CRn=0 CRm=0..7. */
#define IDSPACE_MASK SYSREG_KEY(3u, 7u, 15u, 8u, 0u)
#define IDSPACE SYSREG_KEY(3u, 0u, 0u, 0u, 0u)

static enum verdict idspace_read(struct vcpu *vcpu, u32 key, bool write, u64 *value)
{
	u32 crm = (u32)SYS64_CRM(key), op2 = (u32)SYS64_OP2(key);

	if (write)
		return UNDEF;
	if (crm == 0) {
		/*
		 * Only these three are allocated, and the space is reserved as RAZ from CRm=1 on.
		 */
		if (op2 == 5)
			return read_only(write, value, vcpu->vmpidr);
		if (op2 != 0 && op2 != 6)
			return UNDEF;
	}
	return read_only(write, value, vcpu->vm->id_regs.v[IDSPACE_INDEX(crm, op2)]);
}

/* CPACR_EL1 trapped by CPTR_EL2.TCPAC: fields of features that this VM lacks are RES0 to it. */
static enum verdict access_cpacr(struct vcpu *vcpu, bool write, u64 *value)
{
	u64 hidden = simd_cpacr_hidden(&vcpu->simd);

	if (unlikely(vcpu->in_vel2))
		return vcpu->nvhe ? nvhe_cpacr(vcpu, write, value)
				  : emul_cptr(vcpu, SR_CPTR_EL2, write, value);
	if (write)
		sysreg_write(CPACR_EL12, *value | hidden);
	else
		*value = sysreg_read(CPACR_EL12) & ~hidden;
	return SKIP;
}

/* Accesses without a row: ID and numbered debug registers; PASS: sysreg_trap() decides. */
static enum verdict vel2_other(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	u32 key = (u32)vcpu->exit.esr & SYSREG_KEY_MASK;

	(void)id;
	if (likely((key & IDSPACE_MASK) == IDSPACE))
		return idspace_read(vcpu, key, write, value);
	if ((key & DEBUG_NUMBERED_MASK) == DEBUG_NUMBERED)
		return debug_numbered(vcpu, key, write, value);
	return PASS;
}

/*
 * The function for an access of vEL2. Rows that depend on the machine (row_conditional()) or are in
 * the CPU, where only MDSCR_EL1 and CPACR_EL1 trap, are left to sysreg_trap().
 */
#define FN_BANK(twin, function, condition) vel2_other
#define FN_SWAP FN_BANK
#define FN_LIVE FN_BANK
#define FN_VNCR FN_BANK
#define FN_TWIN(twin, reg, condition) twin
#define FN_EMUL(twin, function, condition)                                                         \
	(__builtin_constant_p(condition) ? (function) : vel2_other)

static sysreg_fn *const vel2_fn[SR_COUNT] = {
	[SR_NONE] = vel2_other,
#define SYSREG(name, op0, op1, crn, crm, op2, home, accessor, condition, reset)                    \
	[SR_##name] = SR_##name == SR_CPACR_EL1 ? emul_cptr :                                      \
		      SR_##name == SR_MDSCR_EL1 ? debug_mdscr :                                    \
						  FN_##home(twin_##name, accessor, condition),
#include "arch/sysreg.def"
};

/* What serves an access by this encoding where there is no VHE. */
static sysreg_fn *vel2_fn_nvhe(u32 key)
{
	enum sysreg_id id = sysreg_find(nvhe_key(key));
	sysreg_fn *fn = nvhe_fn(id);

	if (fn)
		return fn;
	return id == SR_CPACR_EL1 ? vel2_other : vel2_fn[id];
}

sysreg_fn *const *sysreg_vel2_table(bool nvhe)
{
	static sysreg_fn *table[SR_COUNT];
	u32 i;

	if (!nvhe)
		return vel2_fn;
	/* Made by each vcpu's reset, each time alike: it takes no room in the image. */
	for (i = 0; i < SYSREG_INDEX_END; i++)
		if (sysreg_index[i])
			table[sysreg_index[i]] = vel2_fn_nvhe(SYSREG_INDEX_KEY(i));
	for (i = 0; i < SYSREG_INDEX2_END; i++) /* debug: the same */
		table[sysreg_index2[i]] = vel2_fn[sysreg_index2[i]];
	table[SR_NONE] = vel2_other;
	return table;
}

#define CASE_BANK(id, twin, function, condition)
#define CASE_SWAP CASE_BANK
#define CASE_LIVE(id, twin, function, condition)
#define CASE_VNCR(id, twin, offset, condition)
#define CASE_TWIN(id, twin, reg, condition) CASE_EMUL(id, , twin, condition)
#define CASE_EMUL(id, twin, function, condition)                                                   \
	case id:                                                                                   \
		return (condition) ? function : NULL;

static sysreg_fn *row_conditional(enum sysreg_id id)
{
	switch ((u32)id) {
#define SYSREG(name, op0, op1, crn, crm, op2, home, accessor, condition, reset)                    \
	CASE_##home(SR_##name, twin_##name, accessor, condition)
#include "arch/sysreg.def"
	}
	return NULL;
}

static enum verdict access_register(struct vcpu *vcpu, u32 key, bool write, u64 *value)
{
	bool nvhe = unlikely(vcpu->nvhe && vcpu->in_vel2);
	enum sysreg_id id;
	sysreg_fn *fn;

	if ((key & IDSPACE_MASK) == IDSPACE)
		return idspace_read(vcpu, key, write, value);
	if ((key & DEBUG_NUMBERED_MASK) == DEBUG_NUMBERED)
		return debug_numbered(vcpu, key, write, value);
	if (key == KEY_CPACR_EL1)
		return access_cpacr(vcpu, write, value);
	if (key == KEY_MDSCR_EL1)
		return debug_mdscr(vcpu, SR_MDSCR_EL1, write, value);
	id = sysreg_find(nvhe ? nvhe_key(key) : key);
	fn = nvhe ? nvhe_fn(id) : NULL;
	if (!fn)
		fn = row_conditional(id);
	return fn ? fn(vcpu, id, write, value) : UNDEF;
}

/*
 * Log that a VM used a register that it does not have; once per VM and encoding (by a hash, so some
 * are never logged).
 */
static __attribute__((noinline)) void log_undef(struct vcpu *vcpu, u64 esr, u64 pc)
{
	struct vm *vm = vcpu->vm;
	u32 key = (u32)esr & SYSREG_KEY_MASK;
	u32 bit = ((key >> 1) * 0x9e3779b1u) >> 24;
	char text[SYSREG_TEXT_MAX];
	const char *op = SYS64_OP0(key) == 1 ? "" : SYS64_READ(esr) ? "MRS " : "MSR ";

	if (__atomic_fetch_or(&vm->undef_logged[bit / 64], BIT(bit % 64), __ATOMIC_RELAXED) &
	    BIT(bit % 64))
		return;
	sysreg_text(text, key);
	log_line("vm %s: UNDEF: %s%s at 0x%lx", vm->config->name, op, text, pc);
}

enum verdict sysreg_trap(struct vcpu *vcpu, const struct exit *exit)
{
	u32 key = (u32)exit->esr & SYSREG_KEY_MASK;
	u32 rt = (u32)SYS64_RT(exit->esr);
	bool write = !SYS64_READ(exit->esr);
	u64 value = write ? vcpu_gpr(vcpu, rt) : 0;
	enum verdict verdict = PASS;

	if (unlikely(vcpu->in_vel2) && SYS64_OP0(key) == 1)
		return SYS64_CRN(key) == 7 ? at_trap(vcpu, exit) : tlbi_trap(vcpu, exit);
	/* The hot one: no search. */
	if (likely(key == KEY_ICC_SGI1R_EL1 && write && !PSTATE_IS_EL0(exit->spsr)))
		return vgic_sgi(vcpu, value, true);
	if (unlikely(vgic_vel2_iface_traps(vcpu)))
		verdict = vgic_vel2_icc(vcpu, key, write, &value);
	/* EL0 may only use op1=3; the rest is UNDEFINED there before any trap, or should be. */
	if (likely(verdict == PASS))
		verdict = !PSTATE_IS_EL0(exit->spsr) || SYS64_OP1(key) == 3
				  ? access_register(vcpu, key, write, &value)
				  : UNDEF;
	if (likely(verdict == SKIP)) {
		if (!write)
			vcpu_gpr_set(vcpu, rt, value);
	} else if (verdict == UNDEF) {
		log_undef(vcpu, exit->esr, exit->elr);
	}
	return verdict;
}

enum verdict sysreg_vel2(struct vcpu *vcpu, u64 esr, u64 pstate)
{
	u32 rt = (u32)SYS64_RT(esr);
	bool write = !SYS64_READ(esr);
	enum verdict verdict;
	enum sysreg_id id;
	sysreg_fn *fn;
	u64 value;

	if (unlikely(!PSTATE_EL(pstate)))
		return PASS;
	if (likely(SYS64_OP0(esr) == 3))
		id = sysreg_find_op0_3((u32)esr);
	else if (SYS64_OP0(esr) == 2)
		id = sysreg_find((u32)esr);
	else
		return PASS;
	fn = vcpu->vel2_fn[id];
	value = write ? vcpu_gpr(vcpu, rt) : 0;
	verdict = fn(vcpu, id, write, &value);
	if (likely(verdict == SKIP)) {
		if (!write)
			vcpu_gpr_set(vcpu, rt, value);
	} else if (unlikely(verdict == UNDEF)) {
		log_undef(vcpu, esr, vcpu->pc);
	}
	return verdict;
}
