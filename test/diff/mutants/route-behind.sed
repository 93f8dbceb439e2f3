# file: src/vgic/nested_route.c
# one that goes to EL1 is taken at virtual EL2 once the one of EL2 ahead of it has been ended
# lane: el2 128 7
s/return hcr | WATCHED/return hcr \& ICH_HCR_EN ? hcr : hcr | WATCHED/
