/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GIC against a reference: a GICv3 without list registers, one small state machine for
 * each interrupt, written from IHI0069. Random guests, devices and schedulers do the same to both;
 * what guests can observe must agree: every register read, whether an interrupt is signalled, and
 * the priority of the one that is acknowledged.
 */
#include "gic_model.h"

#define VCPUS 3u
#define INTIDS 96u
#define TIMER 27u /* hardware-backed PPI */

/* ---- reference ---- */

struct ref_irq {
	bool enabled, edge, latch, line, active;
	u32 group, prio;
};

static struct ref_irq ref_private[VCPUS][32], ref_spi[INTIDS];
static u32 ref_route[INTIDS], ref_ctlr;
static struct {
	u32 pmr, groups; /* bit n: Group n enabled */
	bool split;
	u32 stack[64], stack_group[64], depth; /* acknowledged, priority not yet dropped */
	u32 stack_prio[64];
	u32 dropped[64], drops; /* dropped, not yet deactivated (split) */
} ref_cpu[VCPUS];

static struct ref_irq *ref(u32 v, u32 intid)
{
	return intid < 32 ? &ref_private[v][intid] : &ref_spi[intid];
}

static bool ref_pending(const struct ref_irq *i)
{
	return i->latch || (!i->edge && i->line);
}

static u32 ref_running(u32 v)
{
	return ref_cpu[v].depth ? ref_cpu[v].stack_prio[ref_cpu[v].depth - 1] : 0x100;
}

static bool ref_candidate(u32 v, u32 intid)
{
	const struct ref_irq *i = ref(v, intid);

	return ref_pending(i) && i->enabled && !i->active && (ref_ctlr >> i->group & 1) &&
	       (ref_cpu[v].groups >> i->group & 1) && (intid < 32 || ref_route[intid] == v);
}

/* The most urgent pending one for v. */
static u32 ref_best_intid(u32 v)
{
	u32 best = INTIDS;

	for (u32 n = INTIDS; n-- > 0;)
		if (ref_candidate(v, n) &&
		    (best == INTIDS || ref(v, n)->prio <= ref(v, best)->prio))
			best = n;
	return best;
}

/* Its priority, if it is signalled; 0x100: none is. */
static u32 ref_best(u32 v)
{
	u32 n = ref_best_intid(v), best = n < INTIDS ? ref(v, n)->prio : 0x100;

	return best < ref_cpu[v].pmr && best < ref_running(v) ? best : 0x100;
}

static void ref_ack(u32 v, u32 intid)
{
	struct ref_irq *i = ref(v, intid);

	i->active = true;
	i->latch = false;
	ref_cpu[v].stack[ref_cpu[v].depth] = intid;
	ref_cpu[v].stack_group[ref_cpu[v].depth] = i->group;
	ref_cpu[v].stack_prio[ref_cpu[v].depth++] = i->prio;
}

static void ref_line(struct ref_irq *i, bool level)
{
	if (level && !i->line && i->edge)
		i->latch = true;
	i->line = level;
}

/* ---- driving both ---- */

static u32 seed;
static bool exited[VCPUS], timer_line[VCPUS];
static unsigned seen_kicks[VCPUS];
static unsigned acks, agains, spurious, ops;

static u32 rnd(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Mostly one of a few, so that events coincide. */
static u32 rnd_intid(void)
{
	u32 n = rnd(24);

	return rnd(3) ? (n < 8 ? n : n < 16 ? 12 + n : 16 + n) : rnd(INTIDS);
}

static bool loaded(u32 v)
{
	return cpu_of(&vcpu[v]) >= 0;
}

#define expect(cond, ...)                                                                          \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "step %u: ", ops);                                         \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
			fail();                                                                    \
		}                                                                                  \
	} while (0)

/* The physical timers of loaded vcpus fire where they can. */
static void tick(void)
{
	int cpu = fake_cpu;

	for (u32 v = 0; v < VCPUS; v++) {
		if (!loaded(v))
			continue;
		fake_cpu = cpu_of(&vcpu[v]);
		phys[fake_cpu][0].pending &= ~(1u << TIMER);
		if (timer_line[v] && phys_fire(TIMER, true)) {
			if (vgic_redeliver_ppi(&vcpu[v], TIMER))
				agains++;
			else
				vgic_inject_ppi_hw(&vcpu[v], TIMER, TIMER);
			exited[v] = true;
		}
	}
	fake_cpu = cpu;
}

/* v runs as a guest: it enters if it left, or was kicked out, or has a maintenance interrupt. */
static void run(u32 v)
{
	fake_cpu = cpu_of(&vcpu[v]);
	if (exited[v] || kicks[v] != seen_kicks[v] || hw_maintenance()) {
		enter(&vcpu[v]);
		vcpu[v].requests = 0;
	}
	exited[v] = false;
	seen_kicks[v] = kicks[v];
	lr_unique();
}

/*
 * A maintenance interrupt comes at once, before the guest's next instruction could affect anybody.
 */
static void maintain(u32 v)
{
	if (hw_maintenance())
		run(v);
	tick();
}

static void check_signal(u32 v)
{
	u32 best;

	tick();
	run(v);
	best = ref_best(v);
	expect(hw_signal() == (best < 0x100), "vcpu %u: signal %d, reference has priority %#x", v,
	       hw_signal(), best);
}

static void do_ack(u32 v)
{
	u32 best, intid, group;

	check_signal(v);
	best = ref_best(v);
	if (best == 0x100 || ref_cpu[v].depth == 60) {
		spurious++;
		return;
	}
	group = 1;
	intid = hw_ack(1);
	if (intid == SPURIOUS) {
		group = 0;
		intid = hw_ack(0);
	}
	expect(intid < INTIDS, "vcpu %u: acknowledged %u", v, intid);
	expect(ref_candidate(v, intid), "vcpu %u: acknowledged %u, which is not pending for it", v,
	       intid);
	expect(ref(v, intid)->prio == best,
	       "vcpu %u: acknowledged %u of priority %#x before %u of %#x", v, intid,
	       ref(v, intid)->prio, ref_best_intid(v), best);
	expect(ref(v, intid)->group == group, "vcpu %u: %u came in group %u", v, intid, group);
	ref_ack(v, intid);
	acks++;
	/* Some handlers service their device at once. */
	if (intid == TIMER && rnd(2))
		timer_line[v] = ref(v, intid)->line = false;
	maintain(v);
}

static void do_eoi(u32 v)
{
	u32 d = ref_cpu[v].depth, intid, group;

	if (!d)
		return;
	run(v);
	intid = ref_cpu[v].stack[--d];
	group = ref_cpu[v].stack_group[d];
	hw_eoi(intid, group);
	ref_cpu[v].depth = d;
	if (!ref_cpu[v].split)
		ref(v, intid)->active = false;
	else if (ref_cpu[v].drops < 64)
		ref_cpu[v].dropped[ref_cpu[v].drops++] = intid;
	maintain(v);
}

static void do_dir(u32 v)
{
	u32 n = ref_cpu[v].drops, k, intid;

	if (!n)
		return;
	run(v);
	k = rnd(n);
	intid = ref_cpu[v].dropped[k];
	ref_cpu[v].dropped[k] = ref_cpu[v].dropped[n - 1];
	ref_cpu[v].drops--;
	if (fake_get("ICH_HCR_EL2") & ICH_HCR_TDIR)
		exited[v] = true;
	hw_dir(&vcpu[v], intid);
	ref(v, intid)->active = false;
	maintain(v);
}

static bool is_acked(u32 v, u32 intid)
{
	for (u32 k = 0; k < VCPUS; k++) {
		if (intid < 32 && k != v)
			continue;
		for (u32 i = 0; i < ref_cpu[k].depth; i++)
			if (ref_cpu[k].stack[i] == intid)
				return true;
		for (u32 i = 0; i < ref_cpu[k].drops; i++)
			if (ref_cpu[k].dropped[i] == intid)
				return true;
	}
	return false;
}

static void write_bit(u32 v, u32 t, u32 intid)
{
	static const u32 reg[] = { GICD_ISENABLER, GICD_ISENABLER, GICD_ISENABLER, GICD_ISENABLER,
				   GICD_ICENABLER, GICD_ISPENDR,   GICD_ISPENDR,   GICD_ISPENDR,
				   GICD_ICPENDR,   GICD_ISACTIVER, GICD_ICACTIVER, GICD_ICACTIVER,
				   GICD_ICACTIVER };
	struct ref_irq *i = ref(t, intid);
	u32 r = reg[rnd(ARRAY_SIZE(reg))];

	/* Deactivate behind a handler's back, then EOI: a well-behaved guest does not. */
	if (r == GICD_ICACTIVER && is_acked(t, intid))
		return;
	bit_wr(&vcpu[v], t, intid, r);
	switch (r) {
	case GICD_ISENABLER:
	case GICD_ICENABLER:
		i->enabled = r == GICD_ISENABLER;
		break;
	case GICD_ISPENDR:
	case GICD_ICPENDR:
		i->latch = r == GICD_ISPENDR;
		break;
	case GICD_ISACTIVER:
	case GICD_ICACTIVER:
		i->active = r == GICD_ISACTIVER;
		break;
	}
}

/* Priority and route at any time; the rest only while no instance is pending or active. */
static void write_config(u32 v, u32 t, u32 intid)
{
	struct ref_irq *i = ref(t, intid);
	u64 frame = intid < 32 ? GICR_AT + GICR_SIZE * t + GICR_SGI : GICD_AT, at;
	u32 what = rnd(4), x;

	if ((what == 1 || what == 2) && (i->active || is_acked(t, intid)))
		return;
	switch (what) {
	case 0:
		x = rnd(256);
		wr(&vcpu[v], frame + GICD_IPRIORITYR + intid, 1, x);
		i->prio = x & 0xf8;
		break;
	case 1:
		at = bit_at(t, intid, GICD_IGROUPR);
		x = (u32)rd(&vcpu[v], at, 4) ^ 1u << intid % 32;
		wr(&vcpu[v], at, 4, x);
		i->group = x >> intid % 32 & 1;
		break;
	case 2:
		if (intid < 16 || intid == TIMER || ref_pending(i) || i->line)
			return;
		at = frame + GICD_ICFGR + intid / 16 * 4;
		x = (u32)rd(&vcpu[v], at, 4) ^ 2u << intid % 16 * 2;
		wr(&vcpu[v], at, 4, x);
		i->edge = x >> (intid % 16 * 2 + 1) & 1;
		break;
	case 3:
		if (intid < 32)
			return;
		x = rnd(VCPUS + 1);
		wr(&vcpu[v], GICD_AT + GICD_IROUTER + 8 * intid, 8, x);
		ref_route[intid] = x;
		break;
	}
}

static void read_all(u32 v, u32 t, u32 word)
{
	u32 enabled = 0, pending = 0, active = 0, group = 0, known = ~0u;

	if (!word && !loaded(t))
		known &= ~(1u << TIMER); /* nobody checks its line */
	for (u32 n = 0; n < 32; n++) {
		const struct ref_irq *i = ref(t, word * 32 + n);

		enabled |= (u32)i->enabled << n;
		pending |= (u32)ref_pending(i) << n;
		active |= (u32)i->active << n;
		group |= i->group << n;
	}
#define SAME(reg, want)                                                                            \
	do {                                                                                       \
		u32 got_ = (u32)rd(&vcpu[v], bit_at(t, word * 32, reg), 4);                        \
		expect(!((got_ ^ (want)) & known),                                                 \
		       #reg " of word %u of vcpu %u: %#x, reference %#x", word, t, got_, want);    \
	} while (0)
	SAME(GICD_ISENABLER, enabled);
	SAME(GICD_ICENABLER, enabled);
	SAME(GICD_ISPENDR, pending);
	SAME(GICD_ICPENDR, pending);
	SAME(GICD_ISACTIVER, active);
	SAME(GICD_ICACTIVER, active);
	SAME(GICD_IGROUPR, group);
}

static void do_register(u32 v)
{
	u32 t = rnd(VCPUS), intid = rnd_intid();

	run(v);
	exited[v] = true;
	if (!rnd(12))
		read_all(v, t, rnd(INTIDS / 32));
	else if (!rnd(80)) {
		ref_ctlr = rnd(3) ? 3 : rnd(4);
		wr(&vcpu[v], GICD_AT + GICD_CTLR, 4, ref_ctlr);
	} else if (rnd(2))
		write_bit(v, t, intid);
	else
		write_config(v, t, intid);
	tick();
}

static void do_sgi(u32 v)
{
	u32 intid = rnd(8), list = rnd(1u << VCPUS);
	bool group1 = rnd(4);

	run(v);
	exited[v] = true;
	vgic_sgi(&vcpu[v], (u64)intid << ICC_SGIR_INTID_SHIFT | list, group1);
	for (u32 t = 0; t < VCPUS; t++)
		if ((list >> t & 1) && ref(t, intid)->group == group1)
			ref(t, intid)->latch = true;
}

static void do_line(u32 v)
{
	u32 intid = 20 + rnd(14);
	bool level = rnd(2);

	fake_cpu = (int)rnd(CPUS);
	if (intid == TIMER) {
		if (!loaded(v))
			return;
		/* Its fall is noticed only at a check. */
		exited[v] |= !level;
		timer_line[v] = level;
	} else if (intid < 32) {
		vgic_set_ppi(&vcpu[v], intid, level);
	} else {
		vgic_set_spi(&vm, intid, level);
	}
	ref_line(ref(v, intid), level);
	tick();
}

static void clear_one(u32 v, u32 t, u32 intid)
{
	struct ref_irq *i = ref(t, intid);

	exited[v] = true;
	if (intid != TIMER && i->line) {
		ref_line(i, false);
		if (intid < 32)
			vgic_set_ppi(&vcpu[t], intid, false);
		else
			vgic_set_spi(&vm, intid, false);
	}
	if (i->latch)
		bit_wr(&vcpu[v], t, intid, GICD_ICPENDR);
	i->latch = false;
	if (i->active && !is_acked(t, intid))
		bit_wr(&vcpu[v], t, intid, GICD_ICACTIVER);
	i->active &= is_acked(t, intid);
}

/* v's handlers return, its devices are serviced: only its timer needs list registers. */
static void calm(u32 v)
{
	while (ref_cpu[v].depth)
		do_eoi(v);
	while (ref_cpu[v].drops)
		do_dir(v);
	run(v);
	for (u32 n = 0; n < INTIDS; n++)
		clear_one(v, v, n);
	tick();
}

/* Little else than v's timer, so that it finds its list register again. */
static void do_timer(u32 v)
{
	u32 what = rnd(16);

	if (!loaded(v))
		return;
	if (!rnd(32))
		calm(v);
	else if (what < 6) {
		timer_line[v] = ref(v, TIMER)->line = true;
		tick();
	} else if (what < 11) {
		do_ack(v);
	} else if (what < 15) {
		do_eoi(v);
		if (ref_cpu[v].split)
			do_dir(v);
	} else if (!rnd(4)) {
		run(v);
		exited[v] = true;
		if (rnd(2))
			write_bit(v, v, TIMER);
		else
			write_config(v, v, TIMER);
		tick();
	} else {
		do_sgi(v);
	}
}

static void do_schedule(u32 v)
{
	u32 c = rnd(CPUS);

	tick();
	if (loaded(v)) {
		put(&vcpu[v]);
		expect(read_elrsr(0) == BIT(hw_lrs) - 1, "list registers not empty");
		expect(!phys_active(TIMER, fake_cpu), "timer left active");
		phys[fake_cpu][0].pending &= ~(1u << TIMER);
	} else if (!cpus[c].loaded) {
		load(&vcpu[v], (int)c);
		exited[v] = true;
		tick();
	}
}

static void do_mask(u32 v)
{
	run(v);
	ref_cpu[v].pmr = rnd(4) ? 0xf8 : rnd(32) * 8;
	ref_cpu[v].groups = rnd(6) ? 3 : rnd(4);
	fake_set("ICH_VMCR_EL2", (fake_get("ICH_VMCR_EL2") & 0xfffffc) | (u64)ref_cpu[v].pmr << 24 |
					 ref_cpu[v].groups);
	check_signal(v);
}

static void do_wfi(u32 v)
{
	u32 best;

	tick();
	/* With its vcpu not loaded nobody checks the timer's line. */
	if (!loaded(v) && (ref_pending(ref(v, TIMER)) || timer_line[v]))
		return;
	if (loaded(v)) {
		run(v);
		exited[v] = true;
	} else {
		fake_cpu = 0;
	}
	best = ref_best(v);
	expect(vgic_interrupt_pending(&vcpu[v]) == (best < 0x100),
	       "vcpu %u: would wake: %d, reference has priority %#x", v, best >= 0x100, best);
}

static void start(u32 lrs, bool split)
{
	vm_up(VCPUS, lrs);
	memset(ref_private, 0, sizeof(ref_private));
	memset(ref_spi, 0, sizeof(ref_spi));
	memset(ref_route, 0, sizeof(ref_route));
	memset(ref_cpu, 0, sizeof(ref_cpu));
	memset(timer_line, 0, sizeof(timer_line));
	memset(seen_kicks, 0, sizeof(seen_kicks));
	ref_ctlr = 3;
	for (u32 v = 0; v < VCPUS; v++) {
		load(&vcpu[v], (int)v);
		vmcr_set(0xf8, split);
		ref_cpu[v].pmr = 0xf8;
		ref_cpu[v].groups = 3;
		ref_cpu[v].split = split;
		exited[v] = true;
		for (u32 n = 0; n < 16; n++)
			ref_private[v][n].edge = true;
	}
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 3);
}

static void explore(u32 lrs, bool split, u32 s, unsigned steps)
{
	seed = s;
	start(lrs, split);
	for (ops = 0; ops < steps; ops++) {
		u32 v = rnd(VCPUS), what = rnd(100);

		if (ops % 512 > 384)
			do_timer(v);
		else if (what < 4)
			do_schedule(v);
		else if (what < 12)
			do_line(v);
		else if (what < 14)
			do_wfi(v);
		else if (!loaded(v))
			continue;
		else if (what < 35)
			do_register(v);
		else if (what < 42)
			do_sgi(v);
		else if (what < 44)
			do_mask(v);
		else if (what < 70)
			do_ack(v);
		else if (what < 90 || !split)
			do_eoi(v);
		if (split && what >= 80 && loaded(v) && ops % 512 <= 384)
			do_dir(v);
	}
	vm_down();
}

static void check_all(u32 lrs, bool split)
{
	acks = agains = 0;
	for (u32 s = 1; s <= 6; s++)
		explore(lrs, split, s * 7919 + lrs * 2 + split, 30000);
	print_message("%u interrupts acknowledged, %u timers went the fast path\n", acks, agains);
	assert_true(acks > 500 && agains > 20); /* otherwise the run proves little */
}

static void lrs4(void **state)
{
	(void)state;
	check_all(4, false);
}
static void lrs4_split(void **state)
{
	(void)state;
	check_all(4, true);
}
static void lrs2(void **state)
{
	(void)state;
	check_all(2, false);
}
static void lrs2_split(void **state)
{
	(void)state;
	check_all(2, true);
}
static void lrs1(void **state)
{
	(void)state;
	check_all(1, false);
}
static void lrs1_split(void **state)
{
	(void)state;
	check_all(1, true);
}
static void lrs8(void **state)
{
	(void)state;
	check_all(8, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lrs4), cmocka_unit_test(lrs4_split),
		cmocka_unit_test(lrs2), cmocka_unit_test(lrs2_split),
		cmocka_unit_test(lrs1), cmocka_unit_test(lrs1_split),
		cmocka_unit_test(lrs8),
	};

	return cmocka_run_group_tests_name("vgic: random operations against a reference", tests,
					   NULL, NULL);
}
