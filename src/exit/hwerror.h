/* SPDX-License-Identifier: Apache-2.0 */
/* Lines about what the hardware reports of its own: SError interrupts, external aborts, records. */
#pragma once

#include "lib/types.h"

struct exit;
struct vcpu;

/*
 * Report an SError interrupt that this CPU took or found pending, and its error records. syndrome:
 * as in ESR_EL2 or DISR_EL1, which have the same fields. vcpu: whose accesses are the likeliest
 * cause, NULL if none was loaded. Returns whether it can go on: the error was corrected, or nothing
 * has consumed it yet (FEAT_RAS, ISS encoding for an SError exception). Of each VM the first line
 * is printed, the second, the fourth and so on, as a guest may cause many.
 */
bool hwerror_serror(struct vcpu *vcpu, u64 syndrome);

/*
 * Report an abort of the vcpu if the memory system made it (external abort, parity or ECC error,
 * on a walk or not), and the error records. The caller gives the guest its exception in any case.
 */
void hwerror_abort(struct vcpu *vcpu, const struct exit *exit);

/*
 * ras=records: the CPUs' error records are read. Firmware may keep them for itself (SCR_EL3.TERR),
 * and an access may then be the end of the machine, so only if its user says that it does not.
 */
extern bool hwerror_use_records;

/*
 * If they are read: report what this CPU's error records hold, and clear them. Called after each
 * reported error, and when a CPU starts, for what is from before.
 */
void hwerror_records(void);
