/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a virtual GICv3.
 *
 * Who may touch what:
 *   private interrupts (SGI, PPI)  the CPU that has the vcpu loaded; if none has, whoever takes
 *                                  vgic_vcpu.where from VGIC_MEMORY to VGIC_CLAIMED; others only
 *                                  through the words marked atomic, and by vgic_remote() (remote.c)
 *   SPIs                           the holder of vgic.lock, but for what is in a list register
 *                                  (irq32.inlr): that is the owner's until it folds it back
 * Fields are src/vgic's own unless they say otherwise.
 */
#pragma once

#include "arch/spinlock.h"
#include "lib/types.h"

struct vcpu;
struct vgic_lpis;

#define VGIC_LRS 16   /* list registers at most */
#define VGIC_WORDS 32 /* INTIDs 0-1023 in words of 32; the first is each vcpu's own */

/* State of 32 interrupts; bit n or element n is INTID 32 * word + n. */
struct irq32 {
	u32 enabled, group, edge;
	u32 latch;  /* pending by an event: edge, SGI, ISPENDR */
	u32 line;   /* level of the input; atomic for PPIs */
	u32 active; /* as last folded */
	u32 acked;  /* active by an acknowledgement: an EOI will come */
	/* a physical one, active, is behind the active instance, else is the pending one */
	u32 hw;
	u32 inlr;   /* in a list register: latch and active hold later changes */
	u8 prio[32];
	u8 aprio[32];   /* priority at which it became active */
	u16 pintid[32]; /* valid where hw (or assigned) */
};

/* The effect of one access on (some of) 32 interrupts: irq32.c. */
enum vgic_reg {
	VGIC_NONE, /* only fold the list registers */
	VGIC_GROUP,
	VGIC_ENABLE,
	VGIC_DISABLE,
	VGIC_PEND,
	VGIC_UNPEND,
	VGIC_ACTIVATE,
	VGIC_DEACTIVATE,
	VGIC_PRIORITY, /* data: byte n % 4 for interrupt n */
	VGIC_CONFIG,   /* data: 1 = edge */
	VGIC_ROUTE,    /* data: GICD_IROUTER */
};

struct vgic_op {
	u8 reg; /* enum vgic_reg */
	u8 word;
	bool write;
	u32 mask; /* interrupts that it affects */
	u64 data; /* bit n for interrupt n, if reg doesn't say otherwise */
};

/*
 * VGIC_VEL1: as LOADED, but the list registers are vEL1's, and vEL2's state is in memory
 * (nested.h).
 */
enum vgic_where { VGIC_MEMORY, VGIC_LOADED, VGIC_CLAIMED, VGIC_VEL1 };

/* An operation that a vcpu waits for another one to do: remote.c. Only its own CPU uses this. */
struct vgic_ask {
	/* CNTPCT when the waiting call gives up for now, or 0: it has not waited yet */
	u64 until;
	struct vcpu *posted; /* vcpu whose vgic_vcpu.op is in use for it, or NULL */
	struct vgic_op sent; /* as it was posted there */
	/* the fields below are valid: an access that continues where it stopped */
	bool active;
	u32 todo;            /* interrupts of op, or vcpus (VGIC_NONE), that are left */
	struct vgic_op op;
	u64 value;           /* what has been read so far */
};

#define VGIC_WAITS_SPI 0x80
#define VGIC_WORK_TIMERS 0x7f00 /* waits, but for VGIC_WAITS_SPI */

struct vgic_vcpu {
	/* Public: atomic. vgic_flush() has something to do before the next entry. */
	union {
		struct {
			bool stale;
			/*
			 * Not atomic, of the loaded vcpu. Not 0: one of lr_waits may still be
			 * pending, VGIC_WAITS_SPI: one of lr_spi.
			 */
			u8 waits;
		};
		u16 work; /* both: vgic_work(), VGIC_WORK_TIMERS */
	};
	bool full;      /* atomic: an interrupt in a list register changed, fold all */
	u8 where;       /* atomic: enum vgic_where */
	u8 op_state;    /* atomic: remote.c */
	bool awake;     /* atomic: GICR_WAKER.ProcessorSleep == 0 */
	bool off;       /* atomic: from CPU_OFF to CPU_ON */
	u8 groups_on;   /* atomic: ICH_VMCR_EL2.VENG0 and 1 as its CPU saw them last */
	u8 lpis_on;     /* atomic: GICR_CTLR.EnableLPIs */
	u8 lpi_ready;   /* atomic: there may be some in lpis */
	u8 lpi_held;    /* atomic: there may be some in its list registers */
	u32 mail;       /* atomic: SGIs sent, and PPIs whose line rose, not yet in priv.latch */
	u32 want_words; /* atomic: words of want[] that are not 0; written under vgic.lock */

	/* Of the list registers, by index; empty while not loaded. */
	u16 lr_used;  /* hold an interrupt of memory's view */
	u16 lr_dirty; /* not used, but its content in hardware is not cleared yet */
	u16 lr_spi;   /* used by an SPI */
	u16 lr_lpi;   /* used by an LPI once, since they were last folded */
	u8 lr_any;    /* groups (ICH_VMCR_EL2.VENG0, VENG1) of pending 1 of N SPIs in them */
	u16 lr_hw;    /* HW bit set */
	u16 lr_latch; /* pending by its latch, not (only) by its line */
	/*
	 * Placed as pending, and checked before each entry until acknowledged: level-sensitive with
	 * the HW bit (line.c); all of a vcpu with EL2 (nested_route.c).
	 */
	u16 lr_waits;
	u16 lr_intid[VGIC_LRS];
	u32 lr_line;   /* lines of private interrupts as they were put into list registers */
	/*
	 * A hardware-backed PPI as vgic_redeliver_ppi() may write it, into the list register whose
	 * bit is mask; 0: none.
	 */
	struct vgic_redeliver {
		u64 lr;
		u32 pintid, mask;
	} redeliver;
	u64 hcr;       /* what ICH_HCR_EL2 holds while loaded; VGIC_VEL1: 0 */
	/*
	 * ICH_HCR_EL2.En, and vEL2's traps while vEL1 uses vEL2's interrupts; both as
	 * nested_route.c finds.
	 */
	u64 hcr_en;
	/*
	 * Public; this CPU only: vgic_finish_deferred() has something to do before the next entry
	 */
	bool deferred;
	u32 deferred_eois;  /* deactivations of what is in no list register here */
	u32 deferred_words; /* of deferred_spis[], not 0 */

	u64 vmcr, ap0r[4], ap1r[4]; /* while not loaded, or VGIC_VEL1 */

	struct vgic_lpis *lpis; /* pending and enabled here (lpi.c); NULL: the VM has no ITS */
	u64 pendbaser;          /* GICR_PENDBASER */
	u32 lpi_kicks;          /* vcpus to kick as soon as no lock is held */
	struct irq32 priv;
	/* Of the list registers while VGIC_VEL1, by index (nested.c). */
	u16 vel1_used;           /* hold one of vEL1's interrupts */
	u16 vel1_hw;             /* the hardware deactivates vEL2's lr_intid[] with it */
	u16 vel1_soft;           /* the same, but nidus has to end it */
	u8 polls;               /* polls for held-back interrupts: timers_poll_soon() */
	u8 vel1_slot[VGIC_LRS]; /* which of vEL2's list registers it is */
	/* Causes of vEL2's maintenance interrupt in its ICH_HCR_EL2 and list registers. */
	u64 vel2_causes;
	/*
	 * The last result of vgic_page_maintenance() with all list registers of vEL2's page 0, and
	 * its inputs.
	 */
	struct vgic_page_memo {
		u64 hcr, vmcr;
		bool valid, level;
	} page_memo;

	struct vgic_ask ask;
	struct vgic_eoi_search {
		u32 word, count;   /* how far the search is; SPIs found */
		struct vgic_op op; /* the last one found */
	} eoi_search;
	/* vEL2's SPIs that vEL1 has ended: to be deactivated on the vcpus that hold them */
	u32 deferred_spis[VGIC_WORDS];
	u32 want[VGIC_WORDS]; /* SPIs that want a list register of this vcpu; under vgic.lock */
	struct vgic_op op;    /* posted by another vcpu: remote.c */
};

struct vgic_spis; /* spi.c */
struct vits;      /* vgic/its.h */

struct vgic {
	struct spinlock lock; /* guards SPIs; a leaf but for the machine's own ICFGR lock */
	u32 ctlr;             /* atomic: GICD_CTLR.EnableGrp0 and 1 */
	u32 intids;           /* implemented: a multiple of 32, or 1020 */
	bool dir_traps;       /* atomic: a vcpu deactivated an SPI that another had acknowledged */
	bool eoi_ignored_reported; /* atomic: the message that a deactivation was ignored is out */
	struct vgic_spis *spis;
	struct vits *its; /* NULL: it has none; stays, as an LPI may come at any time */
};
