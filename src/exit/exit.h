/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch of synchronous exits. */
#pragma once

#include "state/exit.h"

/*
 * vectors.S: the fast path of a synchronous exit of a class (exit/fast.h), if there is one; [1]
 * while vEL2 runs.
 */
extern exit_fast_fn *const exit_fast[64][2];
/* The accounting class of an exit with this syndrome. */
enum exit_class exit_class(u64 esr);

/*
 * Handle a synchronous exit: look up its class, call the handler. Called by run.c only, with the
 * exit's snapshot; sets *class for the accounting.
 */
enum verdict exit_dispatch(struct vcpu *vcpu, const struct exit *exit, enum exit_class *class);
