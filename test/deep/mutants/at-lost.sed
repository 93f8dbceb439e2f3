# file: src/traps/traps_nested.c in l0
# AT of L2 does not trap, though l1 wants it
s/HCR_TERR | HCR_TEA | HCR_AT |/HCR_TERR | HCR_TEA |/
