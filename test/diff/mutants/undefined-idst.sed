# file: src/nested/inject.c
# an UNDEFINED read of the feature ID space has EC 0 though the VM has FEAT_IDST
# lane: el1-less
s/is_id_read(vcpu, esr) ? esr & MASK(31, 0) : ESR_IL/ESR_IL/
