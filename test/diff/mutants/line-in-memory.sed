# file: src/vgic/line.c
# an interrupt that waits in memory is delivered though its line has fallen
# lane: el1 4000
s/fallen = vgic_waiting(p) & ~lines;/fallen = 0;/
