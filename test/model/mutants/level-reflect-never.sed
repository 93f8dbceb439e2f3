# file: src/traps/reflect.c
# what L1 traps of SVE is claimed instead
s/(field_traps(vcpu, field) || field_traps(vcpu, CPTR_FPEN))/field_traps(vcpu, CPTR_FPEN)/
