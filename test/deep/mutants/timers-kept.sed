# file: src/traps/traps_nested.c in l0
# L3's timers trap from L2 though l1 has them in memory
/^struct traps traps_merge_vel1/,/^}/s/^\tif (likely(!vel2_nv2(vcpu)))/\tt.cnthctl |= CNTHCTL_EL1NV;\n&/
