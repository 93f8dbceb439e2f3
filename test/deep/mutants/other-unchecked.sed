# file: src/traps/traps_nested.c in l0
# L3's trap controls of before are taken for those of now
s#if (!c->vel1.valid || nested_words_changed(vcpu, c->from))#if (!c->vel1.valid)#
