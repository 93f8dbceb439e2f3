#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plant each fault of MUTANTS/*.sed in a copy of the code that a model runs; it must find it.
# usage: mutants.sh MUTANTS OBJDIR CC CFLAGS...   (OBJDIR holds the model's objects, one per source)
set -u
dir=$1 obj=$2
shift 2
work=$obj/mutants
mkdir -p "$work"
total=0 caught=0
for script in "$dir"/*.sed; do
	name=$(basename "$script" .sed)
	file=$(sed -n '1s/^# file: //p' "$script")
	base=$(basename "$file" .c)
	total=$((total + 1))
	sed -f "$script" "$file" >"$work/$base.c"
	if cmp -s "$file" "$work/$base.c"; then
		echo "mutant $name: does not apply to $file any more"
		continue
	fi
	if ! "$@" -w -c -o "$work/$name.o" "$work/$base.c"; then
		echo "mutant $name: does not compile"
		continue
	fi
	others=
	for o in "$obj"/*.o; do
		[ "$(basename "$o")" = "$base.o" ] || others="$others $o"
	done
	# shellcheck disable=SC2086 # object names hold no spaces
	"$1" -o "$work/$name" "$work/$name.o" $others || exit 1
	if "$work/$name" >"$work/$name.log"; then
		echo "mutant $name: NOT caught: $(sed -n '2s/^# //p' "$script")"
	elif grep -q '  violation: ' "$work/$name.log"; then
		caught=$((caught + 1))
		echo "mutant $name: $(sed -n 's/^  violation: //p' "$work/$name.log" | head -n 1)"
	else
		echo "mutant $name: it died: see $work/$name.log"
	fi
done
echo "mutants: $caught/$total caught"
[ "$caught" = "$total" ]
