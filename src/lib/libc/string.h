/* SPDX-License-Identifier: Apache-2.0 */
/* What libfdt's headers need of the C library in the freestanding build (-isystem). */
#pragma once

#include "lib/string.h"
