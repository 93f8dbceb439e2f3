# file: src/traps/traps.c in l0
# L3's trap controls of before are taken for those of now
/^void traps_vel1_other/,/^}/s#nested_words_changed(vcpu, o\[i\].from)#false#
