# file: src/traps/reflect.c
# an alignment fault of stage 2 is an external abort to L2
# unit: test_reflect
s/HCR_TEA : fsc != ESR_FSC_TLB_CONFLICT;/HCR_TEA : false;/
