# file: src/simd/simd_level.c
# simd=switch does not flush on the short way
/^bool simd_level_same/,/^}/s/ || vcpu->vm->config->simd_switch//
