/* SPDX-License-Identifier: Apache-2.0 */
/* A split virtqueue of four descriptors; a request takes three of them. */
#include "virtio.h"

#include "lib/dt.h"
#include "lib/gic.h"
#include "lib/test.h"

#define MAGIC 0x000
#define VERSION 0x004
#define DEVICE_ID 0x008
#define DEVICE_FEATURES 0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL 0x030
#define QUEUE_NUM 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define INTERRUPT_STATUS 0x060
#define INTERRUPT_ACK 0x064
#define STATUS 0x070
#define QUEUE_DESC 0x080
#define QUEUE_DRIVER 0x090
#define QUEUE_DEVICE 0x0a0

#define VIRTIO_MAGIC 0x74726976
#define BLOCK_DEVICE 2
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define FEATURE_VERSION_1 BIT(0) /* of the upper word */

#define QUEUE 4
#define NEXT 1
#define DEVICE_WRITES 2

#define BLK_IN 0
#define BLK_OUT 1
#define BLK_OK 0
#define BLK_PENDING 0xff

struct descriptor {
	u64 address;
	u32 length;
	u16 flags, next;
};

static struct {
	struct descriptor desc[QUEUE];
	struct {
		u16 flags, index, ring[QUEUE];
	} driver;
	struct {
		u16 flags, index;
		struct {
			u32 id, length;
		} ring[QUEUE];
	} device __attribute__((aligned(4)));
	struct {
		u32 type, reserved;
		u64 sector;
	} head;
	u8 status;
} queue __attribute__((aligned(4096)));

static u64 base;
static u32 disk_intid;

bool disk_is_there(void)
{
	return base;
}

bool disk_is_intid(u32 intid)
{
	return base && intid == disk_intid;
}

static void set_address(u32 reg, const void *p)
{
	write32(base + reg, (u32)(u64)p);
	write32(base + reg + 4, (u32)((u64)p >> 32));
}

static void set_status(u32 bit)
{
	write32(base + STATUS, read32(base + STATUS) | bit);
}

static bool find(void)
{
	u32 i;

	for (i = 0; i < dt.virtio_count; i++) {
		u64 b = dt.virtio[i].base;

		if (read32(b + MAGIC) != VIRTIO_MAGIC || read32(b + VERSION) != 2 ||
		    read32(b + DEVICE_ID) != BLOCK_DEVICE)
			continue;
		base = b;
		disk_intid = dt.virtio[i].intid;
		return true;
	}
	return false;
}

void disk_init(void)
{
	if (!find())
		return;
	write32(base + STATUS, 0);
	set_status(STATUS_ACKNOWLEDGE);
	set_status(STATUS_DRIVER);
	write32(base + DRIVER_FEATURES_SEL, 0);
	write32(base + DRIVER_FEATURES, 0);
	write32(base + DRIVER_FEATURES_SEL, 1);
	write32(base + DRIVER_FEATURES, FEATURE_VERSION_1);
	set_status(STATUS_FEATURES_OK);
	if (!(read32(base + STATUS) & STATUS_FEATURES_OK))
		test_abort("the disk wants more than VIRTIO_F_VERSION_1");
	write32(base + QUEUE_SEL, 0);
	write32(base + QUEUE_NUM, QUEUE);
	set_address(QUEUE_DESC, queue.desc);
	set_address(QUEUE_DRIVER, &queue.driver);
	set_address(QUEUE_DEVICE, &queue.device);
	write32(base + QUEUE_READY, 1);
	set_status(STATUS_DRIVER_OK);
	gic_set_edge(disk_intid, true);
	gic_route(disk_intid, cpu_self()->mpidr);
	gic_enable(disk_intid);
}

void disk_irq(void)
{
	write32(base + INTERRUPT_ACK, read32(base + INTERRUPT_STATUS));
	dsb(sy);
}

void disk_start(bool write, u64 sector, void *block, u32 bytes)
{
	queue.head.type = write ? BLK_OUT : BLK_IN;
	queue.head.sector = sector;
	queue.status = BLK_PENDING;
	queue.desc[0] = (struct descriptor){ (u64)&queue.head, sizeof(queue.head), NEXT, 1 };
	queue.desc[1] =
		(struct descriptor){ (u64)block, bytes, NEXT | (write ? 0 : DEVICE_WRITES), 2 };
	queue.desc[2] = (struct descriptor){ (u64)&queue.status, 1, DEVICE_WRITES, 0 };
	queue.driver.ring[queue.driver.index % QUEUE] = 0;
	dsb(sy);
	__atomic_store_n(&queue.driver.index, (u16)(queue.driver.index + 1), __ATOMIC_RELEASE);
	dsb(sy);
	write32(base + QUEUE_NOTIFY, 0);
}

bool disk_done(void)
{
	return __atomic_load_n(&queue.device.index, __ATOMIC_ACQUIRE) == queue.driver.index &&
	       queue.status == BLK_OK;
}
