/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmm -k KERNEL [-i INITRD] [-a CMDLINE] [-c VCPUS] [-m MIB] [--nested]
 *
 * Boots one VM under Linux/KVM, its console on standard output (no input). KERNEL is an arm64
 * Image. Status: 0 it powered off or reset itself, 1 it could not be run, 2 it failed.
 */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>

#define IPA_BITS 40

void die(const char *fmt, ...)
{
	const char *why = errno ? strerror(errno) : NULL;
	va_list ap;

	uart_flush();
	va_start(ap, fmt);
	fprintf(stderr, "vmm: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, why ? ": %s\n" : "\n", why);
	va_end(ap);
	exit(1);
}

int must(int fd, unsigned long request, unsigned long arg, const char *what)
{
	int r = ioctl(fd, request, arg);

	if (r < 0)
		die("%s", what);
	return r;
}

static unsigned long number(const char *option, const char *s, unsigned long most)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (!*s || *end || !v || v > most)
		die("%s wants a number from 1 to %lu, not \"%s\"", option, most, s);
	return v;
}

static void options(struct vm *vm, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "nested", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "k:i:a:c:m:", longs, NULL)) != -1) {
		switch (c) {
		case 'k':
			vm->kernel = optarg;
			break;
		case 'i':
			vm->initrd = optarg;
			break;
		case 'a':
			vm->cmdline = optarg;
			break;
		case 'c':
			vm->cpus = (unsigned)number("-c", optarg, CPUS_MAX);
			break;
		case 'm':
			vm->ram_bytes = number("-m", optarg, 1ul << 20) << 20;
			break;
		case 'n':
			vm->nested = true;
			break;
		default:
			exit(1);
		}
	}
	if (!vm->kernel || optind < argc)
		die("usage: vmm -k KERNEL [-i INITRD] [-a CMDLINE] [-c VCPUS] [-m MIB] [--nested]");
}

static void vm_create(struct vm *vm)
{
	int bits;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die("/dev/kvm");
	bits = must(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE, "IPA size");
	/* 0 stands for 40 bits, also where there is no such extension. */
	vm->fd = must(vm->kvm, KVM_CREATE_VM,
		      bits && bits < IPA_BITS ? KVM_VM_TYPE_ARM_IPA_SIZE((unsigned)bits) : 0,
		      "KVM_CREATE_VM");
}

int main(int argc, char **argv)
{
	static struct vm vm = { .cmdline = "", .cpus = 1, .ram_bytes = 256ul << 20 };

	errno = 0;
	options(&vm, argc, argv);
	vm_create(&vm);
	ram_init(&vm);
	fdt_init(&vm);
	gic_init(&vm);
	vcpus_init(&vm);
	gic_start(&vm);
	vcpus_run(&vm);
}
