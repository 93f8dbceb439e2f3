# file: src/vgic/nested_route.c
# interrupts of Group 0 go where HCR_EL2.IMO says, not FMO
# lane: el2
s/(group1 ? HCR_IMO : HCR_FMO)/HCR_IMO/
