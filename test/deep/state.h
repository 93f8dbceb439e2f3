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

/* How many words have differed so far: a state consists of the first this many. */
extern u32 live_count;

/* Record all memory as it is now; no word has differed yet. */
void states_begin(void);
/* Save the state, and restore it. A violation if more words differ than there is room for. */
void state_pack(struct state *s);
void state_unpack(const struct state *s);
/* Replace what nobody may rely on any more by junk or zeroes. */
void state_forget(void);
