/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that make a VM's configuration: config.c, config_args.c, config_pass.c. */
#pragma once

#include "boot/config.h"
#include "dev/dt.h"

/* A boot module that was accepted, and who named it. */
struct config_module {
	struct range range;
	int owner; /* node of the VM; the kernel's node for loose modules */
	bool kernel;
	bool handed; /* for a VM's own VMs */
};

struct config_reader {
	struct dt dt; /* the error line of the VM that is being read */
	struct vm_configs *out;
	struct machine *m;
	struct range self;
	struct config_module module[4 * VM_CONFIG_MAX];
	u32 modules;
	char line[CONFIG_LINE_MAX];
};

/* Where a value comes from, for messages: a node's property or a word of the command line. */
struct config_place {
	int node;
	const char *prop;
};

/* Add a line for the user. */
void config_note(struct config_reader *r, int node, const char *prop, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* One value each, checked and put into vm; false with a complaint. */
bool config_set_memory(struct config_reader *r, struct vm_config *vm, struct config_place at,
		       u64 kib);
bool config_set_cpus(struct config_reader *r, struct vm_config *vm, struct config_place at, u64 n);
bool config_set_sve(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    u32 bits);
bool config_set_sme(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    u32 bits);
bool config_set_simd(struct config_reader *r, struct vm_config *vm, struct config_place at,
		     const char *value);
bool config_set_nested(struct config_reader *r, struct vm_config *vm, struct config_place at,
		       const char *value);
bool config_set_block(struct config_reader *r, struct vm_config *vm, struct config_place at,
		      u64 size);
/* A list of CPUs and ranges of them ("0-3,5") into the bits of *mask. */
bool config_parse_cpus(struct config_reader *r, struct config_place at, const char *list,
		       u64 *mask);

#define CONFIG_PCI_VFS "nidus.pci-vfs="
/* The value of the word of a command line that begins so; false: none, or one that is too long. */
bool config_word(const char *bootargs, const char *begin, char *value, size_t size);

/* Whether a node is a boot module: 1 a kernel, 0 a ramdisk, -1 neither. */
int config_module_kind(const void *fdt, int node);
/* #address-cells and #size-cells for the modules in `node`: its own, else the root's. */
bool config_module_cells(struct config_reader *r, int node, int *ac, int *sc);
/*
 * Read one module's reg and bootargs into vm. Its memory is set aside even if the VM is already
 * faulty: its loader meant it to stay.
 */
bool config_add_module(struct config_reader *r, struct vm_config *vm, int node, int owner, int ac,
		       int sc);

/*
 * Check that mod may be at node: in RAM that is otherwise unused. Its memory is reserved and it is
 * kept in r->module; false with a message.
 */
bool config_keep_module(struct config_reader *r, int node, const struct config_module *mod);

/*
 * Read the domain's sub-node `chosen`, whose contents the VM finds in its own /chosen: vm->chosen
 * and the modules in it, at any depth. True if there is none.
 */
bool config_handed(struct config_reader *r, struct vm_config *vm);

/* Give the device named by a path or alias to vm. */
bool config_pass(struct config_reader *r, struct vm_config *vm, struct config_place at,
		 const char *name);
/* Give the PCI function named 0000:00:01.0 to vm. Whether there is one is vm_create()'s to say. */
bool config_pci(struct config_reader *r, struct vm_config *vm, struct config_place at,
		const char *name);
/* The domain's nidus,pci; true if there is none. */
bool config_pci_list(struct config_reader *r, struct vm_config *vm);
/* Check a VM's devices together, once its other options are known. */
bool config_pass_check(struct config_reader *r, const struct vm_config *vm, struct config_place at);
/* Note what else a VM can access because it is on a page with its devices. */
void config_pass_note(struct config_reader *r, const struct vm_config *vm);

/*
 * Apply the words nidus.KEY=VALUE, then nidus.N.KEY=VALUE, of the command line to the Nth loose VM;
 * errors name its kernel module, node.
 */
bool config_args(struct config_reader *r, struct vm_config *vm, int node, u32 n);
/* Note the first word that is for no VM; count: loose VMs. */
void config_args_note(struct config_reader *r, u32 count);
