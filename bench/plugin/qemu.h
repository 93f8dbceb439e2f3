/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a QEMU plugin may call, as QEMU 9.0's plugin interface (version 2 and later) has it; Debian
 * ships no header of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t qemu_plugin_id_t;

struct qemu_plugin_info {
	const char *target;
	struct {
		int least, current;
	} version;
	bool system;
	struct {
		int vcpus, most_vcpus;
	} machine;
};
typedef struct qemu_plugin_info qemu_info_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_register;

/* What a plugin defines. */
extern int qemu_plugin_version;
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

/* GLib's, of the QEMU process. */
struct glib_array {
	void *data;
	unsigned count;
};
struct glib_array *g_byte_array_new(void);
struct glib_array *g_byte_array_set_size(struct glib_array *array, unsigned size);

struct qemu_plugin_register_name {
	struct qemu_plugin_register *handle;
	const char *name, *feature;
};

enum { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS };
enum { QEMU_PLUGIN_MEM_READ = 1, QEMU_PLUGIN_MEM_WRITE, QEMU_PLUGIN_MEM_BOTH };

typedef void qemu_plugin_vcpu_fn(qemu_plugin_id_t id, unsigned vcpu);
typedef void qemu_plugin_exec_fn(unsigned vcpu, void *arg);
typedef void qemu_plugin_mem_fn(unsigned vcpu, uint32_t info, uint64_t address, void *arg);
typedef void qemu_plugin_translate_fn(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void qemu_plugin_end_fn(qemu_plugin_id_t id, void *arg);

typedef void qemu_plugin_done_fn(qemu_plugin_id_t id);

/* Drop all callbacks and all translated code, then call fn. */
void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_done_fn *fn);
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_fn *fn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_translate_fn *fn);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_end_fn *fn, void *arg);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_plugin_exec_fn *fn,
					    int flags, void *arg);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_mem_fn *fn,
				      int flags, int accesses, void *arg);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t bytes);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* An array of struct qemu_plugin_register_name. */
struct glib_array *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *handle, struct glib_array *bytes);
