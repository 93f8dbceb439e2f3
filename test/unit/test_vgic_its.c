/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's ITS: commands by their encodings in IHI0069, 5.3, LPIs through list registers, each
 * message once; and what a hostile guest writes.
 */
#include "gic_model.h"

#include "arch/its.h"
#include "dev/its.h"
#include "lib/log.h"

#define ITS_AT 0x8080000UL
#define RAM_AT 0x40000000UL
#define RAM_SIZE MIB(2)
#define QUEUE_AT RAM_AT
#define QUEUE_BYTES KIB(64)
#define PROP_AT (RAM_AT + MIB(1))
#define LPI 8192u
#define PLPI 8320u /* of the machine's: event 0 of the device */
#define EVENTS 8u
#define DEVICE 0x10u

static u8 *ram;
static u64 at;
static unsigned lines, routed;
static struct its_device device;

void log_line(const char *fmt, ...)
{
	(void)fmt;
	lines++;
}

struct its_device *its_lpi(u32 intid)
{
	return intid - PLPI < EVENTS ? &device : NULL;
}

void its_route(struct its_device *d, u32 event, const struct pcpu *cpu)
{
	assert_ptr_equal(d, &device);
	assert_true(event < EVENTS);
	assert_non_null(cpu);
	routed++;
}

static unsigned held;
static u64 held_until;

void its_hold(struct its_device *d, u64 until)
{
	assert_ptr_equal(d, &device);
	held++;
	held_until = until;
}

static u64 its_rw(u32 reg, u32 size, bool write, u64 v)
{
	struct mmio m = { .offset = reg, .data = v, .size = (u8)size, .write = write };
	struct vcpu *self = &vcpu[0];

	for (u32 i = 0; i < vm.mmio.count; i++)
		if (vm.mmio.region[i].base == ITS_AT) {
			do {
				m.waits = false;
				assert_true(vm.mmio.region[i].fn(self, vm.mmio.region[i].dev, &m));
			} while (m.waits);
			return m.data;
		}
	fail();
	return 0;
}

static void redist(u32 n, u32 reg, u32 size, u64 v)
{
	struct mmio m = { .offset = n * 0x20000 + reg, .data = v, .size = (u8)size, .write = true };

	for (u32 i = 0; i < vm.mmio.count; i++)
		if (vm.mmio.region[i].base == GICR_AT)
			assert_true(vm.mmio.region[i].fn(&vcpu[0], vm.mmio.region[i].dev, &m));
}

static void put_command(u64 w0, u64 w1, u64 w2, u64 w3)
{
	u64 w[4] = { w0, w1, w2, w3 };

	memcpy(ram + at, w, sizeof(w));
	at = (at + 32) % QUEUE_BYTES;
}

static void command(u64 w0, u64 w1, u64 w2, u64 w3)
{
	put_command(w0, w1, w2, w3);
	its_rw(0x88, 8, true, at);
	assert_int_equal(its_rw(0x90, 8, false, 0), at);
}

static void mapti(u32 e, u32 lpi, u32 icid)
{
	command(0x0a | (u64)DEVICE << 32, e | (u64)lpi << 32, icid, 0);
}

static void event(u32 what, u32 e)
{
	command(what | (u64)DEVICE << 32, e, 0, 0);
}

static int up(void **state)
{
	struct vits_want want = { DEVICE, &device };

	(void)state;
	memset(&config, 0, sizeof(config));
	vm_up(3, 4);
	vm.layout.its = ITS_AT;
	device = (struct its_device){ .its = (void *)&device, .events = EVENTS, .lpi = PLPI };
	ram = calloc(1, RAM_SIZE);
	vm.ram[0].ipa = RAM_AT;
	vm.ram[0].pa = (u64)ram;
	vm.ram[0].size = RAM_SIZE;
	vm.ram_chunks = 1;
	assert_int_equal(vits_create(&vm, &want, 1), 0);
	at = lines = routed = 0;
	for (int i = 0; i < 3; i++) {
		load(&vcpu[i], i);
		fake_set("ICH_VMCR_EL2", ICH_VMCR_ENG1 | ICH_VMCR_FIQEN | 0xf8UL << 24);
	}
	fake_cpu = 0;
	memset(ram + MIB(1), 0xa1, 8192);
	vm.vgic.ctlr = GICD_CTLR_GRP1;
	for (u32 i = 0; i < 3; i++) {
		redist(i, 0x70, 8, PROP_AT | 13);
		redist(i, 0x78, 8, PROP_AT + KIB(64));
		redist(i, 0x00, 4, 1);
	}
	its_rw(0x80, 8, true, QUEUE_AT | (QUEUE_BYTES / 4096 - 1) | BIT(63));
	its_rw(0x100, 8, true, (RAM_AT + MIB(1) + KIB(128)) | BIT(63) | 2 << 8);
	its_rw(0x108, 8, true, (RAM_AT + MIB(1) + KIB(192)) | BIT(63));
	its_rw(0x00, 4, true, 1);
	for (u64 i = 0; i < 3; i++)
		command(0x09, 0, BIT(63) | i << 16 | i, 0);
	command(0x08 | (u64)DEVICE << 32, 2, BIT(63) | RAM_AT, 0);
	return 0;
}

static int down(void **state)
{
	(void)state;
	vm_down();
	free(ram);
	return 0;
}

/* What vcpu n takes now; SPURIOUS: nothing. */
static u32 take(u32 n)
{
	u32 intid;

	enter(&vcpu[n]);
	intid = hw_ack(1);
	if (intid != SPURIOUS)
		hw_eoi(intid, 1);
	fake_cpu = 0;
	return intid;
}

/* ---- registers ---- */

static void registers(void **state)
{
	u64 typer = its_rw(0x08, 8, false, 0);

	(void)state;
	assert_int_equal(typer & 1, 1);
	assert_int_equal(typer >> 13 & 31, 15);
	assert_int_equal(its_rw(0x08, 4, false, 0), typer & 0xffffffff);
	assert_int_equal(its_rw(0x0c, 4, false, 0), typer >> 32);
	assert_int_equal(its_rw(0xffe8, 4, false, 0), 0x30);
	assert_int_equal(its_rw(0x100, 8, false, 0) >> 56 & 7, 1);
	assert_int_equal(its_rw(0x108, 8, false, 0) >> 56 & 7, 4);
	assert_int_equal(its_rw(0x110, 8, false, 0), 0);
	/* Shareable and cached, whatever was written: nidus reads with caches. */
	assert_int_equal(its_rw(0x80, 8, false, 0) >> 10 & 3, 1);
	/* While it is on, bases stay. */
	its_rw(0x80, 8, true, 0);
	assert_int_equal(its_rw(0x80, 8, false, 0) & MASK(51, 12), QUEUE_AT);
	/* CWRITER beyond the queue. */
	its_rw(0x88, 8, true, QUEUE_BYTES);
	assert_int_equal(its_rw(0x88, 8, false, 0), at);
	its_rw(0x00, 4, true, 0);
	assert_int_equal(its_rw(0x00, 4, false, 0), BIT(31));
	/* Bytes, and the frame with the doorbell: nothing. */
	assert_int_equal(its_rw(0x08, 1, false, 0), 0);
	its_rw(0x10040, 4, true, 0);
}

/* ---- messages ---- */

static void messages(void **state)
{
	(void)state;
	mapti(1, LPI + 3, 1);
	assert_int_equal(routed, 1);
	for (u32 i = 0; i < 10; i++) {
		kicks[1] = 0;
		vgic_inject_lpi(PLPI + 1);
		assert_int_equal(kicks[1], 1);
		/* It is pending already. */
		vgic_inject_lpi(PLPI + 1);
		assert_int_equal(kicks[1], 1);
		assert_int_equal(take(0), SPURIOUS);
		assert_int_equal(take(1), LPI + 3);
		assert_int_equal(take(1), SPURIOUS);
	}
	/* Not mapped; and of nobody. */
	vgic_inject_lpi(PLPI + 2);
	vgic_inject_lpi(PLPI + EVENTS);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(take(i), SPURIOUS);
	/* The ITS is off; the VM is. */
	its_rw(0x00, 4, true, 0);
	vgic_inject_lpi(PLPI + 1);
	assert_int_equal(take(1), SPURIOUS);
	its_rw(0x00, 4, true, 1);
	vits_destroy(&vm);
	assert_null(device.to);
	vgic_inject_lpi(PLPI + 1);
}

/*
 * A list register that an LPI has had and then an SGI is the SGI's, also when that has ended, until it
 * is looked at: no LPI is put there straight from its arrival.
 */
static void registers_of_others(void **state)
{
	bool got_lpi[5] = { true };

	(void)state;
	for (u32 e = 0; e < 5; e++)
		mapti(e, LPI + e, 1);
	redist(1, 0x10080, 4, ~0u);
	redist(1, 0x10100, 4, 1u << 3);
	assert_int_equal(vgic_sgi(&vcpu[0], 3UL << 24 | 2, true), SKIP); /* to vcpu 1 */
	assert_int_equal(take(1), 3);
	vgic_inject_lpi(PLPI);
	assert_int_equal(take(1), LPI);
	assert_int_equal(vgic_sgi(&vcpu[0], 3UL << 24 | 2, true), SKIP);
	enter(&vcpu[1]);
	for (u32 e = 1; e < 4; e++)
		assert_true(vgic_lpi_now(&vcpu[1], PLPI + e));
	assert_int_equal(hw_ack(1), 3);
	hw_eoi(3, 1);
	assert_false(vgic_lpi_now(&vcpu[1], PLPI + 4));
	vgic_inject_lpi(PLPI + 4);
	for (u32 e = 1; e < 5; e++) {
		u32 intid = take(1);

		assert_in_range(intid, LPI + 1, LPI + 4);
		assert_false(got_lpi[intid - LPI]);
		got_lpi[intid - LPI] = true;
	}
	assert_int_equal(take(1), SPURIOUS);
}

static u64 ticks, ticks_a_read;

static u64 passes(u64 stored)
{
	(void)stored;
	return ticks += ticks_a_read;
}

/*
 * Messages that take more than a 32nd of 10 ms are held back for as long; few, or many that take
 * little, are not.
 */
static void storm(void **state)
{
	(void)state;
	mapti(1, LPI + 3, 1);
	for (int cpu = 0; cpu < 3; cpu++) {
		fake_cpu = cpu;
		fake_set("CNTFRQ_EL0", 1000000);
		fake_on_read("CNTPCT_EL0", passes);
	}
	fake_cpu = 0;
	held = 0;
	ticks_a_read = 10;
	for (u32 i = 0; i < 31; i++)
		vgic_inject_lpi(PLPI + 1);
	assert_int_equal(held, 0);
	vgic_inject_lpi(PLPI + 1);
	assert_int_equal(held, 1);
	assert_int_equal(held_until, ticks + 10000);
	/* As many, but each in its own 10 ms. */
	held = 0;
	for (u32 i = 0; i < 100; i++) {
		ticks += 10000;
		vgic_inject_lpi(PLPI + 1);
	}
	assert_int_equal(held, 0);
	/* Of an event that is not mapped they cost as well. */
	ticks += 10000;
	for (u32 i = 0; i < 40; i++)
		vgic_inject_lpi(PLPI + 2);
	assert_true(held);
}

static void in_service(void **state)
{
	(void)state;
	mapti(1, LPI + 3, 1);
	vgic_inject_lpi(PLPI + 1);
	enter(&vcpu[1]);
	assert_int_equal(hw_ack(1), LPI + 3);
	vgic_inject_lpi(PLPI + 1);
	enter(&vcpu[1]);
	assert_int_equal(hw_ack(1), SPURIOUS);
	hw_eoi(LPI + 3, 1);
	assert_int_equal(take(1), LPI + 3);
	assert_int_equal(take(1), SPURIOUS);
}

static void properties(void **state)
{
	(void)state;
	ram[MIB(1) + 3] = 0xa0;
	mapti(1, LPI + 3, 0);
	event(0x03, 1);
	assert_int_equal(take(0), SPURIOUS);
	ram[MIB(1) + 3] = 0x41;
	assert_int_equal(take(0), SPURIOUS); /* until INV */
	event(0x0c, 1);
	enter(&vcpu[0]);
	assert_int_equal(FIELD(lr_get(0), 55, 48), 0x40);
	assert_int_equal(take(0), LPI + 3);
	/* Disabled in a list register: it is withdrawn. */
	event(0x03, 1);
	enter(&vcpu[0]);
	ram[MIB(1) + 3] = 0xa0;
	event(0x0c, 1);
	assert_int_equal(take(0), SPURIOUS);
	ram[MIB(1) + 3] = 0xa1;
	command(0x0d, 0, 0, 0);
	assert_int_equal(take(0), LPI + 3);
	/* Beyond IDbits, and outside RAM: disabled. */
	redist(0, 0x00, 4, 0);
	redist(1, 0x00, 4, 0);
	redist(2, 0x00, 4, 0);
	redist(0, 0x70, 8, 0x7ffffff000 | 13);
	redist(0, 0x00, 4, 1);
	event(0x0c, 1);
	event(0x03, 1);
	assert_int_equal(take(0), SPURIOUS);
}

static void gone(void **state)
{
	(void)state;
	mapti(1, LPI + 3, 0);
	event(0x03, 1);
	event(0x04, 1);
	assert_int_equal(take(0), SPURIOUS);
	event(0x03, 1);
	enter(&vcpu[0]); /* in a list register */
	event(0x0f, 1);
	assert_int_equal(take(0), SPURIOUS);
	event(0x03, 1);
	assert_int_equal(take(0), SPURIOUS);
	mapti(1, LPI + 3, 0);
	event(0x03, 1);
	command(0x08 | (u64)DEVICE << 32, 0, 0, 0);
	assert_int_equal(take(0), SPURIOUS);
	/* EnableLPIs = 0. */
	command(0x08 | (u64)DEVICE << 32, 2, BIT(63), 0);
	mapti(1, LPI + 3, 0);
	event(0x03, 1);
	redist(0, 0x00, 4, 0);
	assert_int_equal(take(0), SPURIOUS);
	redist(0, 0x00, 4, 1);
	assert_int_equal(take(0), SPURIOUS);
	/* A reset. */
	event(0x03, 1);
	vgic_vm_reset(&vm);
	assert_int_equal(its_rw(0x00, 4, false, 0), BIT(31));
}

/* More than there are list registers: the most urgent ones first, and all of them. */
static void many(void **state)
{
	u32 last = 0;

	(void)state;
	command(0x08 | 0x77UL << 32, 7, BIT(63), 0); /* a soft one */
	for (u32 i = 0; i < 200; i++) {
		ram[MIB(1) + i] = (u8)(0x40 + (i * 40 & 0x78)) | 1;
		command(0x0a | 0x77UL << 32, i | (u64)(LPI + i) << 32, 2, 0);
	}
	for (u32 i = 0; i < 200; i++)
		command(0x03 | 0x77UL << 32, i, 0, 0);
	for (u32 i = 0; i < 200; i++) {
		u32 n = take(2) - LPI;

		assert_true(n < 200);
		assert_true((ram[MIB(1) + n] & 0xf8) >= last);
		last = ram[MIB(1) + n] & 0xf8;
	}
	assert_int_equal(take(2), SPURIOUS);
}

/*
 * More than there are list registers, more urgent than an SGI of Group 0 that goes to the interface
 * while Group 1, and so LPIs, is off there: the SGI is not behind them.
 */
static void group_off(void **state)
{
	(void)state;
	vm.vgic.ctlr |= GICD_CTLR_GRP0;
	redist(0, 0x10080, 4, ~1u); /* GICR_IGROUPR0 */
	redist(0, 0x10100, 4, 1);   /* GICR_ISENABLER0 */
	redist(0, 0x10400, 4, 0xc0);
	fake_set("ICH_VMCR_EL2", ICH_VMCR_ENG0 | ICH_VMCR_FIQEN | 0xf8UL << 24);
	for (u32 e = 0; e < EVENTS; e++) {
		mapti(e, LPI + e, 0);
		event(0x03, e);
	}
	redist(0, 0x10200, 4, 1); /* GICR_ISPENDR0 */
	enter(&vcpu[0]);
	assert_int_equal(hw_ack(0), 0);
	hw_eoi(0, 0);
	fake_cpu = 0;
	fake_set("ICH_VMCR_EL2", ICH_VMCR_ENG1 | ICH_VMCR_FIQEN | 0xf8UL << 24);
	for (u32 e = 0; e < EVENTS; e++)
		assert_int_equal(take(0), LPI + e);
}

/* ---- commands ---- */

static void no_good(void **state)
{
	static const u64 bad[][4] = {
		{ 0, 0, 0, 0 },
		{ 0x08 | 0x10000UL << 32, 2, BIT(63), 0 },
		{ 0x09, 0, BIT(63) | 3UL << 16, 0 },
		{ 0x09, 0, BIT(63) | 32, 0 },
		{ 0x0a | 0x11UL << 32, 1 | (u64)LPI << 32, 0, 0 },
		{ 0x0a | (u64)DEVICE << 32, EVENTS | (u64)LPI << 32, 0, 0 },
		{ 0x0a | (u64)DEVICE << 32, 1 | 8191UL << 32, 0, 0 },
		{ 0x0a | (u64)DEVICE << 32, 1 | 16384UL << 32, 0, 0 },
		{ 0x0b | (u64)DEVICE << 32, 1, 0, 0 },
		{ 0x01 | (u64)DEVICE << 32, 1, 0, 0 },
		{ 0x0e, 0, 3UL << 16, 0 },
		{ 0x0e, 0, 0, 3UL << 16 },
		{ 0x0d, 0, 99, 0 },
		{ 0x05, 0, 77UL << 16, 0 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		command(bad[i][0], bad[i][1], bad[i][2], bad[i][3]);
	/* A line for the first ones. */
	assert_int_equal(lines, 8);
	mapti(1, LPI + 3, 0);
	vgic_inject_lpi(PLPI + 1);
	assert_int_equal(take(0), LPI + 3);
	/* A queue that is no RAM is done at once. */
	its_rw(0x00, 4, true, 0);
	its_rw(0x80, 8, true, BIT(63) | BIT(40) | 255);
	its_rw(0x00, 4, true, 1);
	its_rw(0x88, 8, true, 0xfffe0);
	assert_int_equal(its_rw(0x90, 8, false, 0), 0xfffe0);
}

/* A write that adds many is done in pieces, and is the same write each time. */
static void in_pieces(void **state)
{
	struct mmio m = { .offset = 0x88, .size = 8, .write = true };
	u32 pieces = 0;

	(void)state;
	for (u32 i = 0; i < 320; i++)
		put_command(0x05, 0, 0, 0);
	m.data = at;
	do {
		m.waits = false;
		assert_true(vm.mmio.region[2].fn(&vcpu[0], vm.mmio.region[2].dev, &m));
		pieces++;
	} while (m.waits);
	assert_int_equal(pieces, 10);
	assert_int_equal(its_rw(0x90, 8, false, 0), at);
}

/* A command that becomes another one between its pieces. */
static void changed_meanwhile(void **state)
{
	struct mmio m = { .offset = 0x88, .size = 8, .write = true };
	u64 begin = at;
	u32 pieces = 0;

	(void)state;
	put_command(0x0d, 0, 0, 0);
	m.data = at;
	do {
		m.waits = false;
		assert_true(vm.mmio.region[2].fn(&vcpu[0], vm.mmio.region[2].dev, &m));
		memset(ram + begin, 0, 32);
		assert_true(++pieces < 4);
	} while (m.waits);
	assert_int_equal(its_rw(0x90, 8, false, 0), at);
}

/* ---- neither lost nor doubled ---- */

static u64 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (u32)(seed >> 33) % n;
}

/*
 * Messages sent and taken, and whether one was sent since the last was taken. One that is in a list
 * register when it moves may be taken there yet, as from a CPU interface; so with moves a second
 * message need not merge with the first.
 */
static bool pending[EVENTS], moves;
static unsigned sent[EVENTS], got[EVENTS];

static void taken(u32 intid)
{
	if (intid == SPURIOUS)
		return;
	assert_true(intid - LPI < EVENTS);
	assert_true(moves || pending[intid - LPI]);
	assert_true(++got[intid - LPI] <= sent[intid - LPI]);
	pending[intid - LPI] = false;
}

static void step(void)
{
	u32 e = rnd(EVENTS), n = rnd(3);

	switch (rnd(10)) {
	case 0:
	case 1:
	case 2:
		pending[e] = true;
		sent[e]++;
		if (rnd(2))
			vgic_inject_lpi(PLPI + e);
		else
			event(0x03, e);
		break;
	case 3:
		if (moves)
			command(0x01 | (u64)DEVICE << 32, e, n, 0);
		break;
	case 4:
		if (moves)
			command(0x0e, 0, (u64)n << 16, (u64)rnd(3) << 16);
		break;
	case 5:
		ram[MIB(1) + e] ^= 1;
		event(0x0c, e);
		break;
	case 6:
		if (cpu_of(&vcpu[n]) >= 0)
			put(&vcpu[n]);
		else
			load(&vcpu[n], (int)n);
		fake_cpu = 0;
		break;
	default:
		if (cpu_of(&vcpu[n]) >= 0)
			taken(take(n));
	}
}

static void each_once(void **state)
{
	u32 left = 0;

	moves = *state != NULL;
	memset(sent, 0, sizeof(sent));
	memset(got, 0, sizeof(got));
	memset(pending, 0, sizeof(pending));
	for (u32 e = 0; e < EVENTS; e++)
		mapti(e, LPI + e, e % 3);
	for (u32 i = 0; i < 200000; i++)
		step();
	for (u32 i = 0; i < 3; i++)
		if (cpu_of(&vcpu[i]) < 0)
			load(&vcpu[i], (int)i);
	fake_cpu = 0;
	memset(ram + MIB(1), 0xa1, EVENTS);
	for (u32 i = 0; i < 3; i++)
		command(0x0d, 0, i, 0);
	for (u32 i = 0; i < 100; i++)
		taken(take(i % 3));
	for (u32 e = 0; e < EVENTS; e++)
		left += pending[e];
	assert_int_equal(left, 0);
}

static void each_once_moved(void **state)
{
	void *yes = &moves;

	(void)state;
	each_once(&yes);
}

/* ---- at random ---- */

static void hostile(void **state)
{
	static const u8 regs[] = { 0x00, 0x80, 0x88, 0x90, 0x04, 0x84 };

	(void)state;
	for (u32 i = 0; i < 20000; i++) {
		for (u32 k = 0; k < 8; k++) {
			u64 *w = (u64 *)(ram + rnd(QUEUE_BYTES / 32) * 32);

			w[0] = rnd(17) | (u64)(rnd(4) ? rnd(40) : rnd(1u << 30)) << 32;
			w[1] = rnd(2) ? rnd(300) | (u64)(LPI + rnd(9000)) << 32 : seed * 7;
			w[2] = rnd(2) ? BIT(63) | (u64)rnd(4) << 16 | rnd(40) : seed * 3;
			w[3] = seed;
		}
		its_rw(0x00, 4, true, rnd(8));
		if (rnd(4))
			its_rw(0x88, 8, true, rnd(QUEUE_BYTES) & ~31u);
		else
			its_rw(regs[rnd(sizeof(regs))], rnd(2) ? 4 : 4, true, seed);
		if (!rnd(8)) {
			its_rw(0x100 + 8 * rnd(3), 8, true, seed);
			redist(rnd(3), rnd(2) ? 0 : 0x70, rnd(2) ? 4 : 4, seed);
		}
		vgic_inject_lpi(PLPI + rnd(EVENTS));
		if (!rnd(3))
			(void)take(rnd(3));
	}
	vgic_vm_reset(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registers, up, down),
		cmocka_unit_test_setup_teardown(messages, up, down),
		cmocka_unit_test_setup_teardown(registers_of_others, up, down),
		cmocka_unit_test_setup_teardown(storm, up, down),
		cmocka_unit_test_setup_teardown(in_service, up, down),
		cmocka_unit_test_setup_teardown(properties, up, down),
		cmocka_unit_test_setup_teardown(gone, up, down),
		cmocka_unit_test_setup_teardown(many, up, down),
		cmocka_unit_test_setup_teardown(group_off, up, down),
		cmocka_unit_test_setup_teardown(no_good, up, down),
		cmocka_unit_test_setup_teardown(in_pieces, up, down),
		cmocka_unit_test_setup_teardown(changed_meanwhile, up, down),
		cmocka_unit_test_setup_teardown(each_once, up, down),
		cmocka_unit_test_setup_teardown(each_once_moved, up, down),
		cmocka_unit_test_setup_teardown(hostile, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
