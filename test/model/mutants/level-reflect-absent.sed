# file: src/traps/reflect.c
# an SVE instruction of L2 goes to L1 though the VM has no SVE
s/return (vcpu->vm->nested.cptr & field) &&$/return/
