/* SPDX-License-Identifier: Apache-2.0 */
/* The scenarios' parts that are about the virtual GIC (gic.c). */
#pragma once

/* Both vcpus run. */
void gic_setup(void);
/* Vcpu 0 is about to choose anew all that its list registers hold. */
void gic_setup_full(void);
/* An SPI is pending for vcpu 0, which has it in a list register. */
void gic_setup_placed(void);
/* SPIs go to whoever is fit for them. */
void gic_setup_any(void);
/* Vcpu 0 is a hypervisor, whose guest runs. */
void gic_setup_l2(void);
/* Vcpu 0 falls asleep; vcpu 1 runs. */
void gic_setup_sleeps(void);
/* Vcpu 0 is loaded nowhere. */
void gic_setup_away(void);

/* A device, on a CPU of its own: an edge of its SPI; a line of vcpu 0's. */
void gic_spi(void);
void gic_ppi(void);
/* Vcpu 1: sends an SGI to vcpu 0. */
void gic_sgi(void);
/* ... makes two SPIs pending, and one of them not. */
void gic_two(void);
/* ... makes the SPI pending, and gives it another priority. */
void gic_urgent(void);
/* ... routes the SPI to itself. */
void gic_route(void);
/* ... disables the SPI; and the distributor. */
void gic_disable(void);
void gic_close(void);
/* ... makes an SGI pending at vcpu 0's redistributor. */
void gic_pend_private(void);
/* Vcpu 0: turns off; has its group off; is loaded. */
void gic_off(void);
void gic_group_off(void);
void gic_load(void);

const char *gic_wrong_sgi(void);
const char *gic_wrong_ppi(void);
const char *gic_wrong_spi(void);
const char *gic_wrong_two(void);
const char *gic_wrong_once(void);
const char *gic_wrong_closed(void);
const char *gic_wrong_l1(void);
const char *gic_wrong_private(void);
