# SPDX-License-Identifier: Apache-2.0
# Random programs on the bare machine and under nidus, which must observe the same (docs/testing.md). To be read after
# lib.sh. SEED and N in the environment: other programs, or this many. make soak: other ones every day.

# diff_lane LANE PROGRAMS
diff_lane()
{
	need "$guests/diff.bin" "$TOP/build/diff/diff"
	count=$2 seed=${SEED:-1}
	if [ -n "${SOAK:-}" ]; then
		count=${N:-20000} seed=${SEED:-$(date +%Y%m%d)}
	fi
	say "diff -s $seed -n $count $1"
	"$TOP/build/diff/diff" -b "$TOP/test/diff/boot" -r "$TOP/test/diff/diff.rules" -o "$OUT" -s "$seed" -n "$count" "$1" \
		>"$OUT/console" 2>&1 || { cat "$OUT/console"; fail "bare machine and VM do not see the same"; }
	cat "$OUT/console"
}
