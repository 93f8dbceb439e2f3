/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI and SMCCC calls, by the conduit that the device tree names. */
#pragma once

#include "lib/types.h"

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0xc4000001u
#define PSCI_CPU_SUSPEND32 0x84000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_CPU_ON32 0x84000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_AFFINITY_INFO32 0x84000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_RESET2 0xc4000012u
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_ARCH_WORKAROUND_1 0x80008000u
#define TRNG_VERSION 0x84000050u
#define TRNG_FEATURES 0x84000051u
#define TRNG_GET_UUID 0x84000052u
#define TRNG_RND32 0x84000053u
#define TRNG_RND64 0xc4000053u

enum {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_ON_PENDING = -5,
	PSCI_INVALID_ADDRESS = -9,
};

struct smccc {
	u64 x[18]; /* x0-x17: arguments before, results after */
};

/* Make one call with x0-x17 from *r, which gets the results. */
void smccc_hvc(struct smccc *r);
void smccc_smc(struct smccc *r);
/* Call by the conduit in the device tree; returns x0. */
s64 psci_call(u32 fn, u64 a, u64 b, u64 c);
noreturn void psci_system_off(void);
