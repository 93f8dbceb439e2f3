# file: src/exit/fast.c in l1
# the fast path leaves the trap controls of the other level
/^static inline enum verdict switched/,/^}/s/^\t\ttraps_update_nested(vcpu);$/\t\t;/
