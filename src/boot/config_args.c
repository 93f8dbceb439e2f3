/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of VMs that have no node of their own (QEMU's guest-loader): words of nidus's command
 * line, "nidus.KEY=VALUE" for all of them, "nidus.N.KEY=VALUE" for the Nth.
 */
#include <libfdt.h>

#include "boot/config_parts.h"
#include "lib/log.h"

#define PREFIX "nidus."
#define TRACE "nidus.trace="
#define TRACE_MIB_MAX 4096
#define KEY_MAX 64
#define VALUE_MAX 256

/* One of nidus's words, in parts. */
struct arg {
	char name[KEY_MAX];    /* as written: nidus.2.mem */
	const char *key;       /* mem */
	u32 number;            /* 2; 0: for all VMs */
	char value[VALUE_MAX]; /* "1" if there was no "=" */
};

/* The next word of a command line at *s, which is moved behind it; false: no more. */
static bool next_word(const char **s, const char **word, u32 *len)
{
	const char *p = *s;

	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	*word = p;
	while (*p && *p != ' ' && *p != '\t' && *p != '\n')
		p++;
	*len = (u32)(p - *word);
	*s = p;
	return *len != 0;
}

bool config_has_word(const char *bootargs, const char *word)
{
	const char *found;
	u32 len;

	while (next_word(&bootargs, &found, &len))
		if (len == strlen(word) && !strncmp(found, word, len))
			return true;
	return false;
}

/* A decimal number that is all of s; false if it is something else or above 2^32 - 1. */
static bool parse_u32(const char *s, u64 *v)
{
	*v = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		*v = *v * 10 + (u64)(*s - '0');
		if (*v > UINT32_MAX)
			return false;
	}
	return true;
}

/* Words for nidus itself rather than a VM. */
static bool begins(const char *word, const char *with)
{
	return !strncmp(word, with, strlen(with));
}

bool config_word(const char *bootargs, const char *begin, char *value, size_t size)
{
	const char *word;
	u32 len;

	while (next_word(&bootargs, &word, &len))
		if (len >= strlen(begin) && begins(word, begin))
			return snprintf(value, size, "%.*s", (int)(len - strlen(begin)),
					word + strlen(begin)) < (int)size;
	return false;
}

bool config_trace(const char *bootargs, u64 *mib)
{
	char value[8] = "?"; /* no such word */

	*mib = 0;
	if (!config_word(bootargs, TRACE, value, sizeof(value)))
		return value[0] == '?';
	return parse_u32(value, mib) && *mib && *mib <= TRACE_MIB_MAX;
}

/* Parse a word: 1 done, 0 not one of nidus's, -1 too long (arg->name is cut). */
static int parse_arg(const char *word, u32 len, struct arg *arg)
{
	const char *eq = memchr(word, '=', len);
	u32 name_len = eq ? (u32)(eq - word) : len;
	u32 value_len = eq ? len - name_len - 1 : 0;
	const char *p;

	if (len < strlen(PREFIX) || strncmp(word, PREFIX, strlen(PREFIX)) != 0 ||
	    begins(word, TRACE) || begins(word, CONFIG_PCI_VFS))
		return 0;
	snprintf(arg->name, sizeof(arg->name), "%.*s", (int)name_len, word);
	if (name_len >= KEY_MAX || value_len >= VALUE_MAX)
		return -1;
	snprintf(arg->value, sizeof(arg->value), "%.*s", (int)(eq ? value_len : 1),
		 eq ? eq + 1 : "1");
	arg->number = 0;
	arg->key = p = arg->name + strlen(PREFIX);
	for (u32 n = 0; *p >= '0' && *p <= '9' && n < 10000; p++) {
		n = n * 10 + (u32)(*p - '0');
		if (p[1] == '.') {
			arg->number = n;
			arg->key = p + 2;
			break;
		}
	}
	return 1;
}

static bool bad_value(struct config_reader *r, struct config_place at, const char *expected,
		      const char *value)
{
	return dt_fail(&r->dt, at.node, at.prop, "expected %s, found \"%s\"", expected, value);
}

typedef bool set_fn(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    const char *value);

static bool parse_flag(struct config_reader *r, struct config_place at, const char *value,
		       bool *flag)
{
	*flag = value[0] == '1';
	if ((value[0] != '0' && value[0] != '1') || value[1])
		return bad_value(r, at, "0 or 1", value);
	return true;
}

static bool set_mem(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    const char *value)
{
	u64 mib;

	if (!parse_u32(value, &mib))
		return bad_value(r, at, "MiB as a decimal number", value);
	return config_set_memory(r, vm, at, mib << 10);
}

static bool set_cpus(struct config_reader *r, struct vm_config *vm, struct config_place at,
		     const char *value)
{
	u64 n;

	if (!parse_u32(value, &n))
		return bad_value(r, at, "a decimal number", value);
	return config_set_cpus(r, vm, at, n);
}

static bool parse_vl(struct config_reader *r, struct config_place at, const char *value, u32 *bits)
{
	u64 n = SVE_MAX;

	if (strcmp(value, "max") != 0 && (!parse_u32(value, &n) || n > 2048))
		return bad_value(r, at, "\"max\", 0, or 128 to 2048 bits in steps of 128", value);
	*bits = (u32)n;
	return true;
}

static bool set_sve(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    const char *value)
{
	u32 bits = 0;

	return parse_vl(r, at, value, &bits) && config_set_sve(r, vm, at, bits);
}

static bool set_sme(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    const char *value)
{
	u32 bits = 0;

	return parse_vl(r, at, value, &bits) && config_set_sme(r, vm, at, bits);
}

static bool set_vpl011(struct config_reader *r, struct vm_config *vm, struct config_place at,
		       const char *value)
{
	return parse_flag(r, at, value, &vm->vpl011);
}

static bool set_its(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    const char *value)
{
	return parse_flag(r, at, value, &vm->its);
}

static bool set_iommu(struct config_reader *r, struct vm_config *vm, struct config_place at,
		      const char *value)
{
	bool on = false;

	if (!parse_flag(r, at, value, &on))
		return false;
	vm->iommu = on ? VM_IOMMU_ON : VM_IOMMU_OFF;
	return true;
}

static bool set_nested(struct config_reader *r, struct vm_config *vm, struct config_place at,
		       const char *value)
{
	if (!strcmp(value, "deep") || !strcmp(value, "nvhe"))
		return config_set_nested(r, vm, at, value);
	vm->deep = vm->nvhe = false;
	vm->nested = value[0] == '1';
	if ((value[0] != '0' && value[0] != '1') || value[1])
		return bad_value(r, at, "0, 1, deep or nvhe", value);
	return true;
}

static bool set_direct_map(struct config_reader *r, struct vm_config *vm, struct config_place at,
			   const char *value)
{
	return parse_flag(r, at, value, &vm->direct_map);
}

static bool set_firmware(struct config_reader *r, struct vm_config *vm, struct config_place at,
			 const char *value)
{
	return parse_flag(r, at, value, &vm->firmware);
}

static bool set_block(struct config_reader *r, struct vm_config *vm, struct config_place at,
		      const char *value)
{
	static const struct {
		const char *name;
		u64 size;
	} sizes[] = { { "4K", KIB(4) }, { "2M", MIB(2) }, { "1G", GIB(1) } };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		if (!strcmp(value, sizes[i].name))
			return config_set_block(r, vm, at, sizes[i].size);
	return bad_value(r, at, "4K, 2M or 1G", value);
}

static bool set_affinity(struct config_reader *r, struct vm_config *vm, struct config_place at,
			 const char *value)
{
	u64 mask;

	if (!config_parse_cpus(r, at, value, &mask))
		return false;
	for (u32 i = 0; i < VM_VCPUS_MAX; i++)
		vm->affinity[i] = mask;
	return true;
}

/* Each of the comma-separated names of value, with one function. */
static bool set_each(struct config_reader *r, struct vm_config *vm, struct config_place at,
		     const char *value, set_fn *set)
{
	char name[VALUE_MAX];
	const char *comma;

	for (;; value = comma + 1) {
		comma = strchr(value, ',');
		snprintf(name, sizeof(name), "%.*s",
			 comma ? (int)(comma - value) : (int)strlen(value), value);
		if (!set(r, vm, at, name))
			return false;
		if (!comma)
			return true;
	}
}

static bool set_passthrough(struct config_reader *r, struct vm_config *vm, struct config_place at,
			    const char *value)
{
	return set_each(r, vm, at, value, config_pass);
}

static bool set_pci(struct config_reader *r, struct vm_config *vm, struct config_place at,
		    const char *value)
{
	return set_each(r, vm, at, value, config_pci);
}

static const struct {
	char key[16];
	set_fn *set;
} keys[] = {
	{ "mem", set_mem },
	{ "cpus", set_cpus },
	{ "vpl011", set_vpl011 },
	{ "sve", set_sve },
	{ "sme", set_sme },
	{ "simd", config_set_simd },
	{ "nested", set_nested },
	{ "stage2-block", set_block },
	{ "direct-map", set_direct_map },
	{ "firmware", set_firmware },
	{ "passthrough", set_passthrough },
	{ "pci", set_pci },
	{ "its", set_its },
	{ "iommu", set_iommu },
	{ "hard-affinity", set_affinity },
};

static bool apply_arg(struct config_reader *r, struct vm_config *vm, int node,
		      const struct arg *arg)
{
	struct config_place at = { node, arg->name };

	for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(arg->key, keys[i].key))
			return keys[i].set(r, vm, at, arg->value);
	return bad_value(r, at,
			 "mem, cpus, vpl011, sve, sme, simd, nested, stage2-block, direct-map, "
			 "firmware, passthrough, pci, its, iommu or hard-affinity",
			 arg->key);
}

bool config_args(struct config_reader *r, struct vm_config *vm, int node, u32 n)
{
	const u32 rounds[] = { 0, n };
	struct arg arg;

	for (u32 i = 0; i < ARRAY_SIZE(rounds); i++) {
		const char *s = r->m->bootargs, *word;
		u32 len;

		while (next_word(&s, &word, &len)) {
			int kind = parse_arg(word, len, &arg);

			if (kind < 0)
				return dt_fail(
					&r->dt, node, arg.name,
					"expected a word of nidus's command line of at most %d "
					"characters, found %u",
					VALUE_MAX, len);
			if (kind == 1 && arg.number == rounds[i] && !apply_arg(r, vm, node, &arg))
				return false;
		}
	}
	return config_pass_check(r, vm, (struct config_place){ node, "nidus.passthrough" });
}

void config_args_note(struct config_reader *r, u32 count)
{
	const char *s = r->m->bootargs, *word;
	struct arg arg;
	u32 len;

	while (next_word(&s, &word, &len)) {
		if (parse_arg(word, len, &arg) == 0 || (count && arg.number <= count))
			continue;
		config_note(r, fdt_subnode_offset(r->dt.fdt, 0, "chosen"), arg.name,
			    "there is no VM for this word of nidus's command line (loose kernel "
			    "modules: %u)",
			    count);
		return;
	}
}
