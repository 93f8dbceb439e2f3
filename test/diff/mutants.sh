#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Undo each mend of test/diff/mutants/ in a copy of the code; the differential tester must find it.
# A mutant is a sed script: line 1 "# file: PATH", line 2 "# what is wrong", line 3 "# lane: LANE [PROGRAMS [SEED]]", or
# "# unit: TEST" where the bare machine lacks what it is about, and only a unit test can find it.
# usage: mutants.sh WORK [NAME...]   (WORK: a directory for the copy and what it builds)
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$1
shift
rm -rf "$work/tree"
mkdir -p "$work/tree"
total=0 caught=0

# The tree that is changed and built: objects are kept from one mutant to the next.
cp -R "$top/Makefile" "$top/src" "$top/guest" "$top/test" "$top/tools" "$work/tree/" || exit 1
mkdir -p "$work/tree/build"
ln -sfn "$top/build/arm64" "$work/tree/build/arm64"
touch "$work/tree/build/.setup"

# Run the tester on what was built. Status 0: it found nothing.
find_by_lane()
{
	mkdir -p "$work/out"
	NIDUS=$work/tree/build/nidus.bin "$top/build/diff/diff" -1 -b "$top/test/diff/boot" -r "$top/test/diff/diff.rules" \
		-o "$work/out" -n "${2:-2000}" -s "${3:-1}" "$1" >"$log" 2>&1
}

# The same of a unit test; of one that ends itself status 2.
find_by_unit()
{
	"$work/tree/build/unit/$1" >"$log" 2>&1 && return 0
	grep -q '^\[  FAILED  \]' "$log" && return 1
	return 2
}

mutant()
{
	script=$1
	name=$(basename "$script" .sed)
	file=$(sed -n '1s/^# file: //p' "$script")
	wrong=$(sed -n '2s/^# //p' "$script")
	lane=$(sed -n '3s/^# lane: //p' "$script")
	unit=$(sed -n '3s/^# unit: //p' "$script")
	log=$work/$name.log
	total=$((total + 1))
	sed -f "$script" "$top/$file" >"$work/tree/$file"
	if cmp -s "$top/$file" "$work/tree/$file"; then
		echo "mutant $name: does not apply to $file any more"
		return
	fi
	status=0
	if ! make -s -C "$work/tree" CFLAGS_EXTRA=-w "build/${unit:+unit/}${unit:-nidus.bin}" >"$log" 2>&1; then
		echo "mutant $name: does not compile: see $log"
	else
		if [ -n "$unit" ]; then
			find_by_unit "$unit" || status=$?
		else
			# shellcheck disable=SC2086 # words
			find_by_lane $lane || status=$?
		fi
		if [ "$status" -eq 1 ]; then
			caught=$((caught + 1))
			echo "mutant $name: caught by ${unit:-${lane%% *}}: $wrong"
		elif [ "$status" -eq 0 ]; then
			echo "mutant $name: NOT caught: $wrong"
		else
			echo "mutant $name: ${unit:-the tester} ended with $status: see $log"
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
