# file: src/simd/simd_level.c
# simd=switch does not flush on the fast path
/^bool simd_level_same/,/^}/s/ || vcpu->vm->config->simd_switch//
