/* SPDX-License-Identifier: Apache-2.0 */
/* Building a VM from its configuration, and taking it apart. */
#include "vm/vm_build.h"

#include "arch/feat.h"
#include "arch/sysreg.h"
#include "dev/its.h"
#include "dev/power.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "nested/shadow.h"
#include "nested/vncr.h"
#include "nested/walk_vm.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/vm.h"
#include "traps/traps_nested.h"
#include "traps/vel2.h"
#include "vgic/vgic.h"
#include "vm/console.h"
#include "vm/guest_fdt.h"
#include "vm/guest_fdt_pci.h"
#include "vm/vflash.h"
#include "vm/vfwcfg.h"
#include "vm/vm_layout.h"
#include "vm/vm_ram.h"
#include "vm/vmsi.h"
#include "vm/vpass.h"
#include "vm/vpci_dma.h"
#include "vm/vpci_life.h"
#include "vm/vpl011.h"
#include "vm/vpl031.h"
#include "vm/vsmmu.h"
#include "vtimer/vtimer.h"

/* QEMU virt's map, so that a program written for that machine finds what it expects. */
#define GUEST_RAM 0x40000000UL
#define GUEST_GICD 0x08000000UL
#define GUEST_ITS 0x08080000UL
#define GUEST_GICR 0x080a0000UL
#define GUEST_UART 0x09000000UL
#define GUEST_UART_INTID 33
#define GUEST_RTC 0x09010000UL
#define GUEST_RTC_INTID 34
#define GUEST_STOLEN 0x090a0000UL
#define GUEST_FLASH 0x04000000UL /* the second one, for variables; firmware is in the first, at 0 */
#define GUEST_FW_CFG 0x09020000UL

#define FIRMWARE_RAM_MIN MIB(128)

#define FDT_MAX KIB(64)

static char message[160];

#define FAIL(...)                                                                                  \
	({                                                                                         \
		snprintf(message, sizeof(message), __VA_ARGS__);                                   \
		(const char *)message;                                                             \
	})

static u64 free_kib(void)
{
	return page_free_count() << (PAGE_SHIFT - 10);
}

static void set_layout(struct vm *vm)
{
	vm->layout = (struct vm_layout){ .ram = GUEST_RAM,
					 .gicd = GUEST_GICD,
					 .gicr = GUEST_GICR,
					 .uart = GUEST_UART,
					 .rtc = GUEST_RTC,
					 .its = GUEST_ITS,
					 .stolen = GUEST_STOLEN,
					 .uart_intid = GUEST_UART_INTID,
					 .rtc_intid = GUEST_RTC_INTID };
	if (vm->config->firmware) {
		vm->layout.flash = GUEST_FLASH;
		vm->layout.fw_cfg = GUEST_FW_CFG;
	}
	if (!vm->config->direct_map)
		return;
	/* 1:1: RAM is wherever it was allocated, so the devices are where the machine's own are. */
	vm->layout.gicd = machine.gicd.base;
	vm->layout.gicr = machine.gicr[0].base;
	vm->layout.uart = machine.uart.base;
	vm->layout.its = its_base();
	vm->layout.uart_intid = machine.uart_intid;
	if (!machine.rtc.size || !machine.rtc_intid)
		return;
	vm->layout.rtc = machine.rtc.base;
	vm->layout.rtc_intid = machine.rtc_intid;
}

static u64 ram_end(const struct vm *vm)
{
	const struct vm_ram *last = &vm->ram[vm->ram_chunks - 1];

	return last->ipa + last->size;
}

/*
 * A page of its own for stolen time, which no part of the VM's memory is. With direct-map it is
 * where the machine has it: in RAM, so that it is no device's, and allocated, so no other VM's.
 */
static const char *make_stolen(struct vm *vm)
{
	vm->stolen_page = page_alloc_zero();
	if (!vm->stolen_page)
		return "memory: expected a page for its stolen time, found none free";
	if (vm->config->direct_map)
		vm->layout.stolen = vm->stolen_page;
	return NULL;
}

static const char *map_ram(struct vm *vm)
{
	for (u32 i = 0; i < vm->ram_chunks; i++) {
		const struct vm_ram *r = &vm->ram[i];

		if (stage2_map(&vm->stage2, ipa(r->ipa), pa(r->pa), r->size, STAGE2_RAM))
			return FAIL(
				"memory: expected %lu MiB and stage-2 tables for it, found none "
				"for these: %lu KiB are free",
				vm->config->mem_size >> 20, free_kib());
	}
	if (stage2_map(&vm->stage2, ipa(vm->layout.stolen), pa(vm->stolen_page), PAGE_SIZE,
		       STAGE2_RAM))
		return FAIL("memory: expected stage-2 tables for its stolen time, found none: "
			    "%lu KiB are free",
			    free_kib());
	return NULL;
}

/* A VM whose BARs move has all tables that it can need from the start. */
static const char *make_stage2(struct vm *vm)
{
	u64 pages = vpci_table_pages(vm) + stage2_pages_needed(PAGE_SIZE);
	u32 bits = stage2_ipa_bits(MAX(ram_end(vm), vm->layout.stolen + PAGE_SIZE));

	for (u32 i = 0; i < vm->ram_chunks; i++)
		pages += stage2_pages_needed(vm->ram[i].size);
	for (u32 i = 0; i < vm->config->pass_count; i++)
		for (u32 r = 0; r < vm->config->pass[i].reg_count; r++)
			pages += stage2_pages_needed(vm->config->pass[i].reg[r].size + PAGE_SIZE);
	if (vm->pci && page_pool_fill(&vm->tables, pages))
		return FAIL("memory: expected %lu KiB for stage-2 tables, found %lu free",
			    pages << (PAGE_SHIFT - 10), free_kib());
	if (stage2_init_pool(&vm->stage2, bits, vm->config->stage2_block,
			     vm->pci ? &vm->tables : NULL))
		return "no memory or VMID for its stage-2 tables";
	vm->stage2_ready = true;
	return NULL;
}

static const char *map_passthrough(struct vm *vm)
{
	for (u32 i = 0; i < vm->config->pass_count; i++) {
		const struct passthrough *p = &vm->config->pass[i];

		for (u32 r = 0; r < p->reg_count; r++) {
			u64 base = ALIGN_DOWN(p->reg[r].base, PAGE_SIZE);
			u64 end = ALIGN_UP(p->reg[r].base + p->reg[r].size, PAGE_SIZE);

			if (stage2_map(&vm->stage2, ipa(base), pa(base), end - base, STAGE2_DEVICE))
				return FAIL("nidus,passthrough: registers at 0x%lx can't be mapped",
					    p->reg[r].base);
		}
		for (u32 n = 0; n < p->intid_count; n++)
			if (vgic_assign_spi(vm, p->intid[n], p->intid[n], p->edge[n]))
				return FAIL("nidus,passthrough: interrupt %u can't be routed",
					    p->intid[n]);
	}
	return NULL;
}

static u64 mpidr_of(u32 index)
{
	/* 16 vcpus share an Aff1: as many as one SGI's target list reaches. */
	return BIT(31) | (u64)(index / 16) << 8 | index % 16;
}

static u32 vcpu_order(void)
{
	return page_order(sizeof(struct vcpu));
}

/* The online CPUs with these numbers (bits), as bits of their indices. */
static u64 cpus_numbered(u64 numbers)
{
	u64 mask = 0;

	for (u32 i = 0; i < cpu_count; i++)
		mask |= (numbers >> cpus[i].number & 1) << i;
	return mask;
}

static const char *make_vcpus(struct vm *vm)
{
	for (u32 i = 0; i < vm->config->cpus; i++) {
		u32 order = vcpu_order();
		struct vcpu *vcpu;
		u64 page = page_alloc(order);

		if (!page)
			return FAIL(
				"cpus: expected %lu KiB for vcpu %u, found %lu free in other "
				"pieces",
				PAGE_SIZE << order >> 10, i, free_kib());
		page_zero(page, PAGE_SIZE << order);
		vcpu = pa_ptr(pa(page));
		vcpu->vm = vm;
		vcpu->index = (u8)i;
		vcpu->vmpidr = mpidr_of(i);
		vcpu->affinity = cpus_numbered(vm->config->affinity[i]);
		list_init(&vcpu->rq_node);
		vtimer_reset(vcpu);
		vm->vcpus[i] = vcpu;
		vm->vcpu_count = i + 1;
		if (!vcpu->affinity)
			return FAIL("hard-affinity: none of the CPUs of vcpu %u is online", i);
		if (vm->config->nested && vel2_init(vcpu))
			return FAIL("nidus,nested: no memory for its virtual EL2: %lu KiB are free",
				    free_kib());
		if (simd_vcpu_init(vcpu))
			return FAIL("cpus: no memory for its SIMD state: %lu KiB are free",
				    free_kib());
	}
	return NULL;
}

static const char *make_devices(struct vm *vm)
{
	int err = vm->config->nested ? shadow_vm_init(vm) : 0;

	if (err == -ENOMEM)
		return FAIL(
			"nidus,nested: expected %lu KiB of free memory for its shadow tables, "
			"found %lu",
			shadow_pages_needed(vm) << (PAGE_SHIFT - 10), free_kib());
	if (err)
		return "nidus,nested: no VMIDs for its shadow tables";
	if (vgic_vm_init(vm))
		return FAIL("no memory for its interrupt controller: %lu KiB are free", free_kib());
	if (vm->config->vpl011 && vpl011_create(vm))
		return "vpl011: no memory for it";
	if (vpl031_create(vm))
		return "no memory for its clock";
	if (vm->config->firmware && (vflash_create(vm) || vfwcfg_create(vm)))
		return FAIL("nidus,firmware: expected %lu KiB for its variables, found %lu free",
			    VFLASH_SIZE >> 10, free_kib());
	return NULL;
}

/* Made once and kept: a VM that resets needs no memory for it then. */
static const char *make_fdt(struct vm *vm, struct guest_layout *gl)
{
	struct range more[VM_RAM_CHUNKS];
	u64 mpidr[MAX_VCPUS];
	int size;

	for (u32 i = 0; i < vm->vcpu_count; i++)
		mpidr[i] = vm->vcpus[i]->vmpidr & (MASK(39, 32) | MASK(23, 0));
	gl->mpidr = mpidr;
	gl->more = more;
	for (u32 i = 0; vm->config->direct_map && i < vm->ram_chunks; i++)
		if (vm->ram[i].ipa != gl->ram)
			more[gl->more_count++] = (struct range){ vm->ram[i].ipa, vm->ram[i].size };
	vm->load.fdt = page_alloc(page_order(FDT_MAX));
	if (!vm->load.fdt)
		return FAIL("no memory for its device tree: %lu KiB are free", free_kib());
	/* Debian's libfdt is compiled with SIMD. */
	simd_host_begin();
	size = guest_fdt_make(pa_ptr(pa(vm->load.fdt)), FDT_MAX, vm->config, gl, &machine);
	simd_host_end();
	if (size < 0)
		return FAIL("its device tree can't be made (libfdt error %d)", size);
	vm->load.fdt_size = (u64)size;
	return NULL;
}

/*
 * Whether kernel and ramdisk are as close, aligned to 1 GiB, as Linux requires (its arm64 boot
 * protocol).
 */
static bool is_near(const struct image *image, const struct vm_ram *r)
{
	u64 lo = MIN(image->segment[0].ipa, r->ipa), hi = MAX(image->end, r->ipa + r->size);

	return ALIGN_UP(hi, GIB(1)) - ALIGN_DOWN(lo, GIB(1)) <= GIB(32);
}

/* Below the device tree; or at the top of another piece, the largest. 0: there is no room. */
static u64 place_initrd(const struct vm *vm, const struct image *image, u64 size)
{
	u64 at = ALIGN_DOWN(vm->fdt_ipa - size, PAGE_SIZE);
	const struct vm_ram *best = NULL;

	/* The rounding counts too. */
	if (size <= vm->fdt_ipa - image->end && at >= image->end)
		return at;
	for (u32 i = 0; vm->config->direct_map && i < vm->ram_chunks; i++) {
		const struct vm_ram *r = &vm->ram[i];

		if (r->ipa != vm->layout.ram && r->size >= size && is_near(image, r) &&
		    (!best || r->size > best->size))
			best = r;
	}
	return best ? ALIGN_DOWN(best->ipa + best->size - size, PAGE_SIZE) : 0;
}

/*
 * The device tree goes to the top of RAM, the initrd below it: away from the kernel, which grows
 * up.
 */
static const char *plan_kernel(struct vm *vm, struct guest_layout *gl)
{
	const struct vm_config *c = vm->config;
	const struct vm_layout *at = &vm->layout;
	struct image *image = &vm->load.image;
	const char *error;

	error = image_plan(image, pa_ptr(pa(c->kernel.base)), c->kernel.size, at->ram,
			   at->ram_size);
	if (error)
		return FAIL("kernel: %s", error);
	vm->fdt_ipa = ALIGN_DOWN(at->ram + at->ram_size - FDT_MAX, FDT_MAX);
	if (at->ram_size > FDT_MAX && image->end <= vm->fdt_ipa)
		gl->initrd = place_initrd(vm, image, c->ramdisk.size);
	if (!gl->initrd)
		return FAIL(
			"memory: expected room for the kernel (0x%lx bytes), ramdisk (0x%lx) and "
			"device tree (0x%lx), found 0x%lx%s",
			image->end - at->ram, c->ramdisk.size, (u64)FDT_MAX, at->ram_size,
			c->direct_map ? " in the largest piece" : "");
	/* An initrd that went to another piece of RAM leaves all of this one. */
	if (!vm_place_handed(vm->load.handed, c, image->end,
			     gl->initrd > image->end ? MIN(gl->initrd, vm->fdt_ipa) : vm->fdt_ipa))
		return FAIL("chosen: expected room for %u modules above the kernel, found less "
			    "(memory: 0x%lx)",
			    c->handed_count, at->ram_size);
	vm->load.initrd = gl->initrd;
	vm->entry = image->entry;
	return NULL;
}

/* Firmware is at 0 and finds the device tree at the start of RAM, as on QEMU's virt machine. */
static const char *plan_firmware(struct vm *vm)
{
	const struct vm_layout *at = &vm->layout;
	u64 size = vm->config->kernel.size;

	if (at->ram_size < FIRMWARE_RAM_MIN)
		return FAIL("memory: expected 0x%lx bytes or more for firmware, found 0x%lx",
			    FIRMWARE_RAM_MIN, at->ram_size);
	vm->load.image = (struct image){ .kind = IMAGE_RAW,
					 .segments = 1,
					 .segment = { { .filesz = size, .memsz = size } },
					 .end = size };
	vm->entry = 0;
	vm->fdt_ipa = at->ram;
	return NULL;
}

static const char *plan_images(struct vm *vm)
{
	const struct vm_config *c = vm->config;
	const struct vm_layout *at = &vm->layout;
	struct guest_pci pci;
	struct guest_layout gl = { .ram = at->ram,
				   .ram_size = at->ram_size,
				   .gicd = at->gicd,
				   .gicr = at->gicr,
				   .its = vm->vgic.its ? at->its : 0,
				   .uart = at->uart,
				   .uart_intid = at->uart_intid,
				   .rtc = at->rtc,
				   .rtc_intid = at->rtc_intid,
				   .flash = at->flash,
				   .fw_cfg = at->fw_cfg,
				   .flash_size = at->flash ? VFLASH_SIZE : 0,
				   .initrd_size = c->ramdisk.size,
				   .handed = vm->load.handed,
				   .pci = guest_pci_of(vm, &pci) };
	const char *error = c->firmware ? plan_firmware(vm) : plan_kernel(vm, &gl);

	return error ? error : make_fdt(vm, &gl);
}

/* Firmware is built for certain addresses, and looks for files itself. */
static const char *check_firmware(const struct vm_config *c)
{
	if (c->direct_map)
		return "nidus,firmware: expected a VM without nidus,direct-map, found both: "
		       "firmware wants its RAM at 0x40000000";
	if (c->ramdisk.size || c->handed_count)
		return "nidus,firmware: expected the firmware as the only module, found more";
	if (c->kernel.size > GUEST_FLASH)
		return FAIL("nidus,firmware: expected at most 0x%lx bytes, found 0x%lx",
			    GUEST_FLASH, c->kernel.size);
	return NULL;
}

const char *vm_build(struct vm *vm)
{
	const struct vm_config *c = vm->config;
	const char *error;

	if (c->nested && !feat.nv2)
		return "nidus,nested: expected a CPU with FEAT_NV2, found none";
	if (c->deep && !feat.fgt)
		return "nidus,nested = \"deep\": expected a CPU with FEAT_FGT, found none";
	if (c->nvhe && !(feat.nv1 && feat.ecv))
		return "nidus,nested = \"nvhe\": expected a CPU with HCR_EL2.NV1 and FEAT_ECV, "
		       "found none";
	error = simd_config_check(c, message, sizeof(message));
	if (!error && c->firmware)
		error = check_firmware(c);
	if (error)
		return error;
	set_layout(vm);
	idregs_init(&vm->id_regs, c);
	vel2_bits_init(&vm->nested, &vm->id_regs);
	vm->walk_feat = walk_feat_of(&vm->id_regs);
	if ((error = vm_ram_alloc(vm)) || (error = make_stolen(vm)) || (error = vpci_claim(vm)) ||
	    (error = vsmmu_claim(vm)) || (error = vm_layout_clock(vm)) ||
	    (error = vm_layout_check(vm)) || (error = make_stage2(vm)) || (error = map_ram(vm)) ||
	    (error = make_vcpus(vm)) || (error = make_devices(vm)) ||
	    (error = map_passthrough(vm)) || (error = vpass_build(vm)) ||
	    (error = vmsi_build(vm)) || (error = vpci_build(vm)))
		return error;
	return plan_images(vm);
}

bool vm_devices_know_ram(const struct vm *vm)
{
	return vm->devices_may_write || (vm->config->direct_map && vm->config->pass_count &&
					 vm->started && !vpass_confines(vm));
}

/* The console's last lines take as long as the machine's UART does, but that may be stuck. */
static bool has_last_words(struct vm *vm)
{
	u64 now = counter_now();

	if (!vm->stopped)
		vm->stopped = now;
	return now - vm->stopped < sysreg_read(CNTFRQ_EL0) && !vpl011_drained(vm);
}

static bool release_devices(struct vm *vm)
{
	if (has_last_words(vm))
		return true;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		timer_cancel(&vm->vcpus[i]->vtimer.virt_wake);
		timer_cancel(&vm->vcpus[i]->vtimer.phys);
		simd_vcpu_destroy(vm->vcpus[i]);
	}
	vpl031_destroy(vm);
	vgic_vm_destroy(vm);
	vpl011_destroy(vm);
	vflash_destroy(vm);
	vm->mmio.count = 0;
	return false;
}

static bool release_shadows(struct vm *vm)
{
	if (vm->shadows && shadow_vm_destroy_piece(vm))
		return true;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		vncr_reset(vm->vcpus[i]);
		vel2_destroy(vm->vcpus[i]);
	}
	return false;
}

static bool release_stage2(struct vm *vm)
{
	if (vm->devices_may_write) /* an SMMU may still walk the tables, and use the VMID */
		return false;
	if (vpci_dma_destroy_piece(vm))
		return true;
	if (vm->stage2_ready && stage2_destroy_piece(&vm->stage2))
		return true;
	vm->stage2_ready = false;
	return page_pool_empty_piece(&vm->tables);
}

static bool release_ram(struct vm *vm)
{
	u64 size = 0;

	if (vm->load.fdt)
		page_free(vm->load.fdt, page_order(FDT_MAX));
	vm->load.fdt = 0;
	vpci_destroy(vm);
	if (!vm_devices_know_ram(vm)) {
		if (vm_ram_free_piece(vm))
			return true;
		if (vm->stolen_page)
			page_free(vm->stolen_page, 0);
		vm->stolen_page = 0;
		vpass_destroy(vm);
		return false;
	}
	for (; vm->ram_chunks; vm->ram_chunks--)
		size += vm->ram[vm->ram_chunks - 1].size;
	log_line("vm %s: its %lu MiB of memory stay unused: a device of its may still write there",
		 vm->config->name, size >> 20);
	vpass_destroy(vm);
	return false;
}

static bool stop_devices(struct vm *vm)
{
	vpass_stop(vm);
	return vpci_stop_piece(vm);
}

bool vm_release_piece(struct vm *vm)
{
	static bool (*const parts[])(struct vm *vm) = {
		stop_devices, release_devices, release_shadows, release_stage2, release_ram,
	};

	if (vm->released < ARRAY_SIZE(parts) && !parts[vm->released](vm))
		vm->released++;
	return vm->released < ARRAY_SIZE(parts);
}

void vm_free_vcpus(struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		page_free(ptr_pa(vm->vcpus[i]).a, vcpu_order());
}

void vm_all_gone(void)
{
	log_line("all VMs are off");
	console_sync();
	machine_off();
}
