/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EL1 registers: what an L2 writes, the hypervisor reads by its names for them, and the other
 * way round.
 */
#include "hyp.h"

#define COUNT (L2_BANK_COUNT + 1) /* and TPIDR_EL1 */

/* payload.S */
u64 l2_bank_both(u64 values, u64 b, u64 c);

/*
 * Two values for each: every bit of interest is once set and once clear, and has no effect with the
 * MMU off.
 */
static const struct {
	char name[12];
	u64 v[2];
} patterns[COUNT] = {
	[L2_SCTLR] = { "SCTLR", { 0x30d08a00, 0x30d54800 } },
	[L2_CPACR] = { "CPACR", { 0x300000, 0x100000 } },
	[L2_TTBR0] = { "TTBR0", { 0x0011000012345000, 0x0fee0000edcba000 } },
	[L2_TTBR1] = { "TTBR1", { 0x0022000023456000, 0x0fdd0000dcba9000 } },
	[L2_TCR] = { "TCR", { 0x00000005b5993519, 0x0000001280100010 } },
	[L2_ESR] = { "ESR", { 0x96000046, 0x56001234 } },
	[L2_FAR] = { "FAR", { 0x123456789abcdef0, 0xffffedcba9876543 } },
	[L2_AFSR0] = { "AFSR0", { 0, 0 } }, /* constant on some machines */
	[L2_AFSR1] = { "AFSR1", { 0, 0 } },
	[L2_MAIR] = { "MAIR", { 0x000000ff440c0804, 0xff44000004bb0000 } },
	[L2_AMAIR] = { "AMAIR", { 0, 0 } },
	[L2_VBAR] = { "VBAR", { 0x0000123456780800, 0xffffedcba9871000 } },
	[L2_CONTEXTIDR] = { "CONTEXTIDR", { 0x12345678, 0xedcba987 } },
	[L2_ELR] = { "ELR", { 0x0000123400005678, 0xffffedcbfffff9a8 } },
	[L2_SPSR] = { "SPSR", { 0x600003c5, 0x90000344 } },
	[L2_CNTKCTL] = { "CNTKCTL", { 0x302, 0x0f1 } },
	[L2_SP1] = { "SP_EL1", { 0x1234567890abcde0, 0xedcba98765432100 } },
	[L2_SP0] = { "SP_EL0", { 0x234567890abcdef0, 0xdcba987654321000 } },
	[L2_TPIDR0] = { "TPIDR_EL0", { 0x34567890abcdef01, 0xcba9876543210fed } },
	[L2_TPIDRRO] = { "TPIDRRO_EL0", { 0x4567890abcdef012, 0xba9876543210fedc } },
	[L2_PAR] = { "PAR", { 0xff00000012345b80, 0x0000000000000a0b } },
	[L2_MDSCR] = { "MDSCR", { 0x1000, 0x8000 } },
	[L2_CSSELR] = { "CSSELR", { 2, 1 } },
	[L2_BANK_COUNT] = { "TPIDR_EL1", { 0x567890abcdef0123, 0xa9876543210fedcb } },
};

static u64 values[4][COUNT];

static void fill(u64 *v, u32 which)
{
	u32 i;

	for (i = 0; i < COUNT; i++)
		v[i] = patterns[i].v[which];
}

/* Registers in the CPU, by the hypervisor's names. */
static void read_el1(struct l2 *l, u64 *v)
{
#define X(name, el12, el1) v[L2_##name] = e2h0 ? sysreg_read(el1) : sysreg_read(el12);
	L2_BANK(X)
#undef X
	v[L2_BANK_COUNT] = l->tpidr;
}

static void write_el1(struct l2 *l, const u64 *v)
{
#define X(name, el12, el1)                                                                         \
	if (e2h0)                                                                                  \
		sysreg_write(el1, v[L2_##name]);                                                   \
	else                                                                                       \
		sysreg_write(el12, v[L2_##name]);
	L2_BANK(X)
#undef X
	l->tpidr = v[L2_BANK_COUNT];
	isb();
}

static void compare(const u64 *v, u32 which, const char *who)
{
	u32 i;

	for (i = 0; i < COUNT; i++)
		expect(v[i] == patterns[i].v[which], "%s sees %s as 0x%lx, expected 0x%lx", who,
		       patterns[i].name, v[i], patterns[i].v[which]);
}

/* l2_bank_both writes pattern a; the hypervisor reads it and writes b, which L2 must read. */
static void both_ways(struct l2 *l, u32 a, bool put)
{
	u64 *v = values[l - l2s], seen[COUNT], kind;

	fill(v, a);
	l2_call(l, l2_bank_both, l2_address(v), 0, 0);
	kind = l2_run(l);
	expect(l2_is_hvc(l, kind, 3), "kind %lu esr 0x%lx", kind, l->esr);
	read_el1(l, seen);
	compare(seen, a, "L1");
	fill(seen, a ^ 1);
	write_el1(l, seen);
	if (put)
		l2_put();
	kind = l2_run(l);
	expect(l2_is_hvc(l, kind, 4), "kind %lu esr 0x%lx", kind, l->esr);
	compare(v, a ^ 1, "L2");
}

static void alternate(struct l2 *a, struct l2 *b, u32 rounds)
{
	u64 *va = values[a - l2s], *vb = values[b - l2s];
	u32 i;

	for (i = 0; i < rounds; i++) {
		fill(va, i & 1);
		fill(vb, ~i & 1);
		l2_call(a, l2_bank_both, l2_address(va), 0, 0);
		l2_call(b, l2_bank_both, l2_address(vb), 0, 0);
		expect(l2_is_hvc(a, l2_run(a), 3), "round %u: first esr 0x%lx", i, a->esr);
		expect(l2_is_hvc(b, l2_run(b), 3), "round %u: second esr 0x%lx", i, b->esr);
		memset(va, 0, sizeof(values[0]));
		memset(vb, 0, sizeof(values[0]));
		expect(l2_is_hvc(a, l2_run(a), 4), "round %u: first esr 0x%lx", i, a->esr);
		expect(l2_is_hvc(b, l2_run(b), 4), "round %u: second esr 0x%lx", i, b->esr);
		compare(va, i & 1, "first L2");
		compare(vb, ~i & 1, "second L2");
	}
}

/* EL2's own registers, which nothing that L2 does may change. */
static u64 host_sum(void)
{
	u64 sum = 0;

#define ADD(reg) sum = sum * 31 + sysreg_read(reg)
	ADD(SCTLR_EL2);
	ADD(TCR_EL2);
	ADD(TTBR0_EL2);
	ADD(MAIR_EL2);
	ADD(CONTEXTIDR_EL2);
	ADD(CPTR_EL2);
	ADD(VBAR_EL2);
	ADD(HCR_EL2);
	ADD(TPIDR_EL1);
	if (e2h0)
		return sum;
	ADD(TTBR1_EL2);
	ADD(SCTLR_EL1);
	ADD(TCR_EL1);
	ADD(TTBR0_EL1);
	ADD(TTBR1_EL1);
	ADD(MAIR_EL1);
	ADD(VBAR_EL1);
	ADD(CONTEXTIDR_EL1);
	ADD(CPACR_EL1);
#undef ADD
	return sum;
}

static void bank_reset(struct l2 *l, u32 vmid)
{
	l2_reset_cpu(l, (u32)(l - l2s));
	stage2_init(l, 12, 1, 39, vmid);
	stage2_map_image(l);
	stage2_flush(l);
}

void group_bank(void)
{
	struct l2 *a = &l2s[0], *b = &l2s[1];
	u64 sum;

	bank_reset(a, 1);
	bank_reset(b, 2);
	check_begin("bank", "L2 writes the first values, L1 the second");
	both_ways(a, 0, false);
	check_begin("bank", "L2 writes the second values, L1 the first");
	both_ways(a, 1, false);
	check_begin("bank", "put away and loaded in between");
	both_ways(a, 0, true);
	check_begin("bank", "the hypervisor's own registers are untouched");
	own_write(CONTEXTIDR, 0x13579bdf);
	if (!e2h0)
		sysreg_write(TTBR1_EL1, 0x0001000041234000);
	sum = host_sum();
	both_ways(a, 1, false);
	expect_eq(host_sum(), sum, "sum of registers");
	check_begin("bank", "two L2s by turns, 100 rounds");
	alternate(a, b, 100);
}
