# file: src/traps/traps.c
# both levels remember one set of trap controls
s/vcpu->in_vel2 ? &vcpu->traps.vel2 : &vcpu->traps.l2;/\&vcpu->traps.l2;/
