/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface by which firmware of QEMU's virt machine asks for what it is to do (fw_cfg, QEMU's
 * docs/specs/fw_cfg.rst; without DMA): it says that there is nothing. EDK2 can't do without it, and
 * goes on as on a machine of its own: by device tree, from the first disk that starts.
 */
#pragma once

#include "exit/mmio.h"
#include "lib/types.h"

struct vm;

#define VFWCFG_SIZE 0x10

/* Put it at vm->layout.fw_cfg in vm->mmio; the error is mmio_add()'s. */
int vfwcfg_create(struct vm *vm) must_check;

/* An mmio_fn: dev is the vm. */
bool vfwcfg_mmio(struct vcpu *vcpu, void *dev, struct mmio *m);
