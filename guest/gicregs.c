/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv3's registers: identification, read-back of what can be written, reserved ones, odd
 * accesses.
 */
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/suite.h"

const char guest_name[] = "gicregs";

static void before(void)
{
	gic_dist_init();
	gic_cpu_init();
}

static void test_dist_id(void)
{
	u32 typer = read32(dt.gicd + GICD_TYPER);

	expect_eq(read32(dt.gicd + GIC_PIDR2) >> 4 & 15, 3, "GICD_PIDR2.ArchRev");
	expect((typer & 31) >= 1, "no SPIs: GICD_TYPER 0x%x", typer);
	expect((typer >> 19 & 31) >= 9, "GICD_TYPER.IDbits is %u", typer >> 19 & 31);
	expect_eq(read32(dt.gicd + GICD_TYPER2), 0, "GICD_TYPER2 (no GICv4.1)");
	write32(dt.gicd + GICD_TYPER, ~0u);
	write32(dt.gicd + GICD_IIDR, ~0u);
	expect_eq(read32(dt.gicd + GICD_TYPER), typer, "GICD_TYPER after a write");
}

static void test_redist_id(void)
{
	u64 rd = cpu_self()->gicr, typer = read64(rd + GICR_TYPER);

	expect_eq(read32(rd + GIC_PIDR2) >> 4 & 15, 3, "GICR_PIDR2.ArchRev");
	expect_eq(read32(rd + GICR_TYPER), typer & 0xffffffff, "low half of GICR_TYPER");
	expect_eq(read32(rd + GICR_TYPER + 4), typer >> 32, "high half of GICR_TYPER");
	expect_eq(FIELD(typer, 23, 8), 0, "GICR_TYPER.Processor_Number of CPU 0");
	expect_eq(FIELD(typer, 4, 4), dt.cpu_count == 1, "GICR_TYPER.Last");
	expect_eq(read32(rd + GICR_WAKER) & 6, 0, "GICR_WAKER when awake");
}

static void test_dist_ctlr(void)
{
	u32 v = read32(dt.gicd + GICD_CTLR);

	expect_eq(v & 0x13, 0x13, "GICD_CTLR.{ARE,EnableGrp}");
	expect_eq(v & BIT(6), BIT(6), "GICD_CTLR.DS");
	write32(dt.gicd + GICD_CTLR, 0);
	gic_wait_rwp();
	expect_eq(read32(dt.gicd + GICD_CTLR) & 3, 0, "GICD_CTLR.EnableGrp");
}

/* Write all ones and all zeroes to an RW register: the bits in mask must follow. */
static void rw32(const char *what, u64 a, u32 mask)
{
	u32 old = read32(a), v;

	write32(a, ~0u);
	v = read32(a);
	expect((v & mask) == mask && !(v & ~mask), "%s: wrote ones, read 0x%x, expected 0x%x", what,
	       v, mask);
	write32(a, 0);
	v = read32(a);
	expect(!v, "%s: wrote 0, read 0x%x", what, v);
	write32(a, old);
}

/* A pair of set and clear registers. */
static void set_clear(const char *what, u64 set, u64 clear, u32 bits)
{
	u32 v;

	write32(set, bits);
	expect_eq(read32(set) & bits, bits, what);
	expect_eq(read32(clear) & bits, bits, what);
	v = bits & 0x5a5a5a5a;
	write32(clear, v);
	expect_eq(read32(set) & bits, bits & ~v, what);
	write32(set, 0);
	expect_eq(read32(set) & bits, bits & ~v, what);
	write32(clear, ~0u);
	expect_eq(read32(set) & bits, 0, what);
}

static void test_spi_bits(void)
{
	u32 i, end = gic_spi_end();

	write32(dt.gicd + GICD_CTLR, GICD_CTLR_ARE);
	gic_wait_rwp();
	for (i = 32; i < end; i += 32) {
		u32 all = end - i >= 32 ? ~0u : (1u << (end - i)) - 1;

		rw32("GICD_IGROUPR", dt.gicd + GIC_IGROUPR + i / 8, all);
		set_clear("GICD_I{S,C}ENABLER", dt.gicd + GIC_ISENABLER + i / 8,
			  dt.gicd + GIC_ICENABLER + i / 8, all);
		set_clear("GICD_I{S,C}PENDR", dt.gicd + GIC_ISPENDR + i / 8,
			  dt.gicd + GIC_ICPENDR + i / 8, all);
		set_clear("GICD_I{S,C}ACTIVER", dt.gicd + GIC_ISACTIVER + i / 8,
			  dt.gicd + GIC_ICACTIVER + i / 8, all);
	}
}

static void test_spi_fields(void)
{
	u32 i, end = gic_spi_end(), v;

	for (i = 32; i < end; i += 4) {
		u64 a = dt.gicd + GIC_IPRIORITYR + i;

		write32(a, 0xffffffff);
		v = read32(a);
		expect((v & 0xf0f0f0f0) == 0xf0f0f0f0, "IPRIORITYR is 0x%x after ones", v);
		expect_eq(v & 0xff, v >> 24, "IPRIORITYR's bytes");
		write8(a + 1, 0x40);
		expect_eq(read32(a), (v & ~0xff00u) | 0x4000, "IPRIORITYR after a byte");
		expect_eq(read8(a + 1), 0x40, "a byte of IPRIORITYR");
	}
	for (i = 32; i < end; i += 16)
		rw32("GICD_ICFGR", dt.gicd + GIC_ICFGR + i / 4, 0xaaaaaaaa);
}

static void test_irouter(void)
{
	u32 i, end = gic_spi_end();

	for (i = 32; i < end; i++) {
		u64 a = dt.gicd + GICD_IROUTER + 8 * i, v;

		write64(a, ~0UL);
		v = read64(a);
		expect_eq(v & 0xff00ffffffUL, 0xff00ffffffUL, "IROUTER's affinity");
		write32(a, 0x00030201);
		write32(a + 4, 0x04);
		expect_eq(read64(a), 0x0400030201, "IROUTER written in halves");
		expect_eq(read32(a), 0x00030201, "IROUTER's low half");
		expect_eq(read32(a + 4), 0x04, "IROUTER's high half");
		write64(a, 0);
	}
}

static void test_redist_regs(void)
{
	u64 sgi = cpu_self()->gicr + GICR_SGI;
	u32 i, v, ppis = BIT(22) | BIT(24);

	rw32("GICR_IGROUPR0", sgi + GIC_IGROUPR, ~0u);
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	isb();
	set_clear("GICR_I{S,C}ENABLER0", sgi + GIC_ISENABLER, sgi + GIC_ICENABLER, ~0u);
	set_clear("GICR_I{S,C}PENDR0", sgi + GIC_ISPENDR, sgi + GIC_ICPENDR, 0xffff | ppis);
	set_clear("GICR_I{S,C}ACTIVER0", sgi + GIC_ISACTIVER, sgi + GIC_ICACTIVER, 0xffff | ppis);
	for (i = 0; i < 32; i += 4) {
		write32(sgi + GIC_IPRIORITYR + i, 0x80604020);
		expect_eq(read32(sgi + GIC_IPRIORITYR + i), 0x80604020, "GICR_IPRIORITYR");
	}
	expect_eq(read32(sgi + GIC_ICFGR), 0xaaaaaaaa, "GICR_ICFGR0");
	write32(sgi + GIC_ICFGR, 0);
	expect_eq(read32(sgi + GIC_ICFGR), 0xaaaaaaaa, "GICR_ICFGR0 after a write");
	v = read32(sgi + GIC_ICFGR + 4);
	expect(!(v & 0x55555555), "GICR_ICFGR1 has reserved bits: 0x%x", v);
}

/* With affinity routing GICD's registers for INTIDs 0-31 are the redistributors'. */
static void test_dist_banked_raz(void)
{
	static const u16 regs[] = { GIC_IGROUPR,    GIC_ISENABLER,      GIC_ICENABLER,
				    GIC_ISPENDR,    GIC_ICPENDR,        GIC_ISACTIVER,
				    GIC_ICACTIVER,  GIC_IPRIORITYR,     GIC_IPRIORITYR + 28,
				    GICD_ITARGETSR, GICD_ITARGETSR + 64 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		write32(dt.gicd + regs[i], ~0u);
		expect(!read32(dt.gicd + regs[i]), "GICD + 0x%x reads 0x%x, expected 0", regs[i],
		       read32(dt.gicd + regs[i]));
	}
	write32(dt.gicd + GICD_SGIR, 0x02000001);
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR after GICD_SGIR");
}

/* Registers that are reserved, or absent in this GIC: they read as zero or abort. */
static void reserved(u64 a, u32 *raz, u32 *aborts)
{
	struct trap t;
	u32 v = 0;

	trap_arm(&t);
	v = read32(a);
	write32(a, ~0u);
	v |= t.count ? 0 : read32(a);
	trap_disarm();
	if (t.count) {
		(*aborts)++;
		expect_eq(ESR_EC(t.esr), EC_DABT, "EC");
		expect_eq(t.esr & 0x3f, 0x10, "DFSC: synchronous external abort");
		expect_eq(t.far, a, "FAR");
	} else {
		(*raz)++;
		expect(!v, "reserved register 0x%lx reads 0x%x", a, v);
	}
}

static void test_reserved(void)
{
	u32 raz = 0, aborts = 0, i;
	u64 rd = cpu_self()->gicr;

	reserved(dt.gicd + 0x18, &raz, &aborts);
	for (i = 0x100; i < 0x6000; i += 0x100)
		if (i > 0xf00)
			reserved(dt.gicd + i, &raz, &aborts);
	for (i = 0x8000; i < 0xc000; i += 0x400)
		reserved(dt.gicd + i, &raz, &aborts);
	for (i = 0x1000; i < 0xc000; i += 0x800)
		reserved(rd + i, &raz, &aborts);
	for (i = 0x1000; i < 0xc000; i += 0x800)
		reserved(rd + GICR_SGI + i, &raz, &aborts);
	print("gicregs: reserved: %u read as zero, %u abort\n", raz, aborts);
}

/* Sizes that a register does not support: ignored or aborted, without effect on the register. */
static void test_odd_sizes(void)
{
	static const u16 offsets[] = { GICD_CTLR,         GICD_TYPER,      GIC_IGROUPR + 4,
				       GIC_ISENABLER + 4, GIC_ISPENDR + 4, GIC_ICFGR + 8,
				       GICD_IROUTER + 320 };
	u32 i, odd = 0;
	struct trap t;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		u64 a = dt.gicd + offsets[i];
		u32 v = read32(a);

		trap_arm(&t);
		read8(a);
		read16(a);
		write8(a, 0xff);
		write16(a, 0xffff);
		if (offsets[i] < GICD_IROUTER)
			read64(a & ~7UL);
		trap_disarm();
		odd += t.count;
		expect_eq(read32(a), v, "register after accesses of other sizes");
	}
	trap_arm(&t);
	read32(dt.gicd + GIC_IPRIORITYR + 34);
	read16(dt.gicd + GIC_IPRIORITYR + 33);
	read64(dt.gicd + GICD_IROUTER + 324);
	read32(dt.gicd + 0xfffe);
	trap_disarm();
	print("gicregs: odd sizes: %u of %lu aborted, unaligned: %u of 4\n", odd,
	      ARRAY_SIZE(offsets) * 5 - 1, t.count);
}

#define ICC_RW(name, value)                                                                        \
	do {                                                                                       \
		sysreg_write(name, value);                                                         \
		isb();                                                                             \
		expect_eq(sysreg_read(name), value, #name);                                        \
	} while (0)

static void test_cpu_interface(void)
{
	u64 ctlr = sysreg_read(ICC_CTLR_EL1), bits = FIELD(ctlr, 10, 8) + 1;

	expect(bits >= 4, "PRIbits says %lu", bits);
	expect_eq(sysreg_read(ICC_SRE_EL1) & 1, 1, "ICC_SRE_EL1.SRE");
	ICC_RW(ICC_PMR_EL1, 0x50);
	ICC_RW(ICC_PMR_EL1, 0);
	sysreg_write(ICC_PMR_EL1, 0xff);
	isb();
	expect_eq(sysreg_read(ICC_PMR_EL1), 0xff & ~(0xffUL >> bits), "PMR's implemented bits");
	ICC_RW(ICC_BPR0_EL1, 5);
	ICC_RW(ICC_BPR1_EL1, 6);
	ICC_RW(ICC_IGRPEN0_EL1, 0);
	ICC_RW(ICC_IGRPEN0_EL1, 1);
	ICC_RW(ICC_IGRPEN1_EL1, 0);
	ICC_RW(ICC_IGRPEN1_EL1, 1);
	sysreg_write(ICC_CTLR_EL1, BIT(0));
	isb();
	expect_eq(sysreg_read(ICC_CTLR_EL1) & 3, 1, "ICC_CTLR_EL1.CBPR");
	ICC_RW(ICC_BPR0_EL1, 4);
	expect_eq(sysreg_read(ICC_BPR1_EL1), 5, "BPR1 with CBPR");
	sysreg_write(ICC_CTLR_EL1, BIT(1));
	isb();
	expect_eq(sysreg_read(ICC_CTLR_EL1) & 3, 2, "ICC_CTLR_EL1.EOImode");
	sysreg_write(ICC_CTLR_EL1, ~0UL);
	isb();
	expect_eq(sysreg_read(ICC_CTLR_EL1) & ~0x43UL, ctlr & ~0x43UL,
		  "ICC_CTLR_EL1's read-only bits");
	sysreg_write(ICC_CTLR_EL1, 0);
	ICC_RW(ICC_AP1R0_EL1, BIT(20));
	expect_eq(sysreg_read(ICC_RPR_EL1), 20 << (8 - bits), "RPR from AP1R0");
	ICC_RW(ICC_AP1R0_EL1, 0);
	ICC_RW(ICC_AP0R0_EL1, BIT(3));
	ICC_RW(ICC_AP0R0_EL1, 0);
}

static const struct suite_test tests[] = {
	{ "dist_id", test_dist_id, 1 },
	{ "redist_id", test_redist_id, 1 },
	{ "dist_ctlr", test_dist_ctlr, 1 },
	{ "spi_bits", test_spi_bits, 1 },
	{ "spi_fields", test_spi_fields, 1 },
	{ "irouter", test_irouter, 1 },
	{ "redist_regs", test_redist_regs, 1 },
	{ "dist_banked_raz", test_dist_banked_raz, 1 },
	{ "reserved", test_reserved, 1 },
	{ "odd_sizes", test_odd_sizes, 1 },
	{ "cpu_interface", test_cpu_interface, 1 },
};

void guest_main(void)
{
	suite_run(tests, ARRAY_SIZE(tests), before);
}
