# file: src/simd/simd_state.c in l1
# FFR is moved in streaming mode whether or not it exists
s/return !(svcr & SVCR_SM) || feat.sme_fa64;/return svcr || true;/
