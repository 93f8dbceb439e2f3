/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a vcpu's SIMD state: allocated, reset, freed. */
#include "mm/addr.h"
#include "mm/page.h"
#include "simd/simd.h"
#include "simd/simd_state.h"
#include "state/vcpu.h"
#include "state/vm.h"

static u64 home_size(const struct simd_vcpu *s)
{
	return ALIGN_UP(simd_state_size(s->vl, s->svl), 64UL);
}

/* At most 5: 2048-bit ZA alone is 64 KiB. */
static u32 home_order(const struct simd_vcpu *s)
{
	return page_order(home_size(s));
}

void simd_state_reset(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;

	if (s->state)
		page_zero(ptr_pa(s->state).a, home_size(s));
}

int simd_vcpu_init(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;
	u64 page;

	*s = (struct simd_vcpu){
		.vl = simd_config_vl(vcpu->vm->config),
		.svl = simd_config_svl(vcpu->vm->config),
	};
	s->zcr = simd_zcr(s->vl);
	s->smcr = simd_smcr(s->svl);
	s->cptr = simd_cptr_granted(s);
	s->levels_same = !s->vl && !s->svl && !vcpu->vm->config->simd_switch;
	page = page_alloc(home_order(s));
	if (!page)
		return -ENOMEM;
	s->state = pa_ptr(pa(page));
	simd_state_reset(vcpu);
	return 0;
}

void simd_state_free(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;

	if (!s->state)
		return;
	page_free(ptr_pa(s->state).a, home_order(s));
	s->state = NULL;
}
