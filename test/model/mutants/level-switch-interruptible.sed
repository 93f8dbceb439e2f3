# file: src/simd/simd_level.c
# interrupts come during a level switch
/^void simd_level/,/^}/s/daif = irq_save();/daif = sysreg_read(DAIF);/
