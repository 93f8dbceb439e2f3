/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the scenarios that concern windows (windows.c). */
#pragma once

/* L2 of vcpu 0 runs with a VNCR_EL2 whose window is shut; all its windows are open, for others. */
void windows_setup(void);
void windows_setup_open(void);
/* L2 uses its page until that is unmapped; it gets another VNCR_EL2. */
void windows_use(void);
void windows_rename(void);
/* Vcpu 1 unmaps the page; it invalidates everything, without unmapping. */
void windows_invalidate(void);
void windows_invalidate_more(void);
const char *windows_wrong(void);
