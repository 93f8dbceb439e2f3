/* SPDX-License-Identifier: Apache-2.0 */
/* A known state for EL2. */
#pragma once

/*
 * Put every control register of EL2 that no other part of nidus owns into the state that it goes
 * by: nothing of what only firmware or newer software uses is on. Each CPU for itself, before its
 * first guest; after it comes no other writer.
 */
void el2_boot(void);
