# file: src/simd/simd.c in l1
# a host section leaves CPTR_EL2 open and the check does not look at it
/^void simd_host_end/,/^}/s/simd_close();//
/^void simd_check/,/^}/s/bool open = .*/bool open = cpu->simd.owner == vcpu;/
