# file: src/vgic/spi.c
# a 1 of N SPI stays with a vcpu that falls asleep or goes off
# unit: test_vgic_deliver
s/for (u32 i = 1; vm->vgic.spis \&\& /for (u32 i = VGIC_WORDS; vm->vgic.spis \&\& /
