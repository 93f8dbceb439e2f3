# file: src/traps/traps.c
# what vEL2 opens by CPACR_EL1 is relied on before it is synchronised
s/^\tif (cptr & ~was)$/\tif (cptr \& 0)/
