# file: src/exit/fast.c in l0
# the fast path leaves the trap controls of the other level
/ complete_switch($/,/^}/s/^\t\ttraps_update_nested(vcpu);$/\t\t;/
