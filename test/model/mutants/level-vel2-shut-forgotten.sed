# file: src/traps/traps_nested.c
# vEL2 that has SVE disabled narrows what L2 left
s/own \& ~vel2_closed(vcpu)/own/
