# file: src/nested/level.c in l0
# L2 has its registers in the page of l1
/^static void switch_identity/,/^}/s/vcpu->in_vel2 ? ptr_pa(vcpu->vncr).a : vncr_window(vcpu)/ptr_pa(vcpu->vncr).a/
