# file: src/nested/level.c in l0
# the trap controls are those that were set before
s/vel2_words_changed(vcpu, vcpu->traps.from) || !vcpu->traps.vel1.valid/!vcpu->traps.vel1.valid/
