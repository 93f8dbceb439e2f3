# file: src/traps/traps.c in l0
# L3's trap controls of before are taken for those of now
/^void traps_swap_vel1/,/^}/s#vel2_words_changed(vcpu, o\[i\].from)#false#
