/* SPDX-License-Identifier: Apache-2.0 */
/* libfdt's headers include this in the freestanding build (-isystem) and need nothing from it. */
#pragma once

#include <stddef.h>
