/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's own account. No argument names another VM, so none can be read. */
#include "exit/account_call.h"

#include "arch/smccc.h"
#include "lib/string.h"
#include "state/account.h"
#include "state/vm.h"

#define CALL_UID 0x8600ff01u
#define CALL_REVISION 0x8600ff03u
#define CALL_EXITS 0xc6000000u
#define CALL_NAME 0xc6000001u
#define CALL_TIME 0xc6000002u

#define REVISION 1 /* of these calls */
#define ALL_VCPUS ~0UL
#define CLASSES (2 * EXIT_CLASS_COUNT)

/* Whether the index names one of the VM's vcpus, or all. */
static bool has_vcpu(const struct vm *vm, u64 index)
{
	return index < vm->vcpu_count || index == ALL_VCPUS;
}

static bool is_meant(u64 index, u32 vcpu)
{
	return index == vcpu || index == ALL_VCPUS;
}

/*
 * x1: class, a nested guest's after the VM's own; x2: vcpu. To x1, x2: exits, and ticks in nidus.
 */
static s64 exits(struct vcpu *vcpu)
{
	u64 class = vcpu->gpr[1], index = vcpu->gpr[2], count = 0, ticks = 0;
	const struct vm *vm = vcpu->vm;

	if (class >= CLASSES || !has_vcpu(vm, index))
		return SMCCC_INVALID_PARAMETER;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		const struct account *a = &vm->vcpus[i]->account;

		if (!is_meant(index, i))
			continue;
		count += read_once(&a->class[class].count) - a->before.exits[class];
		ticks += read_once(&a->class[class].ticks) - a->before.ticks[class];
	}
	vcpu->gpr[1] = count;
	vcpu->gpr[2] = ticks;
	return 0;
}

/* x1: class. To x1, x2: its name, 16 characters with zeroes behind it; to x3: level, 1 or 2. */
static s64 name(struct vcpu *vcpu)
{
	u64 class = vcpu->gpr[1], text[2] = { 0 };
	const char *s;

	if (class >= CLASSES)
		return SMCCC_INVALID_PARAMETER;
	s = account_class_name((u32)(class % EXIT_CLASS_COUNT));
	memcpy(text, s, strnlen(s, sizeof(text)));
	vcpu->gpr[1] = text[0];
	vcpu->gpr[2] = text[1];
	vcpu->gpr[3] = class < ACCOUNT_NESTED ? 1 : 2;
	return 0;
}

/* Ticks of the exits since the last reset. */
static u64 nidus_ticks(const struct account *a)
{
	u64 before = 0;

	for (u32 c = 0; c < CLASSES; c++)
		before += a->before.ticks[c];
	return account_exit_ticks(a) - before;
}

/* What has been added to a sum that others may read a little early. */
static u64 since(u64 now, u64 before)
{
	return now - MIN(now, before);
}

/* x1: vcpu. To x1-x3: ticks in the guest, in nidus on its behalf, and stolen. */
static s64 times(struct vcpu *vcpu)
{
	u64 index = vcpu->gpr[1], guest = 0, nidus = 0, stolen = 0;
	const struct vm *vm = vcpu->vm;

	if (!has_vcpu(vm, index))
		return SMCCC_INVALID_PARAMETER;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu *v = vm->vcpus[i];

		if (!is_meant(index, i))
			continue;
		guest += since(account_guest_ticks(&v->account), v->account.before.guest_ticks);
		nidus += nidus_ticks(&v->account);
		stolen += read_once(&v->stolen);
	}
	vcpu->gpr[1] = guest;
	vcpu->gpr[2] = nidus;
	vcpu->gpr[3] = stolen;
	return 0;
}

s64 account_call(struct vcpu *vcpu, u32 fid)
{
	switch (fid) {
	case CALL_UID:
		/* 6e696475-7300-4163-8000-6f756e740001, as four words. */
		vcpu->gpr[1] = 0x63410073;
		vcpu->gpr[2] = 0x756f0080;
		vcpu->gpr[3] = 0x0100746e;
		return 0x7564696e;
	case CALL_REVISION:
		vcpu->gpr[1] = 0;
		return REVISION;
	case CALL_EXITS:
		return exits(vcpu);
	case CALL_NAME:
		return name(vcpu);
	case CALL_TIME:
		return times(vcpu);
	}
	return SMCCC_NOT_SUPPORTED;
}
