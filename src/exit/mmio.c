/* SPDX-License-Identifier: Apache-2.0 */
/* An access of a guest to an emulated device, or to memory beside one. */
#include "exit/mmio.h"

#include "arch/pstate.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "state/vm.h"

/* Whether data accesses are big-endian now (pseudocode: BigEndian). */
static bool big_endian(const struct vcpu *vcpu)
{
	if (vcpu->pstate & PSTATE_AARCH32)
		return vcpu->pstate & PSTATE_A32_E;
	return sysreg_read(SCTLR_EL12) & (PSTATE_EL(vcpu->pstate) ? SCTLR_EE : SCTLR_E0E);
}

/*
 * Have the device at r handle the access; its registers are little-endian, whatever the guest is.
 */
static bool region_access(struct vcpu *vcpu, const struct mmio_region *r, struct mmio *m)
{
	u32 unused = 64 - 8 * m->size;
	bool ok;

	if (likely(!big_endian(vcpu)))
		return r->fn(vcpu, r->dev, m);
	if (m->write)
		m->data = __builtin_bswap64(m->data << unused);
	ok = r->fn(vcpu, r->dev, m);
	if (!m->write)
		m->data = __builtin_bswap64(m->data << unused);
	return ok;
}

bool mmio_access(struct vcpu *vcpu, ipa_t at, struct mmio *m)
{
	const struct mmio_bus *bus = &vcpu->vm->mmio;

	for (u32 i = 0; i < bus->count; i++) {
		const struct mmio_region *r = &bus->region[i];

		m->offset = at.a - r->base;
		if (m->offset < r->size && r->size - m->offset >= m->size)
			return region_access(vcpu, r, m);
	}
	return false;
}

static bool ram_access(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	ipa_t at = ipa(m->offset);

	(void)dev;
	return m->write ? !vm_write(vcpu->vm, at, &m->data, m->size)
			: !vm_read(vcpu->vm, at, &m->data, m->size);
}

bool mmio_ram_access(struct vcpu *vcpu, ipa_t at, struct mmio *m)
{
	static const struct mmio_region all = { .size = ~0UL, .fn = ram_access };

	m->offset = at.a;
	return region_access(vcpu, &all, m);
}
