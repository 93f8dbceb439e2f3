# file: src/vgic/line.c
# an interrupt that waits in a list register is delivered though its line has fallen
# lane: el1 4000
s/		any |= fallen(vcpu, i);/		any |= false;/
