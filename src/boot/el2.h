/* SPDX-License-Identifier: Apache-2.0 */
/* A known state for EL2. */
#pragma once

/*
 * Set every control register of EL2 that no other part of nidus owns: nothing that only firmware or
 * newer software uses is on. Each CPU for itself, before its first guest; nothing writes them
 * later.
 */
void el2_boot(void);
