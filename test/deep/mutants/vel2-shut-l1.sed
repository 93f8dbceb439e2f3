# file: src/traps/traps_nested.c in l1
# l1 leaves open for L2 what L2 has closed
s/l0 \& ~vel2_shut(vcpu)/l0/
