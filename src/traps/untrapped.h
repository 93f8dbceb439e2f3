/* SPDX-License-Identifier: Apache-2.0 */
/* "What has vEL2 changed without a trap?": untrapped.def's rows, and when they are checked. */
#pragma once

#include "state/vel2_regs.h"
#include "traps/debug.h"
#include "traps/vel2.h"
#include "vgic/nested.h"
#include "vtimer/nested.h"

/* When a row is checked; vEL2 ran until then. Loaded. */
enum untrapped_when {
	UNTRAPPED_EXIT = 1,   /* an exit on the slow path */
	UNTRAPPED_STAY = 2,   /* the same, after which vEL2 runs on: not before an ERET to vEL1 */
	UNTRAPPED_SYS = 4,    /* the fast path of a trapped register */
	UNTRAPPED_ERET = 8,   /* that of an ERET to vEL1 */
	UNTRAPPED_IRQ = 16,   /* that of an interrupt, which checks whether all rows are quiet */
	UNTRAPPED_ENTRY = 32, /* an ERET to vEL1 that finds vEL2's words changed */
	/* an ERET to vEL2 or its host EL0, after UNTRAPPED_ERET: whether all rows are quiet */
	UNTRAPPED_WITHIN = 64,
};

static inline void untrapped_later(struct vcpu *vcpu)
{
	(void)vcpu;
}

/* Handle the changes that vEL2 has made, of the rows that are checked now. */
static inline __attribute__((always_inline)) void untrapped_check(struct vcpu *vcpu,
								  enum untrapped_when now)
{
#define UNTRAPPED(quiet, act, when, local)                                                         \
	if ((now & (when)) && unlikely(!quiet(vcpu)))                                              \
		act(vcpu);
#include "traps/untrapped.def"
}

/* Whether it has changed none of them. */
static inline __attribute__((always_inline)) bool untrapped_quiet(const struct vcpu *vcpu,
								  enum untrapped_when now)
{
#define UNTRAPPED(quiet, act, when, local)                                                         \
	if ((now & (when)) && unlikely(!quiet(vcpu)))                                              \
		return false;
#include "traps/untrapped.def"
	return true;
}

/* vcpu->host_erets: it has a host EL0, and no FLAG of the last column, which never change. */
static inline bool untrapped_host_erets(const struct vcpu *vcpu)
{
#define LOCAL_NONE true
#define LOCAL_TARGET true
#define LOCAL_FLAG(field) false
#define LOCAL_BIT_SET(word, bit) true
#define LOCAL_WORD(word, field) true
#define LOCAL_REGISTER(reg, field) true
#define UNTRAPPED(quiet, act, when, local)                                                         \
	if (!(LOCAL_##local || quiet(vcpu)))                                                       \
		return false;
#include "traps/untrapped.def"
#undef LOCAL_NONE
#undef LOCAL_TARGET
#undef LOCAL_FLAG
#undef LOCAL_BIT_SET
#undef LOCAL_WORD
#undef LOCAL_REGISTER
	return vel2_has_host(vcpu);
}
