/* SPDX-License-Identifier: Apache-2.0 */
/* SErrors' syndromes (ISS encoding for an SError exception; DISR_EL1), FEAT_RAS's error records. */
#pragma once

#include "lib/types.h"

/* In ESR_ELx and DISR_EL1 alike; AET only if DFSC is that of an asynchronous SError. */
#define SERROR_ISS MASK(24, 0)
#define SERROR_IDS BIT(24) /* the rest is IMPLEMENTATION DEFINED */
#define SERROR_AET(iss) FIELD(iss, 12, 10)
#define SERROR_AET_UC 0U
#define SERROR_AET_UEU 1U
#define SERROR_AET_UEO 2U
#define SERROR_AET_UER 3U
#define SERROR_AET_CE 6U
#define SERROR_DFSC(iss) FIELD(iss, 5, 0)
#define SERROR_DFSC_ASYNC 0x11U

#define ERRIDR_NUM(v) FIELD(v, 15, 0)

#define ERR_STATUS_AV BIT(31)
#define ERR_STATUS_V BIT(30)
#define ERR_STATUS_UE BIT(29)
#define ERR_STATUS_OF BIT(27)
#define ERR_STATUS_MV BIT(26)
#define ERR_STATUS_CE MASK(25, 24)
#define ERR_STATUS_DE BIT(23)
