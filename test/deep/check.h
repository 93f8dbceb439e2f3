/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in every state of the deep model. Violations leave by model_fail(). */
#pragma once

/* Checks that do not depend on who runs: `now`, and what each nidus records of itself. */
void world_check(void);
/* Checks of the guest that runs: all that it can read. */
void check_guest(void);
