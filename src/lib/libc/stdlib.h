/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libfdt's headers ask of the C library, for the freestanding build (-isystem): nothing of it.
 */
#pragma once

#include <stddef.h>
