#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plant each fault of MUTANTS/*.sed in a copy of the code that a model runs; it must find it. As many at a time as there are CPUs.
# usage: mutants.sh MUTANTS OBJDIR CC CFLAGS...   (OBJDIR holds the model's objects, one per source)
set -u

# one SCRIPT OBJDIR CC CFLAGS...: print one line; "mutant NAME: caught: WHY" if it was.
one()
{
	script=$1 obj=$2
	shift 2
	name=$(basename "$script" .sed)
	work=$obj/mutants/$name
	mkdir -p "$work"
	file=$(sed -n '1s/^# file: //p' "$script")
	base=$(basename "$file" .c)
	sed -f "$script" "$file" >"$work/$base.c"
	if cmp -s "$file" "$work/$base.c"; then
		echo "mutant $name: does not apply to $file any more"
		return
	fi
	if ! "$@" -w -c -o "$work/mutant.o" "$work/$base.c"; then
		echo "mutant $name: does not compile"
		return
	fi
	others=
	for o in "$obj"/*.o; do
		[ "$(basename "$o")" = "$base.o" ] || others="$others $o"
	done
	# shellcheck disable=SC2086 # object names hold no spaces
	if ! "$@" -o "$work/model" "$work/mutant.o" $others; then
		echo "mutant $name: does not link"
	elif "$work/model" >"$work/log"; then
		echo "mutant $name: NOT caught: $(sed -n '2s/^# //p' "$script")"
	elif grep -q '  violation: ' "$work/log"; then
		echo "mutant $name: caught: $(sed -n 's/^  violation: //p' "$work/log" | head -n 1)"
	else
		echo "mutant $name: it died: see $work/log"
	fi
}

if [ "$1" = --one ]; then
	shift
	one "$@"
	exit 0
fi

dir=$1
shift
rm -rf "$1/mutants"
mkdir -p "$1/mutants"
printf "%s\n" "$dir"/*.sed | xargs -P "$(nproc)" -I{} "$0" --one {} "$@" | tee "$1/mutants/all"
total=$(printf "%s\n" "$dir"/*.sed | wc -l)
caught=$(grep -c '^mutant [^ ]*: caught: ' "$1/mutants/all")
echo "mutants: $caught/$total caught"
[ "$caught" = "$total" ]
