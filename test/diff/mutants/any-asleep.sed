# file: src/vgic/spi.c
# a 1 of N SPI goes to a vcpu whose redistributor is asleep or whose group is off
# unit: test_vgic_deliver
s/return 1 + 2 \* __atomic_load_n(&vcpu->vgic.awake, __ATOMIC_RELAXED) +/return 1 + 0 * __atomic_load_n(\&vcpu->vgic.awake, __ATOMIC_RELAXED) + 0 */
