/* SPDX-License-Identifier: Apache-2.0 */
/* Messages (MSI, MSI-X) of a VM's PCI functions. */
#pragma once

struct vm;

/*
 * Give the VM an ITS, if it is to have one or has functions with messages. After its interrupt
 * controller, before vpci_build(). NULL, or why not.
 */
const char *vmsi_build(struct vm *vm);
