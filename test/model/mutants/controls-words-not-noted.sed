# file: src/traps/traps.c
# new words of L1's are compared with old ones
/^void traps_swap_vel1/,/^}/s#^\t\tvel2_words_record(vcpu, c->from);$#\t\t(void)vcpu;#
