# file: src/simd/simd.c
# interrupts come during a flush
/^void simd_flush/,/^}/s/u64 daif = irq_save();/u64 daif = sysreg_read(DAIF);/
