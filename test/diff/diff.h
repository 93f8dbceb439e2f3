/* SPDX-License-Identifier: Apache-2.0 */
/* The differential tester's host tool. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long u64;

enum who { BARE, NIDUS };
extern const char *const who_name[2];

struct options {
	u64 seed, count, first;
	unsigned patience; /* seconds without a new line after which a guest counts as lost */
	bool one;          /* stop at the first fault */
	const char *out;   /* where consoles go */
	const char *rules, *boot;
	char *here;
};
extern struct options opt;

/* A growing string. */
struct text {
	char *s;
	size_t len, room;
};
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);

/* ---- boot.c ---- */
/* Run the guest with this list of programs; returns its console. True if it came to its end. */
bool boot(enum who who, const char *lane, const struct text *list, struct text *out);

/* ---- rules.c ---- */
/* Regular expressions and the reason for each (diff.rules); a rule without a reason is an error. */
void rules_read(const char *path);
/* Whether a rule explains that a step printed these two results. head: what the step does. */
bool rules_explain(const char *lane, const char *past, const char *head, const char *bare,
		   const char *nidus);
/* How often each rule applied. */
void rules_report(void);

/* ---- reduce.c ---- */
#define STEPS_MAX 32

/* A program that differs, and the steps still needed for that. */
struct reduction {
	u64 number;
	unsigned mask;
	bool same; /* nothing differs that no rule explains */
	char *line[2][STEPS_MAX]; /* what each step printed, by its number; NULL: nothing */
	int first; /* step that differs */
};

/* Run the programs in full: fills in line, first, same, and mask with the steps that exist. */
void reduce_first(const char *lane, struct reduction *r, unsigned count);
/* Make each as short as possible. */
void reduce(const char *lane, struct reduction *r, unsigned count);

/* ---- report.c ---- */
/* Record a reduced difference; those of one kind are counted together. */
void report(const char *lane, const struct reduction *r);
/* Print all. */
void report_all(void);
