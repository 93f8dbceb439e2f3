# file: src/traps/reflect.c
# what L1 traps of SVE is claimed instead
/^bool reflect_sve/,/^}/s/return .*/return !vcpu;/
