/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of the SMC Calling Convention (DEN0028) and of paravirtualised time (DEN0057). */
#pragma once

#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define PV_TIME_FEATURES 0xc5000020u
#define PV_TIME_ST 0xc5000021u

#define SMCCC_VERSION_1_1 0x10001
#define SMCCC_NOT_SUPPORTED (-1L)
#define SMCCC_INVALID_PARAMETER (-3L)
