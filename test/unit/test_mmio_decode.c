/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores to devices, decoded by nidus and compared with what the assembler's text says
 * they do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ldst.h"

#include "arch/sysreg.h"
#include "vcpu/mmio.h"
#include "vcpu/mmio_decode.h"
#include "vcpu/vcpu.h"
#include "vcpu/vm.h"

#define AT 0x09000ff0UL
#define PC_VA 0xffff800010203abcUL
#define PC_IPA 0x0000000048765abcUL
#define PAR_SAVED 0x0000123400000b80UL

static struct vm vm;
static struct vcpu vcpu;
static u32 insn;
static int read_result;

/* The device: what was asked of it, and what it says. */
static struct {
	u64 at, data;
	u32 size;
	bool write;
} access_log[4];
static u32 accesses, refuse_from;

static const u64 device_word[2] = { 0x8182838485868788UL, 0xf1f2f3f475f677f8UL };

int vm_read(struct vm *v, ipa_t from, void *to, size_t n)
{
	assert_ptr_equal(v, &vm);
	assert_int_equal(from.a, PC_IPA);
	assert_int_equal(n, 4);
	memcpy(to, &insn, 4);
	return read_result;
}

bool mmio_access(struct vcpu *v, ipa_t at, struct mmio *m)
{
	assert_ptr_equal(v, &vcpu);
	assert_true(accesses < 4);
	access_log[accesses].at = at.a;
	access_log[accesses].data = m->write ? m->data : 0;
	access_log[accesses].size = m->size;
	access_log[accesses].write = m->write;
	if (accesses >= refuse_from)
		return false;
	/* A device may leave rubbish above the size it was asked for. */
	if (!m->write)
		m->data = device_word[accesses];
	accesses++;
	return true;
}

/* PAR_EL1 after AT: the page of the instruction, with attributes around the address. */
static u64 par_result;
static bool par_taken;

static u64 read_par(u64 stored)
{
	/* The first read saves the guest's own value. */
	if (!par_taken) {
		par_taken = true;
		return stored;
	}
	return par_result;
}

static u64 gpr_before(u32 n)
{
	return 0x0123456789abcde0UL + n * 0x1111111100000011UL;
}

#define SP0 0x0000aaaa00001000UL
#define SP1 0xffffbbbb00002000UL

static void reset_vcpu(void)
{
	fake_reset();
	memset(&vcpu, 0, sizeof(vcpu));
	for (u32 i = 0; i < 31; i++)
		vcpu.gpr[i] = gpr_before(i);
	vcpu.vm = &vm;
	vcpu.pc = PC_VA;
	vcpu.pstate = 5;
	fake_set("SP_EL0", SP0);
	fake_set("SP_EL1", SP1);
	fake_set("PAR_EL1", PAR_SAVED);
	fake_on_read("PAR_EL1", read_par);
	par_taken = false;
	par_result = (PC_IPA & ~0xfffUL) | 0xff00000000000b80UL;
	accesses = 0;
	refuse_from = 4;
	read_result = 0;
	memset(access_log, 0, sizeof(access_log));
}

static int setup(void **state)
{
	(void)state;
	reset_vcpu();
	return 0;
}

/* ---- the meaning of a line of assembly ---- */

struct meaning {
	u32 regs, rt[2], size, rn; /* rn 31: SP */
	bool load, sign, x;        /* x: the register is an X one */
	bool writeback;
	long offset;
};

static u32 parse_reg(const char **p, bool *x)
{
	char *end;
	u32 n;

	*x = **p == 'x';
	if (!strncmp(*p + 1, "zr", 2)) {
		*p += 3;
		return 31;
	}
	n = (u32)strtoul(*p + 1, &end, 10);
	*p = end;
	return n;
}

/* A word of the name: true if op begins with it, and then op goes on behind it. */
static bool eat(const char **op, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*op, word, n))
		return false;
	*op += n;
	return true;
}

static void parse_name(const char *op, struct meaning *m)
{
	m->load = *op == 'l';
	op += 2; /* ld, st */
	m->regs = eat(&op, "np") || eat(&op, "p") ? 2 : 1;
	if (m->regs == 1 && !eat(&op, "ur") && !eat(&op, "tr"))
		eat(&op, "r");
	m->sign = eat(&op, "s");
	m->size = eat(&op, "b") ? 1 : eat(&op, "h") ? 2 : eat(&op, "w") ? 4 : 0;
	if (*op != ' ')
		fail_msg("test: can't read '%s'", op);
}

static struct meaning parse(const char *text)
{
	struct meaning m = { 0 };
	const char *p = strchr(text, ' ') + 1;
	bool unused;

	parse_name(text, &m);
	for (u32 i = 0; i < m.regs; i++) {
		m.rt[i] = parse_reg(&p, &m.x);
		p += 2; /* ", " */
	}
	if (!m.size)
		m.size = m.x ? 8 : 4;
	p++; /* [ */
	if (eat(&p, "sp"))
		m.rn = 31;
	else
		m.rn = parse_reg(&p, &unused);
	if (strchr(p, '#'))
		m.offset = strtol(strchr(p, '#') + 1, NULL, 10);
	m.writeback = strchr(p, '!') || strstr(p, "],");
	return m;
}

static u64 truncated(u64 v, u32 size)
{
	return size == 8 ? v : v & ((1UL << 8 * size) - 1);
}

static u64 loaded(const struct meaning *m, u64 v)
{
	v = truncated(v, m->size);
	if (m->sign && m->size < 8 && v >> (8 * m->size - 1) & 1)
		v -= 1UL << 8 * m->size;
	return m->x ? v : (u32)v;
}

static void check_accesses(const char *text, const struct meaning *m)
{
	if (accesses != m->regs)
		fail_msg("%s: %u accesses, want %u", text, accesses, m->regs);
	for (u32 i = 0; i < m->regs; i++) {
		u64 data = m->load || m->rt[i] == 31 ? 0 : truncated(gpr_before(m->rt[i]), m->size);

		if (access_log[i].at != AT + i * m->size || access_log[i].size != m->size ||
		    access_log[i].write == m->load || access_log[i].data != data)
			fail_msg(
				"%s: access %u: %s of %u at %#lx, data %#lx (want %u, %#lx)",
				text, i, access_log[i].write ? "write" : "read", access_log[i].size,
				access_log[i].at, access_log[i].data, m->size, data);
	}
}

static void check_registers(const char *text, const struct meaning *m, bool el1h)
{
	u64 want[32];

	for (u32 n = 0; n < 31; n++)
		want[n] = gpr_before(n);
	for (u32 i = 0; m->load && i < m->regs; i++)
		want[m->rt[i]] = loaded(m, device_word[i]);
	if (m->writeback && m->rn != 31)
		want[m->rn] += (u64)m->offset;
	for (u32 n = 0; n < 31; n++)
		if (vcpu.gpr[n] != want[n])
			fail_msg("%s: x%u is %#lx, want %#lx", text, n, vcpu.gpr[n], want[n]);
	for (u32 el = 0; el < 2; el++) {
		u64 sp = el ? SP1 : SP0, got = fake_get(el ? "SP_EL1" : "SP_EL0");

		if (m->writeback && m->rn == 31 && el == el1h)
			sp += (u64)m->offset;
		if (got != sp)
			fail_msg("%s: SP_EL%u is %#lx, want %#lx", text, el, got, sp);
	}
}

static void good_with(u64 pstate, bool el1h)
{
	for (size_t i = 0; i < sizeof(ldst_good) / sizeof(ldst_good[0]); i++) {
		const struct ldst *l = &ldst_good[i];
		struct meaning m = parse(l->text);

		reset_vcpu();
		vcpu.pstate = pstate;
		insn = l->word;
		if (!mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT }))
			fail_msg("%s (%#x) is refused", l->text, l->word);
		check_accesses(l->text, &m);
		check_registers(l->text, &m, el1h);
		if (vcpu.pc != PC_VA || vcpu.pstate != pstate)
			fail_msg("%s: the PC is run.c's to move", l->text);
		if (fake_get("PAR_EL1") != PAR_SAVED)
			fail_msg("%s: PAR_EL1 is the guest's: %#lx", l->text, fake_get("PAR_EL1"));
	}
}

static void good_el1h(void **state)
{
	(void)state;
	good_with(0x5, true);
}

static void good_el1t(void **state)
{
	(void)state;
	good_with(0x4, false);
}

static void good_el0(void **state)
{
	(void)state;
	good_with(0x0, false);
}

static void check_untouched(const char *text)
{
	for (u32 n = 0; n < 31; n++)
		if (vcpu.gpr[n] != gpr_before(n))
			fail_msg("%s: x%u was changed", text, n);
	if (fake_get("SP_EL0") != SP0 || fake_get("SP_EL1") != SP1)
		fail_msg("%s: SP was changed", text);
	if (fake_get("PAR_EL1") != PAR_SAVED)
		fail_msg("%s: PAR_EL1 was changed", text);
}

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ldst_bad) / sizeof(ldst_bad[0]); i++) {
		const struct ldst *l = &ldst_bad[i];

		reset_vcpu();
		insn = l->word;
		if (mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT }) || accesses)
			fail_msg("%s (%#x) must be refused", l->text, l->word);
		check_untouched(l->text);
	}
}

/*
 * Everything else of the loads and stores, at random: it never does more than two accesses of at
 * most 8 bytes.
 */
static void random_words(void **state)
{
	u64 seed = 3;

	(void)state;
	for (u32 n = 0; n < 200000; n++) {
		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		reset_vcpu();
		insn = (u32)(seed >> 32);
		if (n & 1) /* bit 27 set, bit 25 clear: loads and stores */
			insn = (insn | 0x08000000) & ~0x02000000u;
		if (!mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT })) {
			check_untouched("random word");
			assert_int_equal(accesses, 0);
		} else if (accesses < 1 || accesses > 2 || access_log[0].size > 8 ||
			   (insn & 0x0e000000) != 0x08000000) {
			fail_msg("%#x: %u accesses", insn, accesses);
		}
	}
}

static void device_aborts(void **state)
{
	(void)state;
	/* The second half of a pair: the load is not done at all, as far as registers go. */
	insn = 0xa9c10580; /* ldp x0, x1, [x12, #16]! */
	refuse_from = 1;
	assert_false(mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT }));
	check_untouched("ldp");
	reset_vcpu();
	insn = 0xa9c10580;
	refuse_from = 0;
	assert_false(mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT }));
	check_untouched("ldp");
}

static void fetch_fails(void **state)
{
	(void)state;
	insn = 0xa9400540;
	par_result |= 1; /* PAR_EL1.F: another CPU of the guest has unmapped the code */
	assert_false(mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT }));
	assert_int_equal(accesses, 0);
	check_untouched("unmapped");
	reset_vcpu();
	insn = 0xa9400540;
	read_result = -EINVAL; /* code in a device */
	assert_false(mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT }));
	assert_int_equal(accesses, 0);
	check_untouched("not RAM");
	reset_vcpu();
	insn = 0xa9400540;
	vcpu.pstate = 0x10; /* AArch32: the word means something else */
	assert_false(mmio_decode_access(&vcpu, &vcpu.exit, (ipa_t){ AT }));
	assert_int_equal(accesses, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(good_el1h, setup),
		cmocka_unit_test_setup(good_el1t, setup),
		cmocka_unit_test_setup(good_el0, setup),
		cmocka_unit_test_setup(refused, setup),
		cmocka_unit_test_setup(random_words, setup),
		cmocka_unit_test_setup(device_aborts, setup),
		cmocka_unit_test_setup(fetch_fails, setup),
	};

	return cmocka_run_group_tests_name("mmio_decode", tests, NULL, NULL);
}
