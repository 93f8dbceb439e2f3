/* SPDX-License-Identifier: Apache-2.0 */
/* What libfdt's headers ask of the C library, for the freestanding build (-isystem). */
#pragma once

#include "lib/string.h"
