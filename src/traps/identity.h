/* SPDX-License-Identifier: Apache-2.0 */
/* A vcpu's identity registers and its VM's stage 2. */
#pragma once

struct vcpu;

/*
 * Load the VM's own stage 2 and the vcpu's own identity into this CPU: for all contexts but vEL1.
 */
void identity_load(struct vcpu *vcpu);
