# file: src/simd/simd_vl.c
# a VM's streaming length is taken from its SVE length
s/config_length(config->sme, feat.sme_vl_mask)/config_length(config->sve, feat.sme_vl_mask)/
