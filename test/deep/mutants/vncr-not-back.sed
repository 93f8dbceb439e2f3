# file: src/nested/level.c in l0
# l1 has its registers in the page of L2
/^static void switch_identity/,/^}/s/vcpu->in_vel2 ? ptr_pa(vcpu->vncr).a : vncr_window(vcpu)/vncr_window(vcpu)/
