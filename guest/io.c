/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that does little but I/O and uses the SIMD registers in each request, to measure what
 * keeping them live over level switches saves (bench/headline.sh):
 *
 *   device  reads a register of the hypervisor's UART
 *   serial  sends a character to that UART and takes its transmit interrupt
 *   timer   sets its timer, sleeps until it fires, takes its interrupt
 *   disk    fills a block, writes it to a virtio disk, reads it back, sums it up; two interrupts
 *   mixed   all of these in turn
 *
 * Each kind n=COUNT times after some to warm up; prints "io: KIND TICKS" for a request and counts a
 * request whose data are wrong as a failure. "only KIND": that kind alone. rounds=COUNT: all of it
 * so many times. Without a disk, disk requests are left out. vl=BITS: vector length, if there is SVE; 0: V registers. vls: everything
 * at each of 128, 256, 512 and 2048 bits that exists.
 */
#include "io/virtio.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/mark.h"
#include "lib/suite.h"
#include "lib/timer.h"

const char guest_name[] = "io";

#define BLOCK 4096
#define WARM 8

/* io.S */
void fill_v(void *block, u64 seed);
void fill_z(void *block, u64 seed);
u64 sum_v(const void *block);
u64 sum_z(const void *block);
u64 vector_bits(void);

static u8 out[BLOCK] __attribute__((aligned(BLOCK)));
static u8 in[BLOCK] __attribute__((aligned(BLOCK)));

static void (*fill)(void *block, u64 seed);
static u64 (*sum)(const void *block);
static u64 seed;
static volatile u32 uart_irqs, timer_irqs, disk_irqs;

/* Registers of the PL011. */
#define UART_DR 0x00
#define UART_FR 0x18
#define UART_IMSC 0x38
#define UART_MIS 0x40
#define UART_ICR 0x44
#define UART_FR_TXFF BIT(5)
#define UART_TX BIT(5)

static void on_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	if (id == dt.uart_intid) {
		write32(dt.uart + UART_IMSC, 0);
		write32(dt.uart + UART_ICR, UART_TX);
		uart_irqs = uart_irqs + 1;
	} else if (id == dt.ppi_virt) {
		timer_set_ctl(TIMER_VIRT, 0);
		timer_irqs = timer_irqs + 1;
	} else if (disk_is_intid(id)) {
		disk_irq();
		disk_irqs = disk_irqs + 1;
	}
	gic_eoi(id);
}

/* Sleep until the handler has counted *irqs beyond seen. */
static void wait_for(volatile u32 *irqs, u32 seen)
{
	while (*irqs == seen) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

/* The sum of the 512 words that fill_v(), fill_z() make: seed times the odd numbers. */
static u64 sum_of(u64 s)
{
	return s * (BLOCK / 8) * (BLOCK / 8);
}

/* Fill a block and sum it up: every vector register operation that a request has. */
static void compute(void)
{
	seed++;
	fill(out, seed);
	expect_eq(sum(out), sum_of(seed), "sum of the block");
}

static void request_device(void)
{
	compute();
	expect(!(read32(dt.uart + UART_FR) & BIT(3)), "UARTFR.BUSY");
}

static void request_serial(void)
{
	u32 seen = uart_irqs;

	compute();
	while (read32(dt.uart + UART_FR) & UART_FR_TXFF)
		;
	write32(dt.uart + UART_IMSC, UART_TX);
	write32(dt.uart + UART_DR, '.');
	wait_for(&uart_irqs, seen);
}

static void request_timer(void)
{
	u32 seen = timer_irqs;

	compute();
	timer_set_cval(TIMER_VIRT, timer_now(TIMER_VIRT));
	timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	wait_for(&timer_irqs, seen);
}

static void disk_request(bool write, u64 sector, void *block)
{
	u32 seen = disk_irqs;

	disk_start(write, sector, block, BLOCK);
	wait_for(&disk_irqs, seen);
	expect(disk_done(), "the disk refuses a request");
}

static void request_disk(void)
{
	u64 sector = seed % 64 * (BLOCK / 512);

	compute();
	disk_request(true, sector, out);
	memset(in, 0, 64);
	disk_request(false, sector, in);
	expect_eq(sum(in), sum_of(seed), "sum of what was read");
}

static void request_mixed(void)
{
	u32 i;

	for (i = 0; i < 4; i++)
		request_device();
	for (i = 0; i < 4; i++)
		request_serial();
	request_timer();
	if (disk_is_there())
		request_disk();
}

static void measure(const char *name, void (*request)(void), u64 n)
{
	u64 i, t;

	if (dt_flag("only") && !dt_flag(name))
		return;
	test_begin(name);
	for (i = 0; i < WARM; i++)
		request();
	mark_begin();
	t = counter_virt();
	for (i = 0; i < n; i++)
		request();
	t = counter_virt() - t;
	mark_end();
	print("\nio: %s %lu%s\n", name, (t + n / 2) / n, test_failed() ? " failed" : "");
}

static bool has_sve(void)
{
	return FIELD(sysreg_read(ID_AA64PFR0_EL1), 35, 32);
}

/* Use V registers, or Z registers of so many bits (0: the first). Returns the actual length. */
static u64 choose_registers(u64 bits)
{
	fill = fill_v;
	sum = sum_v;
	sysreg_write(CPACR_EL1, 3UL << 20 | 3UL << 16);
	isb();
	if (!bits || !has_sve())
		return 128;
	sysreg_write(ZCR_EL1, bits / 128 - 1);
	isb();
	fill = fill_z;
	sum = sum_z;
	return vector_bits();
}

static void measure_all(u64 n)
{
	measure("device", request_device, n);
	measure("serial", request_serial, n);
	measure("timer", request_timer, n);
	if (disk_is_there())
		measure("disk", request_disk, n);
	measure("mixed", request_mixed, n);
}

static void each_length(u64 n)
{
	static const u64 lengths[] = { 128, 256, 512, 2048 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		if (choose_registers(lengths[i]) != lengths[i])
			continue;
		print("io: vl %lu\n", lengths[i]);
		measure_all(n);
	}
}

void guest_main(void)
{
	u64 n = MAX(dt_arg("n", 100), 1UL);

	mark_start();
	gic_dist_init();
	gic_cpu_init();
	cpu_self()->irq = on_irq;
	gic_enable(dt.ppi_virt);
	gic_enable(dt.uart_intid);
	gic_route(dt.uart_intid, cpu_self()->mpidr);
	test_begin("disk");
	disk_init();
	if (!disk_is_there())
		test_skip("no virtio disk");
	if (dt_flag("vls")) {
		each_length(n);
	} else {
		u64 rounds = dt_arg("rounds", 1);

		print("io: vl %lu\n", choose_registers(dt_arg("vl", 0)));
		while (rounds--)
			measure_all(n);
	}
}
