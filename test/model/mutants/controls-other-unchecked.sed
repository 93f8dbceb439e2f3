# file: src/traps/traps_nested.c
# the set of trap controls before the last is taken for what L1 has set now
s#if (!c->vel1.valid || nested_words_changed(vcpu, c->from))#if (!c->vel1.valid)#
