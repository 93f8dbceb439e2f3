/* SPDX-License-Identifier: Apache-2.0 */
/* Lines about what the hardware reports of its own: SError interrupts, external aborts, records. */
#include "exit/hwerror.h"

#include "arch/barrier.h"
#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/ras.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"

bool hwerror_use_records;
static u32 of_no_vm; /* atomic: as vm->hw_errors, of what no VM's accesses have caused */

/* Count one more; 0: no line of it, as one in 2^n is enough. Else how many there were. */
static u32 count(u32 *counter)
{
	u32 n = __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);

	return n & (n - 1) ? 0 : n;
}

/* ---- error records: RAS system architecture, ERR<n>STATUS ---- */

static const char *record_kind(u64 status)
{
	if (status & ERR_STATUS_UE)
		return "uncorrected";
	if (status & ERR_STATUS_DE)
		return "deferred";
	return status & ERR_STATUS_CE ? "corrected" : "no error";
}

static void record_report(u32 n, u64 status)
{
	char address[32] = "", misc[32] = "";

	if (status & ERR_STATUS_AV)
		snprintf(address, sizeof(address), ", address 0x%lx", sysreg_read(ERXADDR_EL1));
	if (status & ERR_STATUS_MV)
		snprintf(misc, sizeof(misc), ", misc 0x%lx", sysreg_read(ERXMISC0_EL1));
	log_line("cpu %u: error record %u: %s%s, status 0x%lx%s%s", cpu_this()->index, n,
		 record_kind(status), status & ERR_STATUS_OF ? ", others lost" : "", status,
		 address, misc);
}

void hwerror_records(void)
{
	u32 records;

	if (!feat.ras || !hwerror_use_records)
		return;
	records = (u32)ERRIDR_NUM(sysreg_read(ERRIDR_EL1));
	for (u32 n = 0; n < records; n++) {
		u64 status;

		sysreg_write(ERRSELR_EL1, n);
		isb();
		status = sysreg_read(ERXSTATUS_EL1);
		if (!(status & ERR_STATUS_V))
			continue;
		record_report(n, status);
		/* The flags are cleared by writing ones to those that were read as one. */
		sysreg_write(ERXSTATUS_EL1, status);
	}
}

/* ---- SError interrupts ---- */

/* The state of the PE: AET, if DFSC says that it is an error of FEAT_RAS. */
static const char *severity(u64 syndrome)
{
	static const char *const aet[8] = {
		[SERROR_AET_UC] = "uncontainable", [SERROR_AET_UEU] = "unrecoverable",
		[SERROR_AET_UEO] = "restartable",  [SERROR_AET_UER] = "recoverable",
		[SERROR_AET_CE] = "corrected",
	};

	if (syndrome & SERROR_IDS)
		return "implementation defined";
	if (!feat.ras || SERROR_DFSC(syndrome) != SERROR_DFSC_ASYNC)
		return "uncategorized";
	return aet[SERROR_AET(syndrome)] ?: "of a reserved type";
}

static bool survivable(u64 syndrome)
{
	u64 aet = SERROR_AET(syndrome);

	return feat.ras && !(syndrome & SERROR_IDS) && SERROR_DFSC(syndrome) == SERROR_DFSC_ASYNC &&
	       (aet == SERROR_AET_CE || aet == SERROR_AET_UEO);
}

bool hwerror_serror(struct vcpu *vcpu, u64 syndrome)
{
	bool goes_on = survivable(syndrome);
	u32 n = count(vcpu ? &vcpu->vm->hw_errors : &of_no_vm);

	syndrome &= SERROR_ISS;
	if (n && vcpu)
		log_line("cpu %u: SError interrupt, %s, syndrome 0x%lx, while vcpu %u of vm %s ran "
			 "(error %u of it); %s",
			 cpu_this()->index, severity(syndrome), syndrome, vcpu->index,
			 vcpu->vm->config->name, n, goes_on ? "it goes on" : "it is stopped");
	else if (n)
		log_line("cpu %u: SError interrupt, %s, syndrome 0x%lx, of no VM (error %u)",
			 cpu_this()->index, severity(syndrome), syndrome, n);
	if (n)
		hwerror_records();
	return goes_on;
}

/* ---- synchronous external aborts ---- */

void hwerror_abort(struct vcpu *vcpu, const struct exit *exit)
{
	u64 ec = ESR_EC(exit->esr);
	u32 n;

	if ((ec != EC_IABT_LOW && ec != EC_DABT_LOW) || !ESR_FSC_EXTERNAL(ABT_FSC(exit->esr)))
		return;
	n = count(&vcpu->vm->hw_errors);
	if (!n)
		return;
	log_line("cpu %u: external abort, ESR_EL2 0x%lx, ELR_EL2 0x%lx, FAR_EL2 0x%lx, "
		 "of vcpu %u of vm %s (error %u of it); it gets the exception",
		 cpu_this()->index, exit->esr, exit->elr, exit->far, vcpu->index,
		 vcpu->vm->config->name, n);
	hwerror_records();
}
