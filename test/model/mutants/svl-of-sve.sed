# file: src/simd/simd_vl.c
# a VM's streaming length is taken from its SVE length
s/granted(config->sme, feat.sme_vl_mask)/granted(config->sve, feat.sme_vl_mask)/
