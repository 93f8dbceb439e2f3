# file: src/traps/traps.c
# the set of trap controls before the last is taken for what L1 has set now
/^void traps_swap_vel1/,/^}/s#vel2_words_changed(vcpu, o\[i\].from)#false#
