#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plant each fault of MUTANTS/*.sed in a copy of the code that a model runs; it must find it. As many at a time as there are CPUs.
# usage: mutants.sh MUTANTS OBJDIR CC CFLAGS...   (OBJDIR holds the model's objects, one per source)
# A script begins with "# file: PATH", and a line that says what is wrong. "# file: PATH in l0", or l1: in that one of the deep
# model's two nidus; OBJDIR/nidus then has an object for each source of a nidus, OBJDIR/model the model's own.
set -u

# link_plain OBJDIR WORK BASE CC CFLAGS...: the model with WORK/BASE.o in place of its own.
link_plain()
{
	obj=$1 work=$2 base=$3
	shift 3
	others=
	for o in "$obj"/*.o; do
		[ "$(basename "$o")" = "$base.o" ] || others="$others $o"
	done
	# shellcheck disable=SC2086 # object names hold no spaces
	"$@" -o "$work/model" "$work/$base.o" $others
}

# link_deep LEVEL OBJDIR WORK BASE CC CFLAGS...
link_deep()
{
	level=$1 obj=$2 work=$3 base=$4
	shift 4
	test/deep/link.sh "$work/$level.o" "$level" "$obj/nidus" "$work/$base.o" &&
		"$@" -no-pie -o "$work/model" "$obj"/model/*.o "$work/$level.o" "$obj/l$((1 - ${level#l})).o"
}

# one SCRIPT OBJDIR CC CFLAGS...: print one line; "mutant NAME: caught: WHY" if it was.
one()
{
	script=$1 obj=$2
	shift 2
	name=$(basename "$script" .sed)
	work=$obj/mutants/$name
	mkdir -p "$work"
	file=$(sed -n '1s/^# file: \([^ ]*\).*/\1/p' "$script")
	in=$(sed -n '1s/^# file: [^ ]* in \(l[01]\)$/\1/p' "$script")
	base=$(basename "$file" .c)
	sed -f "$script" "$file" >"$work/$base.c"
	if cmp -s "$file" "$work/$base.c"; then
		echo "mutant $name: does not apply to $file any more"
		return
	fi
	if ! "$@" -w -c -o "$work/$base.o" "$work/$base.c"; then
		echo "mutant $name: does not compile"
		return
	fi
	if [ -n "$in" ]; then
		link_deep "$in" "$obj" "$work" "$base" "$@"
	else
		link_plain "$obj" "$work" "$base" "$@"
	fi || {
		echo "mutant $name: does not link"
		return
	}
	if "$work/model" >"$work/log"; then
		echo "mutant $name: NOT caught: $(sed -n '2s/^# //p' "$script")"
	elif grep -q '  violation: ' "$work/log"; then
		echo "mutant $name: caught: $(sed -n 's/^  violation: //p' "$work/log" | head -n 1)"
	else
		echo "mutant $name: it died: see $work/log"
	fi
	rm -f "$work"/*.o "$work/model"
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
