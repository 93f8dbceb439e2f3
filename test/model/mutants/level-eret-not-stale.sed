# file: src/nested/level.c
# an ERET to L2 leaves the trap controls of vEL2
/^enum verdict level_eret(/,/^}/s/^\t\tvcpu->traps_stale = true;$/\t\t;/
