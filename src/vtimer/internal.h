/* SPDX-License-Identifier: Apache-2.0 */
/* CNT<x>_CTL's bits, for the files of src/vtimer. */
#pragma once

#include "lib/types.h"

#define CTL_ENABLE 1UL
#define CTL_IMASK 2UL
#define CTL_ISTATUS 4UL
/* Its line is high; ctl with ISTATUS. */
#define CTL_HIGH(ctl) (((ctl) & (CTL_ENABLE | CTL_IMASK | CTL_ISTATUS)) == (CTL_ENABLE | CTL_ISTATUS))
#define CTL_FIRES(ctl) (((ctl) & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE)
