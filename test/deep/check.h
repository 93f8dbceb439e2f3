/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in every state of the deep model. Violations leave by model_fail(). */
#pragma once

/* Of all: who runs (now), and what each nidus says of itself. */
void world_check(void);
/* Of who runs: all that it can read. */
void check_guest(void);
