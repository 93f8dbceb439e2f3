#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plant each fault of MUTANTS/*.sed in the one of the deep model's two nidus that its first line names; the model must find it.
# usage: mutants.sh MUTANTS OBJDIR CC CFLAGS...   (OBJDIR/nidus has an object for each source of a nidus, OBJDIR/model the model's)
set -u

# one SCRIPT OBJDIR CC CFLAGS...: print one line; "mutant NAME: caught: WHY" if it was.
one()
{
	script=$1 obj=$2
	shift 2
	name=$(basename "$script" .sed)
	work=$obj/mutants/$name
	mkdir -p "$work"
	file=$(sed -n '1s/^# file: \([^ ]*\) in l[01]$/\1/p' "$script")
	level=$(sed -n '1s/^# file: [^ ]* in \(l[01]\)$/\1/p' "$script")
	base=$(basename "$file" .c)
	other=l$((1 - ${level#l}))
	sed -f "$script" "$file" >"$work/$base.c"
	if cmp -s "$file" "$work/$base.c"; then
		echo "mutant $name: does not apply to $file any more"
		return
	fi
	if ! "$@" -w -c -o "$work/$base.o" "$work/$base.c"; then
		echo "mutant $name: does not compile"
		return
	fi
	if ! test/deep/link.sh "$work/$level.o" "$level" "$obj/nidus" "$work/$base.o" ||
		! "$@" -no-pie -o "$work/model" "$obj"/model/*.o "$work/$level.o" "$obj/$other.o"; then
		echo "mutant $name: does not link"
	elif "$work/model" >"$work/log"; then
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
