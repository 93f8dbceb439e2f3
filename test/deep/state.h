/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state of the deep model: all memory of both nidus, of the machine and of the model that ever
 * differs, word by word.
 */
#pragma once

#include "lib/types.h"

#define LIVE_MAX 512 /* words that differ */

struct state {
	u8 value[LIVE_MAX];
};

/* How many words have differed so far: the first so many of a state count. */
extern u32 live_count;

/* What memory there is, as it is now; nothing of it has differed. */
void states_begin(void);
/* Note what is, and put it back. A violation if more differs than there is room for. */
void state_pack(struct state *s);
void state_unpack(const struct state *s);
/* Replace what nobody may rely on any more by junk or zeroes. */
void state_forget(void);
