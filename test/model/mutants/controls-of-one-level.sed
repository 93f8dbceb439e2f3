# file: src/traps/traps.c
# both levels remember one set of trap controls
s/vcpu->in_vel2 ? &vcpu->traps.vel2 : &vcpu->traps.vel1;/\&vcpu->traps.vel1;/
