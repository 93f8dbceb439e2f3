# file: src/traps/traps_nested.c in l1
# l1 leaves open for L2 what L2 has closed
s/own \& ~vel2_closed(vcpu)/own/
