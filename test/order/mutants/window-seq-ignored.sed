# file: src/nested/vncr.c
# a walk that a TLBI has overtaken fills the window
s/^	if (v->seq == seq) {/	if (seq <= v->seq) {/
