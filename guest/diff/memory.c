/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage 2 of the L2: the page of code, its vectors, and a window whose pages steps map and
 * unmap.
 */
#include "diff.h"

#define DESC_TABLE 3UL
#define S2_PAGE 3UL
#define S2_AF BIT(10)
#define S2_SH (3UL << 8)
#define S2_NORMAL (15UL << 2)
#define S2_DEVICE (1UL << 2)
#define S2_RO (1UL << 6)
#define S2_WO (2UL << 6)
#define S2_RW (3UL << 6)
#define S2_XN (2UL << 53)
#define PAGES 4
/* the words of a page that are read and written; the others are RET */
#define DATA (MEMORY_RET / 8)
#define RET 0xd65f03c0UL

static u64 top[512] __attribute__((aligned(4096)));    /* 1 GiB each */
static u64 code_l2[512] __attribute__((aligned(4096))), code_l3[512] __attribute__((aligned(4096)));
static u64 window_l2[512] __attribute__((aligned(4096))),
	window_l3[512] __attribute__((aligned(4096)));
static u64 page[PAGES][512] __attribute__((aligned(4096)));
u64 memory_vttbr, memory_vtcr;

/* The states of a page of the window. */
enum page_state {
	GONE,
	PLAIN,
	READ_ONLY,
	WRITE_ONLY,
	NO_ACCESS,
	DEVICE,
	NO_FLAG,
	NO_EXEC,
	PAGE_STATES
};

static const char *const state_name[PAGE_STATES] = { "gone",       "plain",     "read-only",
						     "write-only", "no-access", "device",
						     "no-flag",    "no-exec" };

static u64 descriptor(enum page_state s, u32 n)
{
	static const u64 attr[PAGE_STATES] = {
		[PLAIN] = S2_RW | S2_NORMAL | S2_SH | S2_AF,
		[READ_ONLY] = S2_RO | S2_NORMAL | S2_SH | S2_AF,
		[WRITE_ONLY] = S2_WO | S2_NORMAL | S2_SH | S2_AF,
		[NO_ACCESS] = S2_NORMAL | S2_SH | S2_AF,
		[DEVICE] = S2_RW | S2_DEVICE | S2_AF | S2_XN,
		[NO_FLAG] = S2_RW | S2_NORMAL | S2_SH,
		[NO_EXEC] = S2_RW | S2_NORMAL | S2_SH | S2_AF | S2_XN,
	};

	return s == GONE ? 0 : (u64)page[n % PAGES] | attr[s] | S2_PAGE;
}

u64 memory_data(u32 n)
{
	return (u64)page[n % PAGES];
}

s64 memory_data_index(u64 a)
{
	return a >= (u64)page && a < (u64)page + sizeof(page) ? (s64)(a - (u64)page) >> 12 : -1;
}

bool memory_denied(u64 ipa, bool write)
{
	u64 d = ipa - L2_WINDOW < WINDOW_PAGES * 4096 ? window_l3[(ipa - L2_WINDOW) >> 12] : 0;

	return (d & S2_AF) && !(d & (write ? S2_WO : S2_RO));
}

static void leaf(u64 *d, u64 v)
{
	__atomic_store_n(d, v, __ATOMIC_RELEASE);
}

void memory_init(void)
{
	u32 i, j;

	for (i = 0; i < PAGES; i++)
		for (j = DATA; j < 512; j++)
			page[i][j] = RET << 32 | RET;
	if (!diff_el2)
		return;
	top[L2_CODE >> 30] = (u64)code_l2 | DESC_TABLE;
	top[L2_WINDOW >> 30] = (u64)window_l2 | DESC_TABLE;
	code_l2[0] = (u64)code_l3 | DESC_TABLE;
	window_l2[0] = (u64)window_l3 | DESC_TABLE;
	code_l3[0] = code_page() | S2_RW | S2_NORMAL | S2_SH | S2_AF | S2_PAGE;
	code_l3[1] = (u64)run_l2_vectors | S2_RW | S2_NORMAL | S2_SH | S2_AF | S2_PAGE;
	/* 39 bits from level 1, 40 bits of PA, cacheable and shareable walks. */
	memory_vtcr = 25 | 1UL << 6 | 1UL << 8 | 1UL << 10 | 3UL << 12 | 2UL << 16 | BIT(31);
	memory_vttbr = (u64)top | 1UL << 48;
}

enum flush { FLUSH_IPA, FLUSH_IPA_LAST, FLUSH_VMID_IS, FLUSH_VMID, FLUSH_ALL, FLUSHES };

static const char *const flush_name[FLUSHES] = { "ipas2e1is+vmalle1is", "ipas2le1is+vmalle1is",
						 "vmalls12e1is", "vmalls12e1", "alle1is" };

static void flush_insn(u64 ipa, enum flush how)
{
	switch (how) {
	case FLUSH_IPA:
		asm volatile("tlbi ipas2e1is, %0\n\tdsb ish\n\ttlbi vmalle1is" ::"r"(ipa >> 12)
			     : "memory");
		break;
	case FLUSH_IPA_LAST:
		asm volatile("tlbi ipas2le1is, %0\n\tdsb ish\n\ttlbi vmalle1is" ::"r"(ipa >> 12)
			     : "memory");
		break;
	case FLUSH_VMID_IS:
		asm volatile("tlbi vmalls12e1is" ::: "memory");
		break;
	case FLUSH_VMID:
		asm volatile("tlbi vmalls12e1" ::: "memory");
		break;
	default:
		asm volatile("tlbi alle1is" ::: "memory");
	}
}

/*
 * Invalidate whatever the L2 may have cached of this page, or of all; VTTBR_EL2 and HCR_EL2 are
 * unchanged.
 */
static void flush(u64 ipa, enum flush how)
{
	u64 vttbr = sysreg_read(VTTBR_EL2);

	sysreg_write(VTTBR_EL2, memory_vttbr);
	sysreg_write(HCR_EL2, (run_hcr & ~HCR_TGE) | HCR_VM);
	isb();
	dsb(ish);
	flush_insn(ipa, how);
	dsb(ish);
	sysreg_write(HCR_EL2, run_hcr);
	sysreg_write(VTTBR_EL2, vttbr);
	isb();
}

void memory_reset(void)
{
	u32 i, j;

	for (i = 0; i < PAGES; i++)
		for (j = 0; j < DATA; j++)
			page[i][j] = 0x1111111111111111UL * (i + 1) + j;
	if (!diff_el2)
		return;
	for (i = 0; i < WINDOW_PAGES; i++)
		leaf(&window_l3[i], descriptor(i % PAGE_STATES, i));
	flush(0, FLUSH_VMID_IS);
}

/* ---- steps ---- */
/* a[0]: page, a[1]: state, a[2]: physical page, a[3]: how it is invalidated */
static void map_gen(struct step *s, struct rng *r)
{
	s->a[0] = rng_below(r, WINDOW_PAGES);
	s->a[1] = rng_below(r, PAGE_STATES);
	s->a[2] = rng_below(r, PAGES);
	s->a[3] = rng_below(r, FLUSHES);
}

static void map_name(const struct step *s)
{
	say("page %lu of the window: %s, physical page %lu, tlbi %s", s->a[0], state_name[s->a[1]],
	    s->a[2], flush_name[s->a[3]]);
}

static void map_run(const struct step *s)
{
	u64 *d = &window_l3[s->a[0]];

	/* Break before make. */
	leaf(d, 0);
	flush(L2_WINDOW + s->a[0] * 4096, (enum flush)s->a[3]);
	leaf(d, descriptor((enum page_state)s->a[1], (u32)s->a[2]));
	dsb(ish);
}

enum access {
	LDR,
	LDRB,
	LDRSW,
	STR,
	STRB,
	LDP,
	STP,
	LDAR,
	STLR,
	CAS,
	SWP,
	ATOMIC_ADD,
	EXEC,
	ACCESSES
};

static const struct {
	const char *name;
	u32 insn; /* [x0], x1 and x2 */
} access_insn[ACCESSES] = {
	[LDR] = { "ldr x1", 0xf9400001 },	[LDRB] = { "ldrb w1", 0x39400001 },
	[LDRSW] = { "ldrsw x1", 0xb9800001 },	[STR] = { "str x1", 0xf9000001 },
	[STRB] = { "strb w1", 0x39000001 },	[LDP] = { "ldp x1, x2", 0xa9400801 },
	[STP] = { "stp x1, x2", 0xa9000801 },	[LDAR] = { "ldar x1", 0xc8dffc01 },
	[STLR] = { "stlr x1", 0xc89ffc01 },	[CAS] = { "cas x1, x2", 0xc8a17c02 },
	[SWP] = { "swp x1, x2", 0xf8218002 },	[ATOMIC_ADD] = { "ldadd x1, x2", 0xf8210002 },
	[EXEC] = { "blr", 0xd63f0000 },
};

/* a[0]: context, a[1]: address, a[2]: access, a[3]: value */
static void access_gen(struct step *s, struct rng *r)
{
	u64 off = rng_once(r, 4) ? rng_below(r, 32) : rng_below(r, 3) * 8;

	s->a[0] = AT_GUEST + rng_once(r, 3);
	s->a[1] = L2_WINDOW + rng_below(r, WINDOW_PAGES + 2) * 4096 + off;
	if (rng_once(r, 16))
		s->a[1] = 1UL << (32 + rng_below(r, 9));
	s->a[2] = rng_below(r, ACCESSES);
	if (s->a[2] == EXEC)
		s->a[1] = (s->a[1] & ~0xfffUL) | MEMORY_RET;
	s->a[3] = rng_next(r);
}

/*
 * With its MMU off, all memory is Device to L2, and an unaligned access faults in stage 1
 * (AArch64.S1DisabledOutput()). QEMU 10.0 does not check that while there is a stage 2, nor with
 * LDAR, STLR and atomics for memory that is Device by stage 2.
 */
static u64 access_address(const struct step *s)
{
	bool any = (run_hcr & HCR_DC) && (s->a[2] < LDAR || s->a[2] == EXEC);

	return any ? s->a[1] : s->a[1] & ~7UL;
}

/*
 * An unaligned access to memory that is Device by stage 2 alone faults (AArch64.S2Translate(),
 * S2HasAlignmentFault()). QEMU 10.0 with one thread for all CPUs lets it through, because it
 * decides by the atomicity of the access, which it has dropped by then; diff.rules lists that. So
 * the access must leave behind the same with and without a fault: no store, no FAR, no HPFAR.
 */
static bool not_aligned_device(const struct step *s)
{
	u64 a = access_address(s), n = (a - L2_WINDOW) >> 12;

	return (a & 7) && n < WINDOW_PAGES && (window_l3[n] & S2_AF) &&
	       (window_l3[n] & S2_NORMAL) == S2_DEVICE;
}

static u64 access_kind(const struct step *s)
{
	bool store = s->a[2] == STR || s->a[2] == STP;

	return store && not_aligned_device(s) ? LDR : s->a[2];
}

static void access_name(const struct step *s)
{
	say("%s: %s, [%lx], x1 = %lx%s", context_name[s->a[0]], access_insn[access_kind(s)].name,
	    access_address(s), s->a[3],
	    not_aligned_device(s) ? ", not aligned in Device memory" : "");
}

static void access_run(const struct step *s)
{
	u64 x[3] = { access_address(s), s->a[3], 5 };

	code_begin();
	code_emit(access_insn[access_kind(s)].insn);
	code_run((enum context)s->a[0], x, 3);
	say(" x1=%lx x2=%lx", x[1], x[2]);
	if (not_aligned_device(s)) {
		sysreg_write(FAR_EL1, 0);
		sysreg_write(HPFAR_EL2, 0);
	}
}

const struct op ops_memory[] = {
	{ "map", 6, false, map_gen, map_name, map_run },
	{ "access", 10, false, access_gen, access_name, access_run },
	{ 0 },
};
