# file: src/simd/simd.c
# interrupts come during a host section
/^void simd_host_begin/,/^}/s/u64 daif = irq_save();/u64 daif = sysreg_read(DAIF);/
