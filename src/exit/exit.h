/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch of synchronous exits. */
#pragma once

#include "state/exit.h"

/*
 * By exception class. vectors.S looks the fast path up itself, before anything is saved for C; all
 * else is exit_dispatch()'s.
 */
extern const struct exit_row exit_table[64];
/* The accounting class of an exit with this syndrome. */
enum exit_class exit_class(u64 esr);

/*
 * Handle a synchronous exit: look up its class, call the handler. Called by run.c only, with the
 * exit's snapshot; sets *class for the accounting.
 */
enum verdict exit_dispatch(struct vcpu *vcpu, const struct exit *exit, enum exit_class *class);
