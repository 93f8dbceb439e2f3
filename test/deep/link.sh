#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Link one nidus of the deep model: all its objects, its symbols with a prefix. What below.c defines goes before nidus's own.
# usage: link.sh OUT PREFIX OBJECTS [MUTANT.o]   (OBJECTS: a directory; the mutant takes its namesake's place)
set -eu
out=$1 prefix=$2 objects=$3 mutant=${4:-}
set -- "$objects/below.o"
for o in "$objects"/*.o; do
	case $(basename "$o") in
	below.o) ;;
	"$(basename "${mutant:-none}")") set -- "$@" "$mutant" ;;
	*) set -- "$@" "$o" ;;
	esac
done
ld -r -z muldefs -o "$out.all" "$@"
objcopy --prefix-symbols="${prefix}_" "$out.all" "$out"
rm -f "$out.all"
