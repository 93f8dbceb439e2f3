/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Linux program without a libc, for Xen's dom0: asks Xen about a domain until that has powered
 * itself off, for wait= seconds at most.
 *
 *   xenwait [domain=N] [wait=N]
 *
 * Ends with "xenwait: PASS domain n is off" or "xenwait: FAIL: why".
 */
#include "linux/linux.h"

#define SYS_IOCTL 29
#define SYS_OPENAT 56
#define AT_FDCWD (-100)
#define O_RDWR 2
#define EACCES 13

const char program_name[] = "xenwait";

/* Linux, include/uapi/xen/privcmd.h: IOCTL_PRIVCMD_HYPERCALL. */
struct hypercall {
	u64 op, arg[5];
};
#define PRIVCMD_HYPERCALL ((u64)sizeof(struct hypercall) << 16 | 'P' << 8)

/* Xen, public/domctl.h: the head of struct xen_domctl, and of what getdomaininfo answers. */
#define HYPERVISOR_DOMCTL 36
#define DOMCTL_GETDOMAININFO 5
#define DOMINF_SHUTDOWN BIT(2)
#define DOMINF_REASON(flags) ((flags) >> 16 & 0xff)
struct domctl {
	u32 cmd, version;
	u16 domain, pad[3];
	union {
		struct {
			u16 domain, pad;
			u32 flags;
		} info;
		u8 room[512];
	};
};

static u32 privcmd;

/* What Xen answers: 0, or an error negated. */
static long domctl(struct domctl *op)
{
	struct hypercall call = { HYPERVISOR_DOMCTL, { (u64)op } };

	return syscall3(SYS_IOCTL, privcmd, PRIVCMD_HYPERCALL, (u64)&call);
}

/* The domain's flags. Xen says EACCES until it is asked in its own version. */
static u32 domain_flags(u64 domain)
{
	static u32 version = 1;
	struct domctl op;
	long err;

	for (; version < 256; version++) {
		op = (struct domctl){
			.cmd = DOMCTL_GETDOMAININFO, .version = version, .domain = (u16)domain
		};
		err = domctl(&op);
		if (!err && op.info.domain == domain)
			return op.info.flags;
		if (err != -EACCES)
			failed("domain %lu: error %ld", domain, -err);
	}
	failed("no version of domctl is Xen's");
}

u64 program(char **argv)
{
	u64 domain = arg(argv, "domain", 1), wait = arg(argv, "wait", 600);
	u64 second[2] = { 1, 0 };
	long fd = syscall6(SYS_OPENAT, (u64)AT_FDCWD, (u64) "/dev/xen/privcmd", O_RDWR, 0, 0, 0);
	u32 flags;

	if (fd < 0)
		failed("/dev/xen/privcmd: error %ld", -fd);
	privcmd = (u32)fd;
	for (u64 i = 0; i < wait; i++) {
		flags = domain_flags(domain);
		if (flags & DOMINF_SHUTDOWN) {
			/* 0: power off; 1: reboot, as after a panic. */
			if (DOMINF_REASON(flags))
				failed("domain %lu ended for reason %u", domain,
				       DOMINF_REASON(flags));
			say("PASS domain %lu is off", domain);
			return 0;
		}
		if (i % 10 == 9)
			say("domain %lu: flags %x", domain, flags);
		syscall3(SYS_NANOSLEEP, (u64)second, 0, 0);
	}
	failed("domain %lu is not off after %lu s", domain, wait);
}
