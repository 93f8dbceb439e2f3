/* SPDX-License-Identifier: Apache-2.0 */
/* Sets EL2's remaining control registers. */
#pragma once

/*
 * Set every control register of EL2 that no other part of nidus owns, so that nothing is on that
 * only firmware or newer software uses. On each CPU, before its first guest; nothing writes them
 * later.
 */
void el2_boot(void);
