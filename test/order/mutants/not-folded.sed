# file: src/vgic/dist.c
# GICD_CTLR is written while others hold what it closes
/ctlr_write(struct vcpu/,/^}/{
	s/^		fold_others(vcpu, &fold, all, m);/		(void)fold;/
}
