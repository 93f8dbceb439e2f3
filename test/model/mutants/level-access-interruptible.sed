# file: src/simd/simd_level.c
# interrupts come during an access to ZCR_EL2
/^static enum verdict length_access/,/^}/s/daif = irq_save();/daif = sysreg_read(DAIF);/
