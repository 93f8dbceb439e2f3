# file: src/nested/level.c
# L2 gets the trap controls that L1 had set before
s/vel2_words_changed(vcpu, vcpu->traps.from) || !vcpu->traps.vel1.valid/!vcpu->traps.vel1.valid/
