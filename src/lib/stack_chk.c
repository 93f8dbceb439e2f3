/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack protector's two symbols: nidus's own code is built without it, Debian's libfdt with it.
 */
#include "lib/check.h"

extern const u64 __stack_chk_guard;
noreturn void __stack_chk_fail(void);

const u64 __stack_chk_guard = 0x6e69647573ff0a00; /* a NUL, a newline: hard to write by a string */

noreturn void __stack_chk_fail(void)
{
	panic("stack smashed in libfdt");
}
