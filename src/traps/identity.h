/* SPDX-License-Identifier: Apache-2.0 */
/* What a vcpu is to its guest, and in which memory it runs. */
#pragma once

struct vcpu;

/*
 * The VM's own stage 2 and the vcpu's own identity into this CPU: for all but the guest of its
 * guest hypervisor.
 */
void identity_load(struct vcpu *vcpu);
