/* SPDX-License-Identifier: Apache-2.0 */
/* What is optional of the machine in its device tree: console and clock. */
#include <libfdt.h>

#include "boot/earlycon.h"
#include "boot/fdt_parts.h"

#include "arch/feat.h"
#include "dev/dt.h"
#include "mm/addr.h"

/* bytes, up to UARTICR; bindings of SoCs give fewer than the 4 KiB of the IP block */
#define UART_REGS 0x48
#define UART_8250_REGS 8UL /* registers that every one has */
#define RTC_REGS 0x20      /* up to RTCICR */

/* The node of /chosen/stdout-path, a path or alias with options after a colon; -1: none. */
static int stdout_node(const struct dt *dt, int chosen)
{
	const char *path, *colon;
	int len;

	if (chosen < 0)
		return -1;
	path = fdt_getprop(dt->fdt, chosen, "stdout-path", &len);
	if (!path || len < 1 || path[len - 1])
		return -1;
	colon = strchr(path, ':');
	return fdt_path_offset_namelen(dt->fdt, path,
				       colon ? (int)(colon - path) : (int)strlen(path));
}

static int kind_of(const void *fdt, int node)
{
	for (u32 i = 0; i < UART_BINDINGS; i++)
		if (dt_compatible(fdt, node, uart_bindings[i].compatible))
			return uart_bindings[i].kind;
	return -1;
}

/* The console's node: what stdout-path names, or the first of the first kind that there is. */
static bool find_uart(const struct dt *dt, struct dt_path *p)
{
	int node = stdout_node(dt, fdt_subnode_offset(dt->fdt, 0, "chosen"));

	if (node >= 0 && kind_of(dt->fdt, node) >= 0 && dt_path_to(dt->fdt, node, p) &&
	    dt_path_enabled(dt->fdt, p))
		return true;
	for (u32 i = 0; i < UART_BINDINGS; i++)
		if (dt_find_compatible(dt->fdt, uart_bindings[i].compatible, p))
			return true;
	return false;
}

/* Where an 8250's registers are and how they are accessed (serial/8250.yaml). */
static bool layout_8250(struct machine *m, const struct dt *dt, int node)
{
	m->uart_shift = 0;
	m->uart_width = 1;
	if ((dt_has(dt->fdt, node, "reg-shift") &&
	     !dt_u32(dt, node, "reg-shift", &m->uart_shift)) ||
	    (dt_has(dt->fdt, node, "reg-io-width") &&
	     !dt_u32(dt, node, "reg-io-width", &m->uart_width)))
		return false;
	if (m->uart_shift > 4)
		return dt_fail(dt, node, "reg-shift", "expected at most 4, found %u; not used",
			       m->uart_shift);
	if (m->uart_width != 1 && (m->uart_width != 4 || m->uart_shift < 2))
		return dt_fail(dt, node, "reg-io-width",
			       "expected 1, or 4 with a reg-shift of 2 or more, found %u; not used",
			       m->uart_width);
	return true;
}

/* The UART's registers, which must not be in RAM or the GIC. */
static bool uart_reg(struct machine *m, const struct dt *dt, const struct dt_path *p)
{
	int node = p->node[p->depth];
	u64 need = UART_REGS;
	struct range r;

	m->uart_kind = (enum uart_kind)kind_of(dt->fdt, node);
	if (!dt_reg(dt, p, 0, &r))
		return false;
	if (m->uart_kind == UART_8250) {
		if (!layout_8250(m, dt, node))
			return false;
		need = UART_8250_REGS << m->uart_shift;
	}
	if (r.size < need || !IS_ALIGNED(r.base, 4) || r.base + r.size > PA_LIMIT)
		return dt_fail(dt, node, "reg",
			       "expected 0x%lx bytes at a multiple of 4 below 1 << %u, found 0x%lx "
			       "+ 0x%lx; not used",
			       need, feat.pa_bits, r.base, r.size);
	if (fdt_on_memory(m, r) || range_overlaps(r, m->gicd))
		return dt_fail(dt, node, "reg",
			       "expected registers that are not in memory or the GIC, found 0x%lx "
			       "+ 0x%lx; not used",
			       r.base, r.size);
	m->uart = r;
	return true;
}

/* An extended or a private one is not handled, nor may a VM's passed-through device have it. */
static bool own_spi(const struct dt *dt, int node, u32 intid)
{
	if (intid >= 32 && intid < 1020)
		return true;
	return dt_fail(dt, node, "interrupts",
		       "expected an SPI (INTID 32 to 1019), found %u; not used", intid);
}

/*
 * The console is optional: without a UART that can be used there is a note and no console; one
 * whose interrupt cannot be translated is output only.
 */
void fdt_read_uart(struct machine *m, const struct dt *dt)
{
	struct dt_irq irq[8];
	struct dt_path p;
	struct dt quiet;
	int count;

	m->uart_node = -1;
	if (!find_uart(dt, &p))
		return;
	m->uart_node = p.node[p.depth];
	quiet = fdt_note_begin(m, dt);
	if (uart_reg(m, &quiet, &p)) {
		count = dt_interrupts(&quiet, &p, m->gic_node, irq, ARRAY_SIZE(irq));
		if (count > 0 && own_spi(&quiet, m->uart_node, irq[0].intid))
			m->uart_intid = irq[0].intid;
	}
	fdt_note_end(m);
}

/* The clock is optional, as is its interrupt, of which only the number counts. */
void fdt_read_rtc(struct machine *m, const struct dt *dt)
{
	struct dt_path p;
	struct dt quiet;
	struct dt_irq irq[8];
	struct range r;
	int node;

	if (!dt_find_compatible(dt->fdt, "arm,pl031", &p))
		return;
	node = p.node[p.depth];
	quiet = fdt_note_begin(m, dt);
	if (!dt_reg(&quiet, &p, 0, &r)) {
		fdt_note_end(m);
		return;
	}
	if (r.size < RTC_REGS || !IS_ALIGNED(r.base, 4) || r.base + r.size > PA_LIMIT ||
	    fdt_on_memory(m, r) || range_overlaps(r, m->gicd)) {
		dt_fail(&quiet, node, "reg",
			"expected registers at a multiple of 4 below 1 << %u, not in memory or "
			"the GIC, found 0x%lx + 0x%lx; not used",
			feat.pa_bits, r.base, r.size);
		fdt_note_end(m);
		return;
	}
	m->rtc = r;
	if (dt_interrupts(&quiet, &p, m->gic_node, irq, ARRAY_SIZE(irq)) > 0 &&
	    own_spi(&quiet, node, irq[0].intid))
		m->rtc_intid = irq[0].intid;
	fdt_note_end(m);
}
