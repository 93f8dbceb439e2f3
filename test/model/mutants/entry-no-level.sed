# file: src/exit/prepare.c
# the levels' lengths are not exchanged
s/^\t\t\t\tsimd_level(vcpu);$/\t\t\t\t;/
