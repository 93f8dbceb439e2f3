# file: src/simd/simd.c
# interrupts come during a claim
/^void simd_claim/,/^}/s/u64 daif = irq_save();/u64 daif = sysreg_read(DAIF);/
