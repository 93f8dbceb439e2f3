/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores to devices, decoded by nidus and compared with what the assembler's text means.
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
#include "nested/shadow.h"
#include "nested/walk_vm.h"
#include "nested/inject.h"
#include "exit/mmio.h"
#include "exit/mmio_decode.h"
#include "state/vcpu.h"
#include "state/vm.h"

#define AT 0x09000000UL
#define PC_VA 0xffff800010203abcUL
#define PC_IPA 0x0000000048765abcUL
#define PAR_SAVED 0x0000123400000b80UL

static struct vm vm;
static struct vcpu vcpu;
static u32 insn;
static int read_result;

/* The device: its last access, and its answer. */
static struct {
	u64 at, data;
	u32 size;
	bool write;
} access_log[4];
static u32 accesses, refuse_from;

/* Memory on the other side of a page's end, and how the guest's tables map it. */
#define OTHER 0x48000000UL
static bool other_is_ram;
static struct shadow shadow;
static u32 invalidations; /* by another of L1's CPUs, right after a walk of its tables */
static u32 ram_accesses;
static u64 ram[PAGE_SIZE / 8];
static struct walk_fault other_fault;
static bool other_faults;
static u64 other_va;

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
	if (accesses >= refuse_from || (other_is_ram && ALIGN_DOWN(at.a, PAGE_SIZE) == OTHER))
		return false;
	/* A device may return other bits above the size of the access. */
	if (!m->write)
		m->data = device_word[accesses];
	accesses++;
	return true;
}

bool mmio_ram_access(struct vcpu *v, ipa_t at, struct mmio *m)
{
	char *p = (char *)ram + (at.a & (PAGE_SIZE - 1));

	assert_ptr_equal(v, &vcpu);
	if (ALIGN_DOWN(at.a, PAGE_SIZE) != OTHER)
		return false;
	ram_accesses++;
	/* Invalidations wait. */
	assert_int_equal(shadow.s2.lock.held, vcpu.has_vel2);
	if (m->write)
		memcpy(p, &m->data, m->size);
	else
		memcpy(&m->data, p, m->size);
	return true;
}

bool walk_va(struct vcpu *v, u64 va, struct walk_access a, ipa_t *at, struct walk_fault *fault)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(a.el0, (v->pstate & 0xc) == 0);
	assert_int_not_equal(a.read, a.write);
	other_va = va;
	if (invalidations) {
		invalidations--;
		shadow.seq++;
	}
	*fault = other_fault;
	*at = ipa(OTHER | (va & (PAGE_SIZE - 1)));
	return !other_faults;
}

int walk_vel1_va(struct vcpu *v, u64 va, ipa_t *l1)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(va, PC_VA);
	*l1 = ipa(PC_IPA);
	return 0;
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
	return 0x0123456789abc800UL + n * 0x1111111100000010UL;
}

#define SP0 0x0000aaaa00001800UL
#define SP1 0xffffbbbb00002800UL

/*
 * The access faults on the page where its base register points; no fault is reported for the
 * address below it.
 */
static u64 base_of(u32 word)
{
	u32 n = word >> 5 & 31;

	return n != 31 ? gpr_before(n) : (vcpu.pstate & 0xd) == 5 ? SP1 : SP0;
}

static enum verdict decode(void)
{
	vcpu.exit.far = base_of(insn);
	return mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT));
}

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
	other_is_ram = other_faults = false;
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
	bool writeback, post;
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

/* A word of the name: true if op begins with it, which is then removed. */
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
	m.post = strstr(p, "],");
	m.writeback = strchr(p, '!') || m.post;
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
		u64 va = base_of(insn) + (m->post ? 0 : (u64)m->offset) + i * m->size;

		if (access_log[i].at != AT + (va & (PAGE_SIZE - 1)) ||
		    access_log[i].size != m->size || access_log[i].write == m->load ||
		    access_log[i].data != data)
			fail_msg(
				"%s: access %u: %s of %u at %#lx, data %#lx (want %u, %#lx)",
				text, i, access_log[i].write ? "write" : "read", access_log[i].size,
				access_log[i].at, access_log[i].data, m->size, data);
		if ((va ^ base_of(insn)) >> PAGE_SHIFT)
			fail_msg("%s: the test's own base is too near to the end of a page", text);
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
		if (decode() != SKIP)
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
		if (decode() != ABORT || accesses)
			fail_msg("%s (%#x) must be refused", l->text, l->word);
		check_untouched(l->text);
	}
}

/* All other loads and stores, at random: never more than two accesses of at most 8 bytes. */
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
		if (decode() != SKIP) {
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
	/* The second half of a pair aborts: the load changes no register. */
	insn = 0xa9c10580; /* ldp x0, x1, [x12, #16]! */
	refuse_from = 1;
	assert_int_equal(decode(), ABORT);
	check_untouched("ldp");
	reset_vcpu();
	insn = 0xa9c10580;
	refuse_from = 0;
	assert_int_equal(decode(), ABORT);
	check_untouched("ldp");
}

/*
 * A pair whose halves are on two pages: each is where its own address is mapped, whichever of them
 * the abort is about.
 */
static void pair_on_two_pages(void **state)
{
	u64 end = 0xffff000012345000UL;

	(void)state;
	for (u32 second = 0; second < 2; second++)
		for (u32 store = 0; store < 2; store++) {
			u64 device = AT + (second ? 0 : PAGE_SIZE - 8);

			reset_vcpu();
			insn = store ? 0xa93f8580 : 0xa97f8580; /* ldp/stp x0, x1, [x12, #-8] */
			vcpu.gpr[12] = end;
			vcpu.exit.far = (end - 8 + 8 * second) & MASK(55, 0);
			other_is_ram = true;
			ram[0] = ram[PAGE_SIZE / 8 - 1] = 0x1122334455667788;
			assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0x123)),
					 SKIP);
			assert_int_equal(accesses, 1);
			assert_int_equal(access_log[0].at, device);
			assert_int_equal(access_log[0].write, store);
			assert_int_equal(other_va, end - 8 * second);
			if (store) {
				assert_int_equal(access_log[0].data, gpr_before(second));
				assert_int_equal(ram[second ? PAGE_SIZE / 8 - 1 : 0],
						 gpr_before(!second));
			} else {
				assert_int_equal(vcpu.gpr[second], device_word[0]);
				assert_int_equal(vcpu.gpr[!second], 0x1122334455667788);
			}
		}
}

/*
 * The half that is memory is where L1's tables map it until L1 invalidates that, and no longer:
 * they are walked again. The device has had its access.
 */
static void pair_and_a_tlbi(void **state)
{
	u64 end = 0xffff000012345000UL;

	(void)state;
	for (u32 second = 0; second < 2; second++) {
		reset_vcpu();
		vcpu.has_vel2 = true;
		vcpu.shadow.ref[0] = &shadow;
		ram_accesses = 0;
		insn = 0xa93f8580; /* stp x0, x1, [x12, #-8] */
		vcpu.gpr[12] = end;
		vcpu.exit.far = (end - 8 + 8 * second) & MASK(55, 0);
		other_is_ram = true;
		invalidations = 2;
		for (u32 i = 0; i < 2; i++) {
			assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0x123)),
					 AGAIN);
			assert_int_equal(ram_accesses, 0);
			assert_int_equal(accesses, !second);
		}
		assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0x123)), SKIP);
		assert_int_equal(ram_accesses, 1);
		assert_int_equal(accesses, 1);
		assert_false(shadow.s2.lock.held);
		/* All of the access goes to L1: the page is L1's own by then. */
		vcpu.pair.done = 0;
		shadow.clearing = SHADOW_CLEARS_TABLES;
		assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0x123)), AGAIN);
		assert_int_equal(ram_accesses, 1);
		shadow.clearing = SHADOW_STAYS;
	}
}

/*
 * An element that is itself on two pages would have two translations: an external abort, without an
 * access.
 */
static void element_on_two_pages(void **state)
{
	/* ldur, stur x0; ldp, stp x0, x1 */
	static const u32 words[] = { 0xf8400180, 0xf8000180, 0xa9400580, 0xa9000580 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		for (u32 over = 1; over < 8; over++) {
			reset_vcpu();
			insn = words[i];
			vcpu.gpr[12] = 0xffff000012346000UL - 8 + over;
			vcpu.exit.far = vcpu.gpr[12] & MASK(55, 0);
			assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT)), ABORT);
			assert_int_equal(accesses, 0);
			assert_int_equal(vcpu.gpr[0], gpr_before(0));
		}
}

/* The half that the hardware did not reach has no translation. */
static void pair_that_faults(void **state)
{
	(void)state;
	insn = 0xa93f8580; /* stp x0, x1, [x12, #-8] */
	vcpu.gpr[12] = 0x5000;
	vcpu.exit.far = 0x4ff8;
	other_faults = true;
	other_fault = (struct walk_fault){ .fsc = 0x07, .level = 3 };
	assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0xff8)), INJECT_FAR);
	assert_int_equal(vcpu.inject_esr, 0x25UL << 26 | 1UL << 25 | 1UL << 6 | 7);
	assert_int_equal(vcpu.inject_far, 0x5000);
	vcpu.pstate = 0;
	assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0xff8)), INJECT_FAR);
	assert_int_equal(vcpu.inject_esr, 0x24UL << 26 | 1UL << 25 | 1UL << 6 | 7);
	other_fault =
		(struct walk_fault){ .fsc = 0x0f, .level = 3, .stage2 = true, .ipa = 0x80005008 };
	assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0xff8)), REFLECT_ABORT);
	assert_int_equal(vcpu.reflection.esr, 0x24UL << 26 | 1UL << 25 | 1UL << 6 | 15);
	assert_int_equal(vcpu.reflection.far, 0x5000);
	assert_int_equal(vcpu.reflection.hpfar, 0x80005UL << 4);
	assert_int_equal(accesses, 0);
	/* Another instruction is there by now: the guest executes it. */
	vcpu.gpr[12] = 0x9000;
	other_faults = false;
	assert_int_equal(mmio_decode_access(&vcpu, &vcpu.exit, ipa(AT + 0xff8)), RESUME);
	assert_int_equal(accesses, 0);
}

static void fetch_fails(void **state)
{
	(void)state;
	insn = 0xa9400540;
	par_result |= 1; /* PAR_EL1.F: another CPU of the guest has unmapped the code */
	assert_int_equal(decode(), ABORT);
	assert_int_equal(accesses, 0);
	check_untouched("unmapped");
	reset_vcpu();
	insn = 0xa9400540;
	read_result = -EINVAL; /* code in a device */
	assert_int_equal(decode(), ABORT);
	assert_int_equal(accesses, 0);
	check_untouched("not RAM");
	reset_vcpu();
	insn = 0xa9400540;
	vcpu.pstate = 0x10; /* AArch32: the word means something else */
	assert_int_equal(decode(), ABORT);
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
		cmocka_unit_test_setup(pair_on_two_pages, setup),
		cmocka_unit_test_setup(pair_and_a_tlbi, setup),
		cmocka_unit_test_setup(element_on_two_pages, setup),
		cmocka_unit_test_setup(pair_that_faults, setup),
		cmocka_unit_test_setup(fetch_fails, setup),
	};

	return cmocka_run_group_tests_name("mmio_decode", tests, NULL, NULL);
}
