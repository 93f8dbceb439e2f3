/* SPDX-License-Identifier: Apache-2.0 */
/* EL2's registers in the format of E2H = 0, EL1's by their names, and what is UNDEFINED. */
#include "nvhe.h"

#include "lib/string.h"

/* ---- EL2's own: read as written ---- */

#define TCR_VALUE (0x80800000UL | 25 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16)
#define OWN(X)                                                                                     \
	X(SCTLR_EL2, 0x30c51834)                                                                   \
	X(SCTLR_EL2, 0x30c50830)                                                                   \
	X(TCR_EL2, TCR_VALUE)                                                                      \
	X(TCR_EL2, TCR_VALUE | BIT(20))                                                            \
	X(TTBR0_EL2, 0x41234000)                                                                   \
	X(MAIR_EL2, 0x44ff04)                                                                      \
	X(CPTR_EL2, CPTR_NVHE | BIT(10))                                                           \
	X(CPTR_EL2, CPTR_NVHE | BIT(8))                                                            \
	X(CPTR_EL2, CPTR_NVHE | BIT(12))                                                           \
	X(CPTR_EL2, CPTR_NVHE | BIT(31))                                                           \
	X(CPTR_EL2, CPTR_NVHE)                                                                     \
	X(CNTHCTL_EL2, 1)                                                                          \
	X(CNTHCTL_EL2, 2)                                                                          \
	X(CNTHCTL_EL2, 0xf4)                                                                       \
	X(CNTHCTL_EL2, 3)                                                                          \
	X(TPIDR_EL2, 0x123456789abc)                                                               \
	X(CONTEXTIDR_EL2, 0x1234)                                                                  \
	X(ESR_EL2, 0x5a000001)                                                                     \
	X(FAR_EL2, 0xffff123456780000)                                                             \
	X(ELR_EL2, 0x40001230)                                                                     \
	X(SPSR_EL2, 0x600003c9)                                                                    \
	X(CNTHP_CVAL_EL2, 0x123456789)                                                             \
	X(VTCR_EL2, 0x80023559)                                                                    \
	X(VTTBR_EL2, 0x0007000041230000)                                                           \
	X(VTTBR_EL2, 0)                                                                            \
	X(CNTVOFF_EL2, 0x1000)                                                                     \
	X(CNTVOFF_EL2, 0)

WRITE_EL2(SCTLR_EL2)
WRITE_EL2(TCR_EL2)
WRITE_EL2(TTBR0_EL2)
WRITE_EL2(MAIR_EL2)
WRITE_EL2(CPTR_EL2)
WRITE_EL2(CNTHCTL_EL2)
WRITE_EL2(TPIDR_EL2)
WRITE_EL2(CONTEXTIDR_EL2)
WRITE_EL2(ESR_EL2)
WRITE_EL2(FAR_EL2)
WRITE_EL2(ELR_EL2)
WRITE_EL2(SPSR_EL2)
WRITE_EL2(CNTHP_CVAL_EL2)
WRITE_EL2(VTCR_EL2)
WRITE_EL2(VTTBR_EL2)
WRITE_EL2(CNTVOFF_EL2)

/* TZ and TSM are RES1 without the feature that they trap: they read as 1 or as written. */
static u64 unsaid(const char *name)
{
	u64 bits = FIELD(sysreg_read(ID_AA64PFR0_EL1), 35, 32) ? 0 : BIT(8);

	if (!FIELD(sysreg_read(ID_AA64PFR1_EL1), 27, 24))
		bits |= BIT(12);
	return strcmp(name, "CPTR_EL2") ? 0 : bits;
}

static void own(void)
{
#define X(name, v) expect_eq(el2_write(name, (v)) | unsaid(#name), (v) | unsaid(#name), #name);
	OWN(X)
#undef X
}

/* A register keeps its value across exceptions and whatever EL1 does meanwhile. */
static void own_stays(void)
{
	el2_write(TCR_EL2, TCR_VALUE | BIT(20));
	el2_write(TTBR0_EL2, 0x41235000);
	el2_write(MAIR_EL2, 0x4400ff);
	el2_write(CPTR_EL2, CPTR_NVHE | BIT(31));
	sysreg_write(CONTEXTIDR_EL1, 7);
	expect_eq(el2_read(TCR_EL2), TCR_VALUE | BIT(20), "TCR_EL2");
	expect_eq(el2_read(TTBR0_EL2), 0x41235000, "TTBR0_EL2");
	expect_eq(el2_read(MAIR_EL2), 0x4400ff, "MAIR_EL2");
	expect_eq(el2_read(CPTR_EL2) | unsaid("CPTR_EL2"),
		  CPTR_NVHE | BIT(31) | unsaid("CPTR_EL2"), "CPTR_EL2");
	el2_write(CPTR_EL2, CPTR_NVHE);
}

/* ---- EL1's, which EL2 accesses by EL1's names ---- */

/* X(name, value): nothing here is in use */
#define EL1S(X)                                                                                    \
	X(CONTEXTIDR_EL1, 0x1111)                                                                  \
	X(FAR_EL1, 0xffff000000002222)                                                             \
	X(ESR_EL1, 0x56003333)                                                                     \
	X(ELR_EL1, 0x40004440)                                                                     \
	X(SPSR_EL1, 0x600003c5)                                                                    \
	X(TTBR1_EL1, 0x45550000)                                                                   \
	X(CPACR_EL1, 0x300000)                                                                     \
	X(CNTKCTL_EL1, 0x303)                                                                      \
	X(CNTV_CVAL_EL0, 0x666666666666)                                                           \
	X(CNTP_CVAL_EL0, 0x777777777777)                                                           \
	X(TPIDR_EL0, 0x8888)                                                                       \
	X(TPIDRRO_EL0, 0x9999)                                                                     \
	X(SP_EL0, 0xaaa0)                                                                          \
	X(PAR_EL1, 0xff00000041234b80)                                                             \
	X(CSSELR_EL1, 2)

WRITE_EL2(CONTEXTIDR_EL1)
WRITE_EL2(FAR_EL1)
WRITE_EL2(ESR_EL1)
WRITE_EL2(ELR_EL1)
WRITE_EL2(SPSR_EL1)
WRITE_EL2(TTBR1_EL1)
WRITE_EL2(CPACR_EL1)
WRITE_EL2(CNTKCTL_EL1)
WRITE_EL2(CNTV_CVAL_EL0)
WRITE_EL2(CNTP_CVAL_EL0)
WRITE_EL2(TPIDR_EL0)
WRITE_EL2(TPIDRRO_EL0)
WRITE_EL2(SP_EL0)
WRITE_EL2(PAR_EL1)
WRITE_EL2(CSSELR_EL1)

static void from_el1(void)
{
#define X(name, v)                                                                                 \
	sysreg_write(name, v);                                                                     \
	expect_eq(el2_read(name), v, #name);
	EL1S(X)
#undef X
}

static void from_el2(void)
{
#define X(name, v)                                                                                 \
	sysreg_write(name, 0);                                                                     \
	expect_eq(el2_write(name, v), v, #name " at EL2");                                         \
	expect_eq(sysreg_read(name), v, #name " at EL1");
	EL1S(X)
#undef X
	sysreg_write(CPACR_EL1, 0);
}

/* What EL2 writes by EL1's name leaves EL2's own register unchanged, and the other way round. */
static u64 apart_at_el2(u64 a, u64 b, u64 c)
{
	u64 wrong = 0;

	(void)a;
	(void)b;
	(void)c;
#define APART(bit, name, v1, v2)                                                                   \
	sysreg_write(name##_EL1, v1);                                                              \
	sysreg_write(name##_EL2, v2);                                                              \
	isb();                                                                                     \
	if (sysreg_read(name##_EL1) != (v1) || sysreg_read(name##_EL2) != (v2))                    \
		wrong |= BIT(bit);
	APART(0, ESR, 0x56000001, 0x5a000002)
	APART(1, FAR, 0x1000, 0x2000)
	APART(2, ELR, 0x3000, 0x4000)
	APART(3, SPSR, 0x600003c5, 0x3c9)
	APART(4, CONTEXTIDR, 5, 6)
	APART(5, AFSR0, 0, 0)
	return wrong;
}

static void apart(void)
{
	expect_eq(el2_call(apart_at_el2, 0, 0, 0), 0, "registers that differ");
}

/* ---- UNDEFINED ---- */

#define VHE_ONLY(X)                                                                                \
	X(S3_5_C1_C0_0)   /* SCTLR_EL12 */                                                         \
	X(S3_5_C1_C0_2)   /* CPACR_EL12 */                                                         \
	X(S3_5_C2_C0_0)   /* TTBR0_EL12 */                                                         \
	X(S3_5_C2_C0_2)   /* TCR_EL12 */                                                           \
	X(S3_5_C4_C0_0)   /* SPSR_EL12 */                                                          \
	X(S3_5_C4_C0_1)   /* ELR_EL12 */                                                           \
	X(S3_5_C5_C2_0)   /* ESR_EL12 */                                                           \
	X(S3_5_C12_C0_0)  /* VBAR_EL12 */                                                          \
	X(S3_5_C14_C1_0)  /* CNTKCTL_EL12 */                                                       \
	X(S3_5_C14_C2_1)  /* CNTP_CTL_EL02 */                                                      \
	X(S3_5_C14_C3_2)  /* CNTV_CVAL_EL02 */

#define X(name) WRITE_EL2(name)
VHE_ONLY(X)
#undef X

static void undefined(void)
{
#define X(name)                                                                                    \
	el2_arm();                                                                                 \
	el2_read(name);                                                                            \
	expect_eq(seen.count, 1, "exceptions of a read of " #name);                                \
	expect_eq(seen.kind, EL2_SYNC, "vector");                                                  \
	expect_eq(seen.esr, ESR_OF(0, 0), "ESR_EL2");                                              \
	expect_eq(seen.spsr & 0xf, 9, "SPSR_EL2.M");                                               \
	el2_arm();                                                                                 \
	el2_write(name, 0);                                                                        \
	expect_eq(seen.count, 2, "exceptions of a write and a read of " #name);
	VHE_ONLY(X)
#undef X
}

WRITE_EL2(S3_4_C1_C1_0) /* HCR_EL2 */

static void identity(void)
{
	u64 v;

	el2_hcr(0);
	v = el2_call(read_S3_4_C1_C1_0, 0, 0, 0);
	expect_eq(v, HCR_NVHE, "HCR_EL2");
}

void group_register(void)
{
	static const struct suite_test tests[] = {
		{ "register: HCR_EL2", identity, 1 },
		{ "register: EL2's own", own, 1 },
		{ "register: EL2's own stays", own_stays, 1 },
		{ "register: EL1's, written at EL1", from_el1, 1 },
		{ "register: EL1's, written at EL2", from_el2, 1 },
		{ "register: EL1's and EL2's apart", apart, 1 },
		{ "register: UNDEFINED without VHE", undefined, 1 },
	};

	suite_run(tests, ARRAY_SIZE(tests), NULL);
}
