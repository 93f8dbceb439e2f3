/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From /chosen to VMs: Xen's dom0less nodes with nidus's own properties, and the loose boot modules
 * of QEMU's guest-loader. Each VM is read into a scratch copy; an error drops that copy and leaves
 * a line.
 */
#include <libfdt.h>

#include "boot/config_parts.h"
#include "lib/log.h"
#include "mm/addr.h"

#define LOOSE_MEM MIB(512)
#define LOOSE_CPUS 2

/* A loose boot module, by address. */
struct loose {
	u64 base;
	int node;
	bool kernel;
};

void config_note(struct config_reader *r, int node, const char *prop, const char *fmt, ...)
{
	struct vm_configs *out = r->out;
	char text[CONFIG_LINE_MAX];
	struct dt dt = r->dt;
	va_list ap;

	if (out->note_count == VM_CONFIG_MAX) {
		snprintf(out->note[VM_CONFIG_MAX - 1], CONFIG_LINE_MAX,
			 "/chosen: more notes than fit");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dt.err = out->note[out->note_count++];
	dt.err[0] = '\0';
	dt_fail(&dt, node, prop, "%s", text);
}

/* Keep the error line, if there is one, and make room for the next. */
static void keep_error(struct config_reader *r)
{
	if (r->line[0] && r->out->error_count < VM_CONFIG_MAX)
		memcpy(r->out->error[r->out->error_count++], r->line, CONFIG_LINE_MAX);
	r->line[0] = '\0';
}

bool config_set_memory(struct config_reader *r, struct vm_config *vm, struct config_place at,
		       u64 kib)
{
	u64 total = 0;

	for (u32 i = 0; i < r->m->mem_count; i++)
		total += r->m->mem[i].size;
	if (kib == 0 || kib > total >> 10)
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected 1 to 0x%lx KiB (the machine's memory), found 0x%lx",
			       total >> 10, kib);
	if (!IS_ALIGNED(kib, PAGE_SIZE >> 10))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected a multiple of 4 KiB, found 0x%lx KiB", kib);
	vm->mem_size = kib << 10;
	return true;
}

bool config_set_cpus(struct config_reader *r, struct vm_config *vm, struct config_place at, u64 n)
{
	if (n < 1 || n > VM_VCPUS_MAX)
		return dt_fail(&r->dt, at.node, at.prop, "expected 1 to %d vcpus, found %lu",
			       VM_VCPUS_MAX, n);
	vm->cpus = (u32)n;
	return true;
}

/* A vector length in bits, or SVE_MAX. simd_config_check() decides whether the CPU has it. */
static bool check_vl(struct config_reader *r, struct config_place at, u32 bits)
{
	if (bits != SVE_MAX && (bits > 2048 || bits % 128))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected 0, or 128 to 2048 bits in steps of 128, found %u", bits);
	return true;
}

bool config_set_sve(struct config_reader *r, struct vm_config *vm, struct config_place at, u32 bits)
{
	vm->sve = bits;
	vm->simd_said = true;
	return check_vl(r, at, bits);
}

bool config_set_sme(struct config_reader *r, struct vm_config *vm, struct config_place at, u32 bits)
{
	vm->sme = bits;
	vm->simd_said = true;
	if (bits != SVE_MAX && bits & (bits - 1))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected 0, or a power of two from 128 to 2048 bits, found %u",
			       bits);
	return check_vl(r, at, bits);
}

bool config_set_simd(struct config_reader *r, struct vm_config *vm, struct config_place at,
		     const char *value)
{
	vm->simd_switch = !strcmp(value, "switch");
	if (!vm->simd_switch && strcmp(value, "live") != 0)
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected \"live\" or \"switch\", found \"%s\"", value);
	return true;
}

bool config_set_nested(struct config_reader *r, struct vm_config *vm, struct config_place at,
		       const char *value)
{
	vm->deep = !strcmp(value, "deep");
	vm->nvhe = !strcmp(value, "nvhe");
	vm->nested = vm->deep || vm->nvhe;
	if (!vm->nested)
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected an empty property, \"deep\" or \"nvhe\", found \"%s\"",
			       value);
	return true;
}

bool config_set_block(struct config_reader *r, struct vm_config *vm, struct config_place at,
		      u64 size)
{
	if (size != KIB(4) && size != MIB(2) && size != GIB(1))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected 0x1000, 0x200000 or 0x40000000, found 0x%lx", size);
	vm->stage2_block = size;
	return true;
}

/* A decimal number at *s, which is moved behind it; false if there is none or it is too large. */
static bool parse_number(const char **s, u32 *n)
{
	const char *p = *s;

	for (*n = 0; *p >= '0' && *p <= '9' && *n < 100000; p++)
		*n = *n * 10 + (u32)(*p - '0');
	if (p == *s || (*p >= '0' && *p <= '9'))
		return false;
	*s = p;
	return true;
}

bool config_parse_cpus(struct config_reader *r, struct config_place at, const char *list, u64 *mask)
{
	const char *s = list;
	u32 first, last;

	*mask = 0;
	for (;;) {
		if (!parse_number(&s, &first))
			break;
		last = first;
		if (*s == '-' && (s++, !parse_number(&s, &last)))
			break;
		if (last < first)
			break;
		if (last >= r->m->cpu_count)
			return dt_fail(&r->dt, at.node, at.prop, "expected CPUs 0 to %u, found %u",
				       r->m->cpu_count - 1, last);
		*mask |= MASK(last, first);
		if (*s == '\0')
			return true;
		if (*s++ != ',')
			break;
	}
	return dt_fail(&r->dt, at.node, at.prop,
		       "expected a list of CPUs such as \"0-3,5\", found \"%s\"", list);
}

/* ---- a xen,domain node ---- */

static bool domain_modules(struct config_reader *r, struct vm_config *vm)
{
	const void *fdt = r->dt.fdt;
	int node, ac, sc, kind;
	bool ok = true;

	if (!config_module_cells(r, vm->node, &ac, &sc))
		return false;
	fdt_for_each_subnode(node, fdt, vm->node)
	{
		if (!dt_enabled(fdt, node) || dt_compatible(fdt, node, "xen,vcpu") ||
		    dt_is_named(fdt, node, "chosen"))
			continue;
		kind = config_module_kind(fdt, node);
		if (kind >= 0)
			ok &= config_add_module(r, vm, node, vm->node, ac, sc);
		else if (dt_compatible(fdt, node, "multiboot,module"))
			ok = dt_fail(
				&r->dt, node, "compatible",
				"expected \"multiboot,kernel\" or \"multiboot,ramdisk\" beside "
				"\"multiboot,module\", found neither");
		else
			config_note(r, node, "compatible",
				    "nidus does not know this node and ignores it");
	}
	if (ok && !vm->kernel.size)
		return dt_fail(&r->dt, vm->node, "multiboot,kernel",
			       "expected a module with this compatible, found none");
	return ok;
}

/* sve and nidus,sme: absent the default, empty the maximum, else bits. */
static bool domain_vl(struct config_reader *r, struct vm_config *vm, const char *prop,
		      bool (*set)(struct config_reader *, struct vm_config *, struct config_place,
				  u32))
{
	struct config_place at = { vm->node, prop };
	u32 bits = SVE_MAX;
	int len;

	if (!fdt_getprop(r->dt.fdt, vm->node, prop, &len))
		return true;
	if (len != 0 && !dt_u32(&r->dt, vm->node, prop, &bits))
		return false;
	if (len != 0 && bits > 2048)
		return dt_fail(&r->dt, vm->node, prop,
			       "expected 0, or 128 to 2048 bits in steps of 128, found %u", bits);
	return set(r, vm, at, bits);
}

static bool domain_flag(struct config_reader *r, struct vm_config *vm, const char *prop, bool *flag)
{
	int len;

	*flag = fdt_getprop(r->dt.fdt, vm->node, prop, &len) != NULL;
	if (*flag && len != 0)
		return dt_fail(&r->dt, vm->node, prop, "expected an empty property, found %d bytes",
			       len);
	return true;
}

/* nidus,nested: absent no, empty one level, "deep" any number, "nvhe" one without VHE. */
static bool domain_nested(struct config_reader *r, struct vm_config *vm)
{
	const struct config_place at = { vm->node, "nidus,nested" };
	const char *s;
	int len;

	vm->nested = fdt_getprop(r->dt.fdt, vm->node, at.prop, &len) != NULL;
	if (!vm->nested || len == 0)
		return true;
	s = dt_string(&r->dt, vm->node, at.prop);
	return s && config_set_nested(r, vm, at, s);
}

/* nidus,iommu: absent the default, empty yes, "off" no. */
static bool domain_iommu(struct config_reader *r, struct vm_config *vm)
{
	const char *s;
	int len;

	if (!fdt_getprop(r->dt.fdt, vm->node, "nidus,iommu", &len))
		return true;
	vm->iommu = VM_IOMMU_ON;
	if (len == 0)
		return true;
	s = dt_string(&r->dt, vm->node, "nidus,iommu");
	if (s && strcmp(s, "off") != 0)
		return dt_fail(&r->dt, vm->node, "nidus,iommu",
			       "expected an empty property or \"off\", found \"%s\"", s);
	vm->iommu = VM_IOMMU_OFF;
	return s;
}

/* The properties that every domain must have: Xen has no defaults for these either. */
static bool domain_size(struct config_reader *r, struct vm_config *vm)
{
	int len;
	const void *memory = fdt_getprop(r->dt.fdt, vm->node, "memory", &len);
	u32 cpus;

	if (!memory || len != 8)
		return dt_fail(&r->dt, vm->node, "memory",
			       "expected KiB in two cells (8 bytes), found %d "
			       "bytes",
			       memory ? len : 0);
	return config_set_memory(r, vm, (struct config_place){ vm->node, "memory" },
				 dt_cells(memory, 2)) &&
	       dt_u32(&r->dt, vm->node, "cpus", &cpus) &&
	       config_set_cpus(r, vm, (struct config_place){ vm->node, "cpus" }, cpus);
}

static bool domain_options(struct config_reader *r, struct vm_config *vm)
{
	const void *fdt = r->dt.fdt;
	const char *s;
	u32 block;

	if (!domain_flag(r, vm, "vpl011", &vm->vpl011) || !domain_nested(r, vm) ||
	    !domain_flag(r, vm, "nidus,direct-map", &vm->direct_map) ||
	    !domain_flag(r, vm, "nidus,its", &vm->its) || !domain_iommu(r, vm) ||
	    !domain_flag(r, vm, "nidus,firmware", &vm->firmware) ||
	    !domain_vl(r, vm, "sve", config_set_sve) ||
	    !domain_vl(r, vm, "nidus,sme", config_set_sme))
		return false;
	if (dt_has(fdt, vm->node, "nidus,simd")) {
		s = dt_string(&r->dt, vm->node, "nidus,simd");
		if (!s ||
		    !config_set_simd(r, vm, (struct config_place){ vm->node, "nidus,simd" }, s))
			return false;
	}
	if (dt_has(fdt, vm->node, "nidus,stage2-block") &&
	    (!dt_u32(&r->dt, vm->node, "nidus,stage2-block", &block) ||
	     !config_set_block(r, vm, (struct config_place){ vm->node, "nidus,stage2-block" },
			       block)))
		return false;
	/* The kernel module's own bootargs, read before, take precedence as in Xen. */
	if (!vm->bootargs[0] && dt_has(fdt, vm->node, "bootargs")) {
		s = dt_string(&r->dt, vm->node, "bootargs");
		if (!s)
			return false;
		vm->bootargs = s;
	}
	return true;
}

static bool domain_passthrough(struct config_reader *r, struct vm_config *vm)
{
	const struct config_place at = { vm->node, "nidus,passthrough" };
	const void *fdt = r->dt.fdt;
	int count;

	if (!dt_has(fdt, vm->node, at.prop))
		return true;
	count = fdt_stringlist_count(fdt, vm->node, at.prop);
	if (count < 0)
		return dt_fail(&r->dt, vm->node, at.prop,
			       "expected a list of strings, found something else");
	for (int i = 0; i < count; i++)
		if (!config_pass(r, vm, at, fdt_stringlist_get(fdt, vm->node, at.prop, i, NULL)))
			return false;
	return config_pass_check(r, vm, at);
}

static bool domain_vcpu(struct config_reader *r, struct vm_config *vm, int node, u32 *seen)
{
	const char *list;
	u32 id;

	if (!dt_u32(&r->dt, node, "id", &id))
		return false;
	if (id >= vm->cpus || *seen & 1U << id)
		return dt_fail(&r->dt, node, "id",
			       "expected a number below %u not used before, found %u", vm->cpus,
			       id);
	*seen |= 1U << id;
	if (!dt_has(r->dt.fdt, node, "hard-affinity"))
		return true;
	list = dt_string(&r->dt, node, "hard-affinity");
	return list && config_parse_cpus(r, (struct config_place){ node, "hard-affinity" }, list,
					 &vm->affinity[id]);
}

static bool domain_vcpus(struct config_reader *r, struct vm_config *vm)
{
	u32 seen = 0;
	int node;

	fdt_for_each_subnode(node, r->dt.fdt,
			     vm->node) if (dt_compatible(r->dt.fdt, node, "xen,vcpu") &&
					   dt_enabled(r->dt.fdt, node) &&
					   !domain_vcpu(r, vm, node, &seen)) return false;
	return true;
}

static bool is_one_of(const char *s, const char list[][20], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, list[i]))
			return true;
	return false;
}

/* A mistyped property of nidus is an error; one of Xen's that nidus does not use is a note. */
static bool domain_known(struct config_reader *r, const struct vm_config *vm)
{
	static const char known[][20] = {
		"compatible",
		"#address-cells",
		"#size-cells",
		"phandle",
		"linux,phandle",
		"name",
		"status",
		"memory",
		"cpus",
		"vpl011",
		"sve",
		"bootargs",
		"nidus,nested",
		"nidus,sme",
		"nidus,simd",
		"nidus,stage2-block",
		"nidus,direct-map",
		"nidus,firmware",
		"nidus,passthrough",
		"nidus,pci",
		"nidus,its",
		"nidus,iommu",
	};
	const void *fdt = r->dt.fdt;
	int prop, len;

	fdt_for_each_property_offset(prop, fdt, vm->node)
	{
		const char *name = NULL;

		if (!fdt_getprop_by_offset(fdt, prop, &name, &len) || !name ||
		    is_one_of(name, known, ARRAY_SIZE(known)))
			continue;
		if (!strncmp(name, "nidus,", 6))
			return dt_fail(
				&r->dt, vm->node, name,
				"expected nidus,nested, nidus,sme, nidus,simd, nidus,stage2-block, "
				"nidus,direct-map, nidus,firmware, nidus,passthrough, nidus,pci, "
				"nidus,its or nidus,iommu, found this");
		config_note(r, vm->node, name, "nidus does not know this property and ignores it");
	}
	return true;
}

/* A VM with everything at its default. */
static void vm_defaults(const struct config_reader *r, struct vm_config *vm, int node)
{
	memset(vm, 0, sizeof(*vm));
	vm->node = node;
	vm->bootargs = "";
	if (node >= 0) {
		const char *name = fdt_get_name(r->dt.fdt, node, NULL);

		snprintf(vm->name, sizeof(vm->name), "%s", name ? name : "?");
		dt_name(r->dt.fdt, node, vm->path, sizeof(vm->path));
	}
	for (u32 i = 0; i < VM_VCPUS_MAX; i++)
		vm->affinity[i] = ~0UL;
}

/*
 * A VHE hypervisor that is told nothing else gets all of the SIMD that the machine has, as from
 * KVM with -cpu host: hiding SVE or SME from it costs a trap for each access to CPACR_EL1, by whose
 * name it reaches CPTR_EL2 twice in each exit of its guests (traps/vel2.h).
 */
static void default_simd(struct vm_config *vm)
{
	if (vm->nested && !vm->nvhe && !vm->simd_said)
		vm->sve = vm->sme = SVE_MAX;
}

static void accept(struct config_reader *r, struct vm_config *vm)
{
	default_simd(vm);
	if (r->out->count == VM_CONFIG_MAX) {
		dt_fail(&r->dt, vm->node, "compatible", "expected at most %d VMs, found more",
			VM_CONFIG_MAX);
		return;
	}
	r->out->vm[r->out->count++] = *vm;
	config_pass_note(r, vm);
}

static void read_domain(struct config_reader *r, int node)
{
	static struct vm_config vm;
	bool modules;

	vm_defaults(r, &vm, node);
	modules = domain_modules(r, &vm);
	/* Also for a faulty VM: its memory must be set aside. */
	modules &= config_handed(r, &vm);
	if (modules && domain_known(r, &vm) && domain_size(r, &vm) && domain_options(r, &vm) &&
	    domain_vcpus(r, &vm) && domain_passthrough(r, &vm) && config_pci_list(r, &vm))
		accept(r, &vm);
	keep_error(r);
}

/* ---- loose modules ---- */

/*
 * Collect the loose modules of /chosen by address; kernels that do not fit in the list get a line.
 */
static u32 collect_loose(struct config_reader *r, int chosen, struct loose *list, u32 max)
{
	const void *fdt = r->dt.fdt;
	int node, ac, sc, kind;
	struct range range;
	u32 n = 0, at;

	fdt_for_each_subnode(node, fdt, chosen)
	{
		kind = config_module_kind(fdt, node);
		if (kind < 0 || !dt_enabled(fdt, node))
			continue;
		if (n == max)
			dt_fail(&r->dt, node, "reg", "expected at most %u modules, found more",
				max);
		if (n == max || !config_module_cells(r, chosen, &ac, &sc) ||
		    !dt_reg_raw(&r->dt, node, ac, sc, 0, &range)) {
			keep_error(r);
			continue;
		}
		for (at = n++; at > 0 && list[at - 1].base > range.base; at--)
			list[at] = list[at - 1];
		list[at] = (struct loose){ range.base, node, kind };
	}
	return n;
}

/* One VM from list[0], a kernel, and the ramdisks behind it; returns how many modules that took. */
static u32 read_loose(struct config_reader *r, int chosen, const struct loose *list, u32 n,
		      u32 number, u32 kernels)
{
	static struct vm_config vm;
	bool ok = true;
	int ac, sc;
	u32 used;

	vm_defaults(r, &vm, -1);
	if (kernels > 1)
		snprintf(vm.name, sizeof(vm.name), "guest%u", number);
	else
		snprintf(vm.name, sizeof(vm.name), "guest");
	dt_name(r->dt.fdt, list[0].node, vm.path, sizeof(vm.path));
	vm.mem_size = LOOSE_MEM;
	vm.cpus = MIN(LOOSE_CPUS, r->m->cpu_count);
	vm.vpl011 = true;
	for (used = 0; used < n && (used == 0 || !list[used].kernel); used++)
		ok &= config_module_cells(r, chosen, &ac, &sc) &&
		      config_add_module(r, &vm, list[used].node, list[0].node, ac, sc);
	if (ok && config_args(r, &vm, list[0].node, number))
		accept(r, &vm);
	keep_error(r);
	return used;
}

static void read_loose_all(struct config_reader *r, int chosen)
{
	struct loose list[2 * VM_CONFIG_MAX];
	u32 n = collect_loose(r, chosen, list, ARRAY_SIZE(list)), i = 0, kernels = 0, number = 0;

	for (u32 j = 0; j < n; j++)
		kernels += list[j].kernel;
	for (; i < n && !list[i].kernel; i++) {
		dt_fail(&r->dt, list[i].node, "reg",
			"expected a kernel module at a lower address, found this ramdisk first");
		keep_error(r);
	}
	while (i < n)
		i += read_loose(r, chosen, &list[i], n - i, ++number, kernels);
	config_args_note(r, kernels);
}

void config_read(struct vm_configs *out, struct machine *m, struct range self)
{
	static struct config_reader r;
	int chosen = fdt_subnode_offset(m->fdt, 0, "chosen"), node;

	memset(out, 0, sizeof(*out));
	memset(&r, 0, sizeof(r));
	r.dt = (struct dt){ .fdt = m->fdt, .err = r.line, .err_size = sizeof(r.line) };
	r.out = out;
	r.m = m;
	r.self = self;
	if (chosen < 0)
		return;
	fdt_for_each_subnode(node, m->fdt, chosen) if (dt_compatible(m->fdt, node, "xen,domain") &&
						       dt_enabled(m->fdt, node))
		read_domain(&r, node);
	read_loose_all(&r, chosen);
}
