# file: src/simd/simd_level.c
# a level switch moves state
s/if (unlikely(changed && .*/if (changed)/
