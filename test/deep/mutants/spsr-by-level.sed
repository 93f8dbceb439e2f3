# file: src/nested/inject.c in l0
# an exception that l0 gives L2 says that it came from EL1
s/unlikely(vcpu->in_vel2 || (vcpu->has_vel2 && vel1_nv(vcpu)))/unlikely(vcpu->in_vel2)/
