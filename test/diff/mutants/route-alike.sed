# file: src/vgic/nested_route.c
# interrupts of Group 0 go where HCR_EL2.IMO says, not FMO
# lane: el2
s/el2 = hcr & (lr & ICH_LR_GROUP1 ? HCR_IMO : HCR_FMO)/el2 = hcr \& HCR_IMO/
