/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before everything by the Makefile when nidus itself is built: it is one image, so no
 * symbol of it needs the global offset table that position-independent code would go through.
 */
#pragma once
#pragma GCC visibility push(hidden)
