# file: src/nested/level.c
# changed words of L1's leave the trap controls as they are
/^static.* update_vel1(/,/^}/{s/bool valid = vcpu->traps.vel1.valid;/bool valid = false;/;s/^\tvcpu->traps.vel1.valid = false;$//;s/if (vcpu->vm->config->deep || vcpu->nvhe)/if (valid)/}
