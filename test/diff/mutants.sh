#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Undo each mend of test/diff/mutants/ in a copy of the code; the differential tester must find it.
# A mutant is a sed script: line 1 "# file: PATH", line 2 "# what is wrong", line 3 "# lane: LANE [PROGRAMS [SEED]]".
# usage: mutants.sh WORK [NAME...]   (WORK: a directory for the copy and what it builds)
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
shift
mkdir -p "$work/tree"
total=0 caught=0

# The tree that is changed and built: objects are kept from one mutant to the next.
cp -R "$top/Makefile" "$top/src" "$top/guest" "$top/test" "$top/tools" "$work/tree/" || exit 1
mkdir -p "$work/tree/build"
ln -sfn "$top/build/arm64" "$work/tree/build/arm64"
touch "$work/tree/build/.setup"

mutant()
{
	script=$1
	name=$(basename "$script" .sed)
	file=$(sed -n '1s/^# file: //p' "$script")
	wrong=$(sed -n '2s/^# //p' "$script")
	set -- $(sed -n '3s/^# lane: //p' "$script")
	total=$((total + 1))
	sed -f "$script" "$top/$file" >"$work/tree/$file"
	if cmp -s "$top/$file" "$work/tree/$file"; then
		echo "mutant $name: does not apply to $file any more"
		return
	fi
	if ! make -s -C "$work/tree" CFLAGS_EXTRA=-w build/nidus.bin >"$work/$name.log" 2>&1; then
		echo "mutant $name: does not compile: see $work/$name.log"
	else
		mkdir -p "$work/out"
		status=0
		NIDUS=$work/tree/build/nidus.bin "$top/build/diff/diff" -b "$top/test/diff/boot" -r "$top/test/diff/diff.rules" \
			-o "$work/out" -n "${2:-2000}" -s "${3:-1}" "$1" >"$work/$name.log" 2>&1 || status=$?
		if [ "$status" -eq 1 ]; then
			caught=$((caught + 1))
			echo "mutant $name: $(grep -c '^difference' "$work/$name.log") kinds of difference: $wrong"
		elif [ "$status" -eq 0 ]; then
			echo "mutant $name: NOT caught: $wrong"
		else
			echo "mutant $name: the tester ended with $status: see $work/$name.log"
		fi
	fi
	cp "$top/$file" "$work/tree/$file"
}

for script in "$top"/test/diff/mutants/*.sed; do
	case " $* " in
	'  ' | *" $(basename "$script" .sed) "*) mutant "$script" ;;
	esac
done
echo "diff-mutants: $caught/$total caught"
[ "$total" -gt 0 ] && [ "$caught" = "$total" ]
