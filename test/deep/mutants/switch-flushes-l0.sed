# file: src/simd/simd_level.c in l0
# a level switch moves state
s/if (unlikely(changed && .*/if (changed)/;s/^\tif (!s->vl || vcpu->vm->config->simd_switch)/\tif (true)/
