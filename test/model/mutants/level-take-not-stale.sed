# file: src/nested/level.c
# an exception to vEL2 leaves the trap controls of L2
/^void level_take(/,/^}/s/^\t\tvcpu->traps_stale = true;$/\t\t;/
