/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI tables for unit tests, written byte by byte as the specification (6.5) has them: a machine
 * much like QEMU's virt, whose parts a test leaves out, doubles or spoils.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ACPI_SPACE 65536

struct acpi_machine {
	unsigned char *at;   /* where the next table goes */
	unsigned char *xsdt; /* entries are added by acpi_begin() */
	unsigned char *rsdp, *fadt, *madt, *gtdt, *spcr, *mcfg, *iort;
	unsigned char *open; /* the table that is being written */
	unsigned char space[ACPI_SPACE];
};

static inline void acpi_put(unsigned char *p, unsigned at, unsigned n, uint64_t v)
{
	for (; n--; v >>= 8)
		p[at++] = (unsigned char)v;
}

static inline uint32_t acpi_size(const unsigned char *table)
{
	return (uint32_t)table[4] | (uint32_t)table[5] << 8 | (uint32_t)table[6] << 16;
}

static inline void acpi_sum(unsigned char *p, unsigned at, unsigned n)
{
	unsigned char sum = 0;

	p[at] = 0;
	for (unsigned i = 0; i < n; i++)
		sum = (unsigned char)(sum + p[i]);
	p[at] = (unsigned char)-sum;
}

/* Put a table's checksum right after a change. */
static inline void acpi_seal(unsigned char *table)
{
	acpi_sum(table, 9, acpi_size(table));
}

/* A table of this size, zero behind its header, that the XSDT names. */
static inline unsigned char *acpi_begin(struct acpi_machine *m, const char *signature, unsigned size,
					unsigned revision)
{
	unsigned char *t = m->at;

	memset(t, 0, size);
	memcpy(t, signature, 4);
	acpi_put(t, 4, 4, size);
	t[8] = (unsigned char)revision;
	m->at += (size + 64) & ~7u;
	if (m->xsdt) {
		acpi_put(m->xsdt, acpi_size(m->xsdt), 8, (uintptr_t)t);
		acpi_put(m->xsdt, 4, 4, acpi_size(m->xsdt) + 8);
		acpi_seal(m->xsdt);
	}
	return t;
}

/* A structure at the end of the MADT, which must be the last table by then. */
static inline unsigned char *acpi_entry(struct acpi_machine *m, unsigned kind, unsigned size)
{
	unsigned char *e = m->madt + acpi_size(m->madt);

	memset(e, 0, size);
	e[0] = (unsigned char)kind;
	e[1] = (unsigned char)size;
	acpi_put(m->madt, 4, 4, acpi_size(m->madt) + size);
	acpi_seal(m->madt);
	return e;
}

static inline unsigned char *acpi_gicc(struct acpi_machine *m, uint64_t mpidr, unsigned flags,
				       uint64_t gicr)
{
	unsigned char *e = acpi_entry(m, 11, 80);

	acpi_put(e, 12, 4, flags);
	acpi_put(e, 56, 4, 25);
	acpi_put(e, 60, 8, gicr);
	acpi_put(e, 68, 8, mpidr);
	acpi_seal(m->madt);
	return e;
}

static inline unsigned char *acpi_gicd(struct acpi_machine *m, uint64_t base, unsigned version)
{
	unsigned char *e = acpi_entry(m, 12, 24);

	acpi_put(e, 8, 8, base);
	e[20] = (unsigned char)version;
	acpi_seal(m->madt);
	return e;
}

static inline void acpi_gicr(struct acpi_machine *m, uint64_t base, uint32_t size)
{
	unsigned char *e = acpi_entry(m, 14, 16);

	acpi_put(e, 4, 8, base);
	acpi_put(e, 12, 4, size);
	acpi_seal(m->madt);
}

/* All but the structures of the MADT. */
static inline void acpi_tables_of(struct acpi_machine *m)
{
	m->at = m->space;
	m->xsdt = NULL;
	m->rsdp = m->at;
	memset(m->rsdp, 0, 36);
	memcpy(m->rsdp, "RSD PTR ", 8);
	m->rsdp[15] = 2;
	acpi_put(m->rsdp, 20, 4, 36);
	m->at += 64;
	m->xsdt = acpi_begin(m, "XSDT", 36, 1);
	m->at += 1024;
	acpi_put(m->rsdp, 24, 8, (uintptr_t)m->xsdt);
	acpi_sum(m->rsdp, 8, 20);
	acpi_sum(m->rsdp, 32, 36);
	m->fadt = acpi_begin(m, "FACP", 276, 6);
	acpi_put(m->fadt, 129, 2, 1);
	acpi_seal(m->fadt);
	m->gtdt = acpi_begin(m, "GTDT", 104, 3);
	acpi_put(m->gtdt, 48, 4, 29);
	acpi_put(m->gtdt, 56, 4, 30);
	acpi_put(m->gtdt, 64, 4, 27);
	acpi_put(m->gtdt, 72, 4, 26);
	acpi_put(m->gtdt, 96, 4, 28);
	acpi_seal(m->gtdt);
	m->spcr = acpi_begin(m, "SPCR", 80, 2);
	m->spcr[36] = 3;
	acpi_put(m->spcr, 44, 8, 0x9000000);
	m->spcr[52] = 8;
	acpi_put(m->spcr, 54, 4, 33);
	acpi_seal(m->spcr);
	m->madt = acpi_begin(m, "APIC", 44, 5);
	acpi_seal(m->madt);
}

/* A table of entries at the end of table, which grows; it must be the last table by then. */
static inline unsigned char *acpi_grow(unsigned char *table, unsigned size)
{
	unsigned char *e = table + acpi_size(table);

	memset(e, 0, size);
	acpi_put(table, 4, 4, acpi_size(table) + size);
	acpi_seal(table);
	return e;
}

/* An entry of the MCFG: begin it before with acpi_begin(m, "MCFG", 44, 1). */
static inline void acpi_segment(struct acpi_machine *m, uint64_t base, unsigned segment,
				unsigned first, unsigned last)
{
	unsigned char *e = acpi_grow(m->mcfg, 16);

	acpi_put(e, 0, 8, base);
	acpi_put(e, 8, 2, segment);
	e[10] = (unsigned char)first;
	e[11] = (unsigned char)last;
	acpi_seal(m->mcfg);
}

/* A node of the IORT with room for its own fields and ID mappings; returns its offset. */
static inline unsigned acpi_iort_node(struct acpi_machine *m, unsigned kind, unsigned size, unsigned maps)
{
	unsigned at = acpi_size(m->iort);
	unsigned char *e = acpi_grow(m->iort, size + 20 * maps);

	e[0] = (unsigned char)kind;
	acpi_put(e, 1, 2, size + 20 * maps);
	acpi_put(e, 8, 4, maps);
	acpi_put(e, 12, 4, size);
	m->iort[36]++;
	acpi_seal(m->iort);
	return at;
}

/* ID mapping i of the node at an offset. */
static inline void acpi_iort_map(struct acpi_machine *m, unsigned node, unsigned i, uint32_t in,
				 uint32_t count, uint32_t out, uint32_t to, uint32_t flags)
{
	unsigned char *e = m->iort + node;

	e += e[12] + 20 * i;
	acpi_put(e, 0, 4, in);
	acpi_put(e, 4, 4, count - 1);
	acpi_put(e, 8, 4, out);
	acpi_put(e, 12, 4, to);
	acpi_put(e, 16, 4, flags);
	acpi_seal(m->iort);
}

/* PCI as QEMU's virt has it: one segment, one SMMU, one ITS, all functions behind both. */
static inline void acpi_pci(struct acpi_machine *m)
{
	unsigned its, smmu, root;

	m->at = m->madt + 4096;
	m->mcfg = acpi_begin(m, "MCFG", 44, 1);
	m->at += 1024;
	acpi_segment(m, 0x4010000000, 0, 0, 255);
	m->iort = acpi_begin(m, "IORT", 48, 3);
	m->at += 4096;
	acpi_put(m->iort, 40, 4, 48);
	its = acpi_iort_node(m, 0, 24, 0);
	m->iort[its + 16] = 1;
	smmu = acpi_iort_node(m, 4, 68, 1);
	acpi_put(m->iort, smmu + 16, 8, 0x9050000);
	acpi_put(m->iort, smmu + 44, 4, 106);
	acpi_put(m->iort, smmu + 52, 4, 109);
	acpi_iort_map(m, smmu, 0, 0, 0x10000, 0, its, 0);
	root = acpi_iort_node(m, 2, 36, 1);
	m->iort[root + 16] = 1;
	acpi_iort_map(m, root, 0, 0, 0x10000, 0, smmu, 0);
}

/* A whole machine: four CPUs, one disabled, one that may be added later. */
static inline void acpi_machine(struct acpi_machine *m)
{
	acpi_tables_of(m);
	acpi_gicd(m, 0x8000000, 3);
	acpi_gicc(m, 0x000, 1, 0);
	acpi_gicc(m, 0x100000001, 1, 0);
	acpi_gicc(m, 0x002, 0, 0);
	acpi_gicc(m, 0x003, 8, 0);
	acpi_gicr(m, 0x80a0000, 0xf60000);
	acpi_put(acpi_entry(m, 15, 20), 8, 8, 0x8080000);
	acpi_seal(m->madt);
}
