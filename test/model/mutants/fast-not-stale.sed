# file: src/exit/fast.c
# the fast path leaves the trap controls of the other level
/ complete_switch($/,/^}/s/^\t\ttraps_update_nested(vcpu);$/\t\t;/
