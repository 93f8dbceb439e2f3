/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worlds that the deep explorer goes through; lengths in segments, of V, W and B. Each has only
 * some of the possible differences: all of them at once would be too many states.
 */
#pragma once

#include "machine.h"

/* Small ones first: they show most faults. */
static const struct setup setups[] = {
	{ .name = "V, W: neither SVE nor SME, l1: SVE 256", .vl1 = 2, .cptrs = 3, .two = true },
	{ .name = "V: SVE 256 SME 512, l1: SVE 256 SME 512, without FA64; nothing changes lengths",
	  .vl = { 2, 0, 0 },
	  .svl = { 3, 0, 0 },
	  .vl1 = 2,
	  .svl1 = 3,
	  .cptrs = 1,
	  .sme2 = true },
	{ .name = "V: SVE 512, l1: SVE 512, B: SVE 256; L2 and L3 change lengths, registers keep what is above them",
	  .vl = { 3, 0, 2 },
	  .vl1 = 3,
	  .cptrs = 1,
	  .len2 = true,
	  .len3 = true },
	{ .name = "V: SVE 256, l1: SVE 512; L2 changes lengths and CPTR_EL2",
	  .vl = { 2, 0, 0 },
	  .vl1 = 3,
	  .cptrs = 2,
	  .len2 = true,
	  .narrow = true,
	  .tcpac = true },
	{ .name = "V: SVE 512, W: SVE 256, l1: SVE 512; L2 changes CPTR_EL2",
	  .vl = { 3, 2, 0 },
	  .vl1 = 3,
	  .cptrs = 2,
	  .narrow = true,
	  .two = true },
	{ .name = "V: SVE 256 SME 256, l1: SVE 256 SME 512; L2 changes SMCR_EL2",
	  .vl = { 2, 0, 0 },
	  .svl = { 2, 0, 0 },
	  .vl1 = 2,
	  .svl1 = 3,
	  .cptrs = 1,
	  .smcr = true,
	  .narrow = true,
	  .fa64 = true,
	  .sme2 = true,
	  .tcpac = true },
	{ .name = "V: SVE 256 SME 256, l1: SVE 512 SME 256; L2 changes CPTR_EL2",
	  .vl = { 2, 0, 0 },
	  .svl = { 2, 0, 0 },
	  .vl1 = 3,
	  .svl1 = 2,
	  .cptrs = 2,
	  .narrow = true,
	  .fa64 = true,
	  .tcpac = true },
	{ .name = "V, l1: neither SVE nor SME; L2 changes CPTR_EL2 and another trap",
	  .cptrs = 2,
	  .tcpac = true,
	  .words = true },
};
