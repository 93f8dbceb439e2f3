/* SPDX-License-Identifier: Apache-2.0 */
/* The scenarios' parts that are about vcpus turned on and off, their VM's end, idle CPUs (life.c). */
#pragma once

/* Vcpu 0 turns off, vcpu 1 runs; vcpu 0 turns vcpu 1 on. */
void life_setup_off(void);
void life_setup_on(void);
/* Vcpu 0 runs on CPU 0; vcpu 1, which may run on CPU 1 as well, sleeps and was last on CPU 0. */
void life_setup_shared(void);
/* Vcpu 1 stops the VM, and leaves; a CPU without a vcpu stops it. */
void life_stop(void);
void life_stop_other(void);
/* An SGI for vcpu 1. */
void life_wake(void);

const char *life_wrong_end(void);
const char *life_wrong_woken(void);
