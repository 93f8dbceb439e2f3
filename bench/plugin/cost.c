/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A QEMU plugin that counts what silicon charges for at EL2: instructions by class, and the cache
 * lines touched between an exception to EL2 and its ERET. For QEMU 9.0 to 10.0 with -icount, under
 * which one vcpu runs at a time. It counts by calls and not by QEMU's inline counters, which are
 * broken there when there are two vcpus and no second thread: QEMU 10.0 multiplies the constant
 * that stands for the vcpu's index in place.
 *
 *   -plugin cost.so,out=FILE[,from=ADDRESS,bytes=N]
 *
 * A program that is measured marks what is to be counted (guest/lib/mark.h). Before its first mark
 * nothing is counted: level 0 hashes kernels and ramdisks meanwhile. FILE gets a line
 * "columns NAME...", then "row N..." for each pair of marks, what was counted between the two,
 * and "total N..." at the end. The columns z_load, z_store, q_load and q_store are how often, above
 * EL0 and not at EL2 alone, all Z or all Q registers were moved: how often the first one was, by
 * the instruction that such code has for it. After a row come lines "pc ADDRESS N": how often EL2
 * executed what of from and on.
 */
#include "qemu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))

API int qemu_plugin_version = 2;

/* HINT #125 to #127. */
#define MARK_START 0xd5032fbf
#define MARK_BEGIN 0xd5032fdf
#define MARK_END 0xd5032fff
#define LINE_SHIFT 6
#define SET_BITS 14

/* Classes of instructions; the rest is plain. Of each pair of registers' classes reads are first. */
#define CLASSES(X)                                                                                 \
	X(plain)                                                                                   \
	X(eret)                                                                                    \
	X(call)                                                                                    \
	X(isb)                                                                                     \
	X(dsb) X(dmb) X(tlbi) X(at) X(cache) X(pstate) X(read_el1) X(write_el1) X(read_el12)       \
		X(write_el12) X(read_el2) X(write_el2) X(read_gic) X(write_gic) X(read_timer)      \
			X(write_timer) X(read_pauth) X(write_pauth) X(read_debug) X(write_debug)   \
				X(read_thread) X(write_thread) X(read_id) X(write_id)

enum class {
#define X(name) C_##name,
	CLASSES(X)
#undef X
		C_COUNT,
};

static const char *const names[] = {
#define X(name) #name,
	CLASSES(X)
#undef X
};

/* What is counted: the classes, lines of data and of code, moves of all SIMD registers. */
enum { DATA_LINES = C_COUNT, CODE_LINES, Z_LOAD, Z_STORE, Q_LOAD, Q_STORE, COLUMNS };
static uint64_t counters[COLUMNS], begun[COLUMNS];

/* Executions of each instruction of from and on. */
static uint64_t from, bytes, *pcs, *pcs_begun;

static FILE *out;
static struct qemu_plugin_register *cpsr;
static struct glib_array *cpsr_bytes;

static void on_count(unsigned vcpu, void *arg)
{
	(void)vcpu;
	++*(uint64_t *)arg;
}

/* ---- what EL2 touches between an exception and its ERET ------------------------------------- */

/* Lines of one kind, since the last ERET. */
static struct lines {
	uint64_t line[1 << SET_BITS];
	uint64_t round[1 << SET_BITS];
} data_lines, code_lines;

static uint64_t now = 1;

/* Count a line that is touched for the first time since. */
static void touch(struct lines *l, uint64_t line, uint64_t *count)
{
	uint64_t i = line * 0x9e3779b97f4a7c15 >> (64 - SET_BITS);

	while (l->round[i] == now) {
		if (l->line[i] == line)
			return;
		i = (i + 1) & ((1 << SET_BITS) - 1);
	}
	l->round[i] = now;
	l->line[i] = line;
	++*count;
}

static void on_data(unsigned vcpu, uint32_t info, uint64_t address, void *arg)
{
	(void)vcpu;
	(void)info;
	(void)arg;
	touch(&data_lines, address >> LINE_SHIFT, &counters[DATA_LINES]);
}

/* arg: the line itself. */
static void on_code(unsigned vcpu, void *arg)
{
	(void)vcpu;
	touch(&code_lines, (uint64_t)arg, &counters[CODE_LINES]);
}

static void on_eret(unsigned vcpu, void *arg)
{
	(void)vcpu;
	(void)arg;
	now++;
}

/* ---- reports -------------------------------------------------------------------------------- */

static void report(const char *name, const uint64_t *since)
{
	unsigned i;

	fputs(name, out);
	for (i = 0; i < COLUMNS; i++)
		fprintf(out, " %lu", counters[i] - since[i]);
	fputs("\n", out);
	fflush(out);
}

static void report_pcs(void)
{
	uint64_t i;

	for (i = 0; i < bytes / 4; i++)
		if (pcs[i] != pcs_begun[i])
			fprintf(out, "pc %#lx %lu\n", from + 4 * i, pcs[i] - pcs_begun[i]);
}

static void on_begin(unsigned vcpu, void *arg)
{
	(void)vcpu;
	(void)arg;
	memcpy(begun, counters, sizeof(begun));
	if (bytes)
		memcpy(pcs_begun, pcs, bytes * 2);
}

static void on_finish(unsigned vcpu, void *arg)
{
	(void)vcpu;
	(void)arg;
	report("row", begun);
	report_pcs();
}

static void on_end(qemu_plugin_id_t id, void *arg)
{
	static const uint64_t nothing[COLUMNS];

	(void)id;
	(void)arg;
	report("total", nothing);
	fclose(out);
}

/* ---- which class an instruction is of ------------------------------------------------------- */

static unsigned bits(uint32_t insn, unsigned high, unsigned low)
{
	return insn >> low & ((1u << (high - low + 1)) - 1);
}

/* Arm ARM, C5.3 and D17: which group of registers; the read's class, the write's is the next. */
static enum class register_class(uint32_t insn) {
	unsigned op0 = bits(insn, 20, 19), op1 = bits(insn, 18, 16);
	unsigned crn = bits(insn, 15, 12), crm = bits(insn, 11, 8);

	if (op0 == 2 || crn == 9) return C_read_debug;
	if (crn == 14) return C_read_timer;
	if ((crn == 12 && crm >= 8) || (op1 == 0 && crn == 4 && crm == 6)) return C_read_gic;
	if (op1 == 0 && crn == 2 && crm >= 1 && crm <= 3) return C_read_pauth;
	if (op1 == 3 || crn == 13) return C_read_thread;
	if (crn == 0 && op1 != 4) return C_read_id;
	if (op1 == 4) return C_read_el2;
	return op1 == 5 ? C_read_el12 : C_read_el1;
}

/* SYS: maintenance of TLBs and caches, address translation. */
static enum class sys_class(uint32_t insn) {
	unsigned crn = bits(insn, 15, 12), crm = bits(insn, 11, 8);

	if (crn == 8 || crn == 9) return C_tlbi;
	return crn == 7 && (crm == 8 || crm == 9) ? C_at : C_cache;
}

static enum class class_of(uint32_t insn) {
	if ((insn & 0xffe0001c) == 0xd4000000 && (insn & 3)) return C_call;
	if ((insn & 0xfffffbff) == 0xd69f03e0 || insn == 0xd69f0fff) return C_eret;
	if ((insn & 0xfffff0ff) == 0xd50330df) return C_isb;
	if ((insn & 0xfffff0ff) == 0xd503309f || (insn & 0xfffff3ff) == 0xd503323f) return C_dsb;
	if ((insn & 0xfffff0ff) == 0xd50330bf) return C_dmb;
	if ((insn & 0xfff8f01f) == 0xd500401f) return C_pstate;
	if ((insn & 0xffd80000) == 0xd5080000) return sys_class(insn);
	if ((insn & 0xffd00000) == 0xd5100000) return register_class(insn) + !(insn & 1u << 21);
	return C_plain;
}

/* Which move of all SIMD registers it is the first register of: LDR and STR of Z0, LDP and STP of Q0 and Q1. */
static unsigned move_of(uint32_t insn)
{
	switch (insn & 0xffc0e01f) {
	case 0x85804000:
		return Z_LOAD;
	case 0xe5804000:
		return Z_STORE;
	}
	switch (insn & 0xffc07c1f) {
	case 0xad400400:
		return Q_LOAD;
	case 0xad000400:
		return Q_STORE;
	}
	return 0;
}

/* ---- translation ---------------------------------------------------------------------------- */

/* The exception level of the vcpu that translates: a block is of one. */
static unsigned level(void)
{
	g_byte_array_set_size(cpsr_bytes, 0);
	if (qemu_plugin_read_register(cpsr, cpsr_bytes) < 4) {
		fprintf(stderr, "cost: this QEMU does not tell a translator the registers\n");
		exit(1);
	}
	return *(const uint8_t *)cpsr_bytes->data >> 2 & 3;
}

static void on_exec(struct qemu_plugin_insn *insn, qemu_plugin_exec_fn *fn, void *arg)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, QEMU_PLUGIN_CB_NO_REGS, arg);
}

static void on_el2_insn(struct qemu_plugin_insn *insn, uint32_t word, uint64_t pc, bool first)
{
	enum class c = class_of(word);

	on_exec(insn, on_count, &counters[c]);
	if (first || !(pc & ((1 << LINE_SHIFT) - 1)))
		on_exec(insn, on_code, (void *)(pc >> LINE_SHIFT));
	if (pc - from < bytes)
		on_exec(insn, on_count, &pcs[(pc - from) / 4]);
	if (c == C_eret)
		on_exec(insn, on_eret, NULL);
	qemu_plugin_register_vcpu_mem_cb(insn, on_data, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_BOTH, NULL);
}

static void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	unsigned el = level();

	(void)id;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn);
		uint32_t word = 0, move;

		qemu_plugin_insn_data(insn, &word, sizeof(word));
		if (el == 2)
			on_el2_insn(insn, word, pc, i == 0);
		if (word == MARK_BEGIN)
			on_exec(insn, on_begin, NULL);
		if (word == MARK_END)
			on_exec(insn, on_finish, NULL);
		move = el ? move_of(word) : 0;
		if (move)
			on_exec(insn, on_count, &counters[move]);
	}
}

/* ---- before the first mark ------------------------------------------------------------------ */

static void count_from_here(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
}

/* The first mark: all code is translated anew. */
static void on_start(unsigned vcpu, void *arg)
{
	static bool started;

	(void)vcpu;
	if (!started)
		qemu_plugin_reset((qemu_plugin_id_t)arg, count_from_here);
	started = true;
}

static void on_block_ahead(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = 0;

		qemu_plugin_insn_data(insn, &word, sizeof(word));
		if (word == MARK_START)
			on_exec(insn, on_start, (void *)id);
	}
}

static void on_vcpu(qemu_plugin_id_t id, unsigned vcpu)
{
	struct glib_array *all = qemu_plugin_get_registers();
	struct qemu_plugin_register_name *r = all->data;
	unsigned i;

	(void)id;
	(void)vcpu;
	for (i = 0; i < all->count; i++)
		if (!strcmp(r[i].name, "cpsr"))
			cpsr = r[i].handle;
	if (!cpsr)
		abort();
}

/* ---- start ---------------------------------------------------------------------------------- */

static void columns(void)
{
	unsigned i;

	fputs("columns", out);
	for (i = 0; i < C_COUNT; i++)
		fprintf(out, " %s", names[i]);
	fputs(" data_lines code_lines z_load z_store q_load q_store\n", out);
}

API int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "from=", 5))
			from = strtoull(argv[i] + 5, NULL, 16);
		else if (!strncmp(argv[i], "bytes=", 6))
			bytes = strtoull(argv[i] + 6, NULL, 0) & ~3UL;
		else
			return -1;
	}
	pcs = calloc(bytes / 2 + 1, 4);
	pcs_begun = calloc(bytes / 2 + 1, 4);
	if (!out || !pcs || !pcs_begun)
		return -1;
	cpsr_bytes = g_byte_array_new();
	columns();
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_block_ahead);
	return 0;
}
