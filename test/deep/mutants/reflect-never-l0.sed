# file: src/traps/reflect.c in l0
# what the level above traps of SVE is claimed instead
s/(field_traps(vcpu, field) || field_traps(vcpu, CPTR_FPEN))/field_traps(vcpu, CPTR_FPEN)/
