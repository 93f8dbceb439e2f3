/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics table: sums over the vcpus of a VM, in the form of perf kvm stat. */
#include "vm/account.h"

#include "arch/sysreg.h"
#include "lib/log.h"
#include "nested/shadow.h"
#include "state/vm.h"

static u64 counter_hz(void)
{
	u64 hz = sysreg_read(CNTFRQ_EL0) & 0xffffffff;

	return hz ? hz : 1000000000;
}

/* Seconds and rest apart, so that nothing overflows: hz is below 2^32, 10^8 below 2^27. */
struct account_us account_us(u64 ticks)
{
	u64 hz = counter_hz(), s = ticks / hz;
	u64 rest = (ticks % hz * 100000000 + hz / 2) / hz; /* hundredths of a microsecond */

	return (struct account_us){ s * 1000000 + rest / 100, (u32)(rest % 100) };
}

/* part of whole in hundredths of a percent, rounded. */
static u32 per_10000(u64 part, u64 whole)
{
	/* Both far below 2^50 in any counter's lifetime; the clamp is for torn reads. */
	while (whole > ~0UL / 20000) {
		whole >>= 1;
		part >>= 1;
	}
	return whole ? (u32)((MIN(part, whole) * 10000 + whole / 2) / whole) : 0;
}

static u64 load(const u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static const struct vcpu *vcpu_of(const struct vm *vm, u32 i)
{
	return __atomic_load_n(&vm->vcpus[i], __ATOMIC_ACQUIRE);
}

static u32 vcpu_count(const struct vm *vm)
{
	return MIN(vm->vcpu_count, MAX_VCPUS);
}

static void add(struct account_class *sum, const struct account_class *c)
{
	sum->count += load(&c->count);
	sum->ticks += load(&c->ticks);
	sum->not_min = MAX(sum->not_min, load(&c->not_min));
	sum->max = MAX(sum->max, load(&c->max));
}

/* One row per class, summed over the VM's vcpus; returns the sum of all. */
static struct account_class sum_classes(const struct vm *vm, enum account_level level,
					struct account_class *sum)
{
	struct account_class total = { 0 };

	for (u32 c = 0; c < EXIT_CLASS_COUNT; c++) {
		sum[c] = (struct account_class){ 0 };
		for (u32 i = 0; i < vcpu_count(vm); i++) {
			const struct vcpu *vcpu = vcpu_of(vm, i);

			if (vcpu)
				add(&sum[c], &vcpu->account.class[(u32)level + c]);
		}
		add(&total, &sum[c]);
	}
	return total;
}

/* Class numbers by falling time; returns how many have samples. */
static u32 sort_by_time(const struct account_class *sum, u8 *order)
{
	u32 n = 0;

	for (u8 c = 0; c < EXIT_CLASS_COUNT; c++) {
		u32 at = n;

		if (!sum[c].count)
			continue;
		for (; at && sum[order[at - 1]].ticks < sum[c].ticks; at--)
			order[at] = order[at - 1];
		order[at] = c;
		n++;
	}
	return n;
}

static void print_class(const char *name, const struct account_class *c,
			const struct account_class *total)
{
	u32 samples = per_10000(c->count, total->count), time = per_10000(c->ticks, total->ticks);
	struct account_us min = account_us(~c->not_min), max = account_us(c->max);
	struct account_us avg = account_us(c->ticks / c->count);

	log_line("%10s %10lu %5u.%02u%% %5u.%02u%% %8lu.%02uus %8lu.%02uus %8lu.%02uus %14lu", name,
		 c->count, samples / 100, samples % 100, time / 100, time % 100, min.whole,
		 min.cents, max.whole, max.cents, avg.whole, avg.cents, c->ticks);
}

/* The exits that guests at one level caused; a nested guest's only if there were any. */
static void print_level(const struct vm *vm, enum account_level level)
{
	struct account_class sum[EXIT_CLASS_COUNT], total = sum_classes(vm, level, sum);
	u8 order[EXIT_CLASS_COUNT];
	u32 n = sort_by_time(sum, order);
	struct account_us all = account_us(total.ticks);

	if (level != ACCOUNT_VM && !total.count)
		return;
	log_line("Exits of vm %u %s, L%u, all vcpus:", vm->id, vm->config->name,
		 level == ACCOUNT_VM ? 1 : 2);
	log_line("%10s %10s %9s %9s %13s %13s %13s %14s", "VM-EXIT", "Samples", "Samples%", "Time%",
		 "Min Time", "Max Time", "Avg time", "Ticks");
	for (u32 i = 0; i < n; i++)
		print_class(account_class_name(order[i]), &sum[order[i]], &total);
	log_line("Total Samples:%lu, Total events handled time:%lu.%02uus.", total.count, all.whole,
		 all.cents);
}

static void print_vcpu(u32 index, const struct vcpu *vcpu)
{
	const struct account *a = &vcpu->account;
	const struct simd_vcpu *s = &vcpu->simd;
	u64 ticks = account_guest_ticks(a);
	struct account_us guest = account_us(ticks);

	log_line("vcpu %u: guest %lu.%02uus (%lu ticks), %lu loads, %lu interrupts injected", index,
		 guest.whole, guest.cents, ticks, load(&a->switches), load(&a->irq_injected));
	log_line("vcpu %u: SIMD %lu claims, %lu flushes, %lu bytes, %lu host sections", index,
		 load(&s->claims), load(&s->flushes), load(&s->bytes), load(&s->host_sections));
}

/* Print the statistics of a VM's guest hypervisor. */
static void print_nested(const struct vm *vm)
{
	u64 switches = 0, bytes = 0, erets = 0;

	for (u32 i = 0; i < vcpu_count(vm); i++) {
		const struct vcpu *vcpu = vcpu_of(vm, i);

		if (!vcpu || !vcpu->has_vel2)
			continue;
		switches += 2 * load(&vcpu->account.level_entries);
		bytes += load(&vcpu->account.level_bytes);
		erets += load(&vcpu->local_erets);
	}
	if (!switches && !erets)
		return;
	log_line(
		"vm %u %s: %lu level switches, %lu bytes of SIMD state moved by them (%lu per "
		"switch)",
		vm->id, vm->config->name, switches, bytes, switches ? bytes / switches : 0);
	log_line(
		"vm %u %s: %lu ERETs within vEL2 besides, %lu of at most %lu pages of shadow stage "
		"2",
		vm->id, vm->config->name, erets, shadow_pages(vm),
		vm->shadows ? shadow_pages_max(vm) : 0);
}

static void print_vm(const struct vm *vm)
{
	print_level(vm, ACCOUNT_VM);
	print_level(vm, ACCOUNT_NESTED);
	print_nested(vm);
	for (u32 i = 0; i < vcpu_count(vm); i++) {
		const struct vcpu *vcpu = vcpu_of(vm, i);

		if (vcpu)
			print_vcpu(i, vcpu);
	}
}

void account_print(const struct vm *vm)
{
	if (vm) {
		print_vm(vm);
		return;
	}
	for (u32 i = 0; i < MIN(vm_count, MAX_VMS); i++) {
		u32 state = __atomic_load_n(&vms[i].state, __ATOMIC_ACQUIRE);

		if (state != VM_UNUSED && state != VM_DEAD)
			print_vm(&vms[i]);
	}
}
