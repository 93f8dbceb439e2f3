/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's devices on the bus of the machine, confined by an SMMU. */
#include "vm/vpass.h"

#include <libfdt.h>

#include "dev/smmu.h"
#include "lib/log.h"
#include "mm/page.h"
#include "state/vm.h"

#define STREAMS_MAX (VM_PASSTHROUGH_MAX * PASS_STREAMS_MAX)

struct vpass {
	struct smmu_stream stream[STREAMS_MAX];
	u32 count;
	bool loose; /* there is a device that is not confined */
};

static char message[192];

#define FAIL(...)                                                                                  \
	({                                                                                         \
		snprintf(message, sizeof(message), __VA_ARGS__);                                   \
		(const char *)message;                                                             \
	})

static const char *name_of(const struct passthrough *p)
{
	const char *name = fdt_get_name(machine.fdt, p->node, NULL);

	return name ? name : "?";
}

/* Whether the VM has a stream already: two of its devices may share one. */
static bool has(const struct vpass *v, const struct smmu *s, u32 sid)
{
	for (u32 i = 0; i < v->count; i++)
		if (v->stream[i].smmu == s && v->stream[i].sid == sid)
			return true;
	return false;
}

static const char *take(struct vm *vm, const struct passthrough *p, struct smmu *s, u32 sid)
{
	struct smmu_stream *stream = &vm->pass->stream[vm->pass->count];
	const char *why = smmu_stage2_check(s, &vm->stage2);

	if (has(vm->pass, s, sid))
		return NULL;
	*stream = (struct smmu_stream){ .smmu = s, .sid = sid, .device = name_of(p) };
	if (!why)
		why = smmu_stream_init(stream);
	if (why)
		return FAIL("nidus,passthrough: expected a device that its SMMU can confine, found "
			    "%s: %s",
			    stream->device, why);
	vm->pass->count++;
	return NULL;
}

/* The streams of a device; without an SMMU that is up it must be known to need none. */
static const char *take_all(struct vm *vm, const struct passthrough *p)
{
	const char *why = NULL;

	for (u32 i = 0; i < p->stream_count && !why; i++) {
		struct smmu *s = smmu_at(p->stream[i].smmu);

		if (s)
			why = take(vm, p, s, p->stream[i].sid);
		else if (vm->config->direct_map)
			vm->pass->loose = true;
		else
			why = FAIL("nidus,passthrough: expected direct-map, or an SMMU that nidus "
				   "can use, with a device that masters memory, found %s",
				   name_of(p));
	}
	if (!p->stream_count)
		vm->pass->loose = true;
	return why;
}

const char *vpass_build(struct vm *vm)
{
	const struct vm_config *c = vm->config;
	const char *why = NULL;
	u64 page;

	if (!c->pass_count)
		return NULL;
	page = page_alloc(page_order(sizeof(struct vpass)));
	if (!page)
		return "nidus,passthrough: no memory for its devices";
	page_zero(page, PAGE_SIZE << page_order(sizeof(struct vpass)));
	vm->pass = pa_ptr(pa(page));
	for (u32 i = 0; i < c->pass_count && !why; i++)
		why = take_all(vm, &c->pass[i]);
	return why;
}

bool vpass_start(struct vm *vm)
{
	for (u32 i = 0; vm->pass && i < vm->pass->count; i++)
		if (!smmu_attach(&vm->pass->stream[i], &vm->stage2, vm->config->name))
			return false;
	return true;
}

void vpass_stop(struct vm *vm)
{
	for (u32 i = 0; vm->pass && i < vm->pass->count; i++) {
		struct smmu_stream *stream = &vm->pass->stream[i];

		if (!smmu_detach(stream))
			vm->devices_may_write = true;
		if (stream->faults)
			log_line("vm %s: %s: %u%s accesses of it were blocked", vm->config->name,
				 stream->device, stream->faults, stream->quiet ? " or more" : "");
		stream->faults = 0;
	}
}

bool vpass_confines(const struct vm *vm)
{
	return vm->pass && !vm->pass->loose;
}

void vpass_destroy(struct vm *vm)
{
	if (!vm->pass)
		return;
	for (u32 i = 0; i < vm->pass->count; i++)
		smmu_stream_done(&vm->pass->stream[i]);
	/* One that is still attached stays on its SMMU's list. */
	if (!vm->devices_may_write)
		page_free(ptr_pa(vm->pass).a, page_order(sizeof(struct vpass)));
	vm->pass = NULL;
}
