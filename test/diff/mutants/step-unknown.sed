# file: src/exit/run.c
# a software step over an instruction that was emulated is told as one over nothing
# lane: el1
s/if (unlikely(vcpu_step_over(vcpu, &vcpu->exit)))/if (vcpu_step_over(vcpu, \&vcpu->exit) \&\& false)/
