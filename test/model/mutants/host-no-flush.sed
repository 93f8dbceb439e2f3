# file: src/simd/simd.c
# a host section takes the registers without writing them back
s/write_back(cpu, cpu->simd.owner);/clear_owner(cpu, cpu->simd.owner);/
