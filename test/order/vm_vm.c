/* SPDX-License-Identifier: Apache-2.0 */
/* As state/vm.c has the name of vm/vm.c, and objects have no directories. */
#include "../../src/vm/vm.c"
