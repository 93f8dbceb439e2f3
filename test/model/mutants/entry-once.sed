# file: src/exit/prepare.c
# a claim by the check leaves L1's traps open
s/^\t} while (unlikely(vcpu->traps_stale && vcpu->has_vel2));$/\t} while (0);/
