/* SPDX-License-Identifier: Apache-2.0 */
/* What a synchronous exit means. */
#pragma once

#include "state/exit.h"

/* vectors.S: the fast path of a synchronous exit of a class (exit/fast.h), if there is one. */
extern exit_fast_fn *const exit_fast[64];
/* As what an exit with this syndrome is accounted. */
enum exit_class exit_class(u64 esr);

/*
 * Decide what a synchronous exit means and handle it. Called by run.c only, with the exit's
 * snapshot; sets *class for the accounting.
 */
enum verdict exit_dispatch(struct vcpu *vcpu, const struct exit *exit, enum exit_class *class);
