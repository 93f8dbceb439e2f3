# file: src/traps/traps_nested.c in l0
# new words of l1's are compared with old ones
/^void traps_vel1_other/,/^}/s#^\t\tnested_words_note(vcpu, c->from);$##
