# file: src/traps/traps.c
# what vEL2 closes by CPACR_EL1 stays open in CPTR_EL2, and its entry narrows what L2 left
s/simd_cptr_write(now & traps_nested_cptr(now, vcpu));/(void)now;/
