# file: src/traps/traps.c
# trap controls are remembered whether the state is live or not
s,(l->cptr_own ^ own) | ,,
