# file: src/simd/simd_state.c
# FFR is not moved in streaming mode though it exists
s/return !(svcr & SVCR_SM) || feat.sme_fa64;/return !(svcr \& SVCR_SM);/
