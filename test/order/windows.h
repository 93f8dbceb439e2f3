/* SPDX-License-Identifier: Apache-2.0 */
/* The scenarios' parts that are about windows (windows.c). */
#pragma once

/* L2 of vcpu 0 runs by a VNCR_EL2 whose window is shut; all its windows are open, by others. */
void windows_setup(void);
void windows_setup_open(void);
/* It uses its page until that is gone; it gets another VNCR_EL2. */
void windows_use(void);
void windows_rename(void);
/* Vcpu 1 takes the page away; it invalidates all, and takes nothing away. */
void windows_invalidate(void);
void windows_invalidate_more(void);
const char *windows_wrong(void);
