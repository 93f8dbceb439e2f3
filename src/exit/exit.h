/* SPDX-License-Identifier: Apache-2.0 */
/* What a synchronous exit means. */
#pragma once

#include "state/exit.h"

/*
 * Decide what a synchronous exit means and handle it. Called by run.c only, with the exit's
 * snapshot; sets *class for the accounting.
 */
enum verdict exit_dispatch(struct vcpu *vcpu, const struct exit *exit, enum exit_class *class);
