# file: src/vgic/dist.c
# GICD_CTLR is written while others hold what it closes
/^static void ctlr_write/,/^}/{
	s/^		fold_others(vcpu, &fold, all);/		(void)fold;/
}
