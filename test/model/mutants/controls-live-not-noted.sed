# file: src/traps/traps.c
# it is not noted whether remembered trap controls are of live state
s/^\tl->cptr_own = own;$//
