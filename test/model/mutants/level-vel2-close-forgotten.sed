# file: src/traps/traps.c
# what vEL2 closes by CPACR_EL1 stays open in CPTR_EL2, and its entry narrows what L2 left
/^void traps_update_cptr/,/^}/s/simd_cptr_write(\(.*\));/simd_cptr_write(\1 | cpu_this()->traps.cptr);/
