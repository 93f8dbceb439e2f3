# file: src/exit/prepare.c in l0
# what L2 closes by CPACR_EL1 stays open in CPTR_EL2, and an entry narrows what L3 left
s/^\t\ttraps_close_vel1();/\t\t;/
