# file: src/nested/inject.c in l0
# an exception that l0 gives L3 says that it came from EL2
s/(vcpu->has_vel2 && vel1_nv(vcpu))/vcpu->has_vel2/
