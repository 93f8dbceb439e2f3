/* SPDX-License-Identifier: Apache-2.0 */
/* What a hypervisor below nidus offers it, if nidus is a guest itself. */
#pragma once

struct cpu;

/*
 * Find out where this CPU, which is cpu, is told its stolen time, for cpu->stolen_from: nowhere, if
 * there is no hypervisor below, or it tells none. All RAM and the boot CPU's structure are mapped.
 */
void below_find_stolen(struct cpu *cpu);
