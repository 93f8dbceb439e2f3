# file: src/traps/traps.c
# new words of L1's are compared with old ones
/^void traps_vel1_other/,/^}/s#^\t\tnested_words_note(vcpu, c->from);$#\t\t(void)vcpu;#
