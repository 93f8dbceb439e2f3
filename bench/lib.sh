# SPDX-License-Identifier: Apache-2.0
# What the parts of bench/run share. A part runs programs, prints its table and adds cells to the results. $out holds
# everything that it leaves: NAME.console unchanged, NAME without carriage returns.

suite=${SUITE:-trixie-backports}
arm64=$top/build/arm64/$suite
guests=$top/build/guest
nidus=${NIDUS:-$top/build/nidus.bin}
qemu=${QEMU:-qemu-system-aarch64}
icount="-icount shift=0,sleep=off -rtc base=2025-01-01,clock=vm -seed 1"

# shellcheck source=tools/watch.sh
. "$top/tools/watch.sh"

fail()
{
	echo "bench: $*" >&2
	exit 1
}

# finished NAME STATUS ERE: checks that the run ended well, by a line that matches.
finished()
{
	tr -d '\r' <"$out/$1.console" >"$out/$1"
	if [ "$2" -ne 0 ] || ! grep -aqE "$3" "$out/$1"; then
		tail -n 20 "$out/$1" >&2
		fail "the run \"$1\" ended with status $2"
	fi
}

# No run is ended for being slow, only when it has printed nothing for `limit` (300) seconds of its own time
# (tools/watch.sh), or has not ended after most_seconds of it.
most_seconds=7200

# under_nidus NAME ERE ARGS...: one run of tools/nidus-run, which must print a line that matches.
under_nidus()
{
	name=$1
	sign=$2
	shift 2
	status=0
	"$top/tools/nidus-run" --stall "${limit:-300}" --limit $most_seconds "$@" </dev/null >"$out/$name.console" 2>&1 || status=$?
	finished "$name" "$status" "$sign"
}

# measure NAME ARGS...: the same for a guest program that measures in instructions.
measure()
{
	name=$1
	shift
	under_nidus "$name" ' passed, 0 failed' --icount "$@"
}

# on_machine NAME ERE QEMU-ARGS...: one run without nidus, on the machine that nidus-run makes for it.
on_machine()
{
	name=$1
	sign=$2
	shift 2
	status=0
	"$top/tools/qemu-run" --stall "${limit:-300}" --limit $most_seconds "$qemu" \
		-M virt,virtualization=on,gic-version=3,dtb-randomness=off -cpu max -display none -monitor none -nic none \
		-serial stdio "$@" </dev/null >"$out/$name.console" 2>"$out/$name.qemu" || status=$?
	[ "$status" -eq 0 ] || cat "$out/$name.qemu" >>"$out/$name.console"
	finished "$name" "$status" "$sign"
}

# ---- machines that take turns -------------------------------------------------------------------
# To compare by the clock, machines run side by side, of which all but one are stopped by QEMU's monitor, with their clocks.
# So each boots once, however many rounds there are, and what the host does meanwhile comes to all of them.

machines=

# machine NAME ARGS...: starts one. ARGS are nidus-run's, with QEMU's after --.
machine()
{
	name=$1
	shift
	rm -f "$out/$name.in" "$out/$name.out" "$out/$name.pid"
	mkfifo "$out/$name.in" "$out/$name.out"
	: >"$out/$name.console"
	"$top/tools/nidus-run" "$@" -chardev "pipe,id=turns,path=$out/$name" -mon chardev=turns \
		-pidfile "$out/$name.pid" </dev/null >"$out/$name.console" 2>&1 &
	machines="$machines $!"
	eval "pid_$name=$!"
	trap machines_kill EXIT
}

# shellcheck disable=SC2086 # numbers
machines_kill()
{
	[ -z "$machines" ] || kill $machines 2>/dev/null || true
	machines=
}

# monitor NAME WORD: stop or cont. What the monitor answers is read, for its pipe has an end.
monitor()
{
	timeout 10 sh -c 'echo "$1" >"$2"' sh "$2" "$out/$1.in" || true
	timeout 1 dd if="$out/$1.out" of=/dev/null iflag=nonblock bs=64k count=1 status=none 2>/dev/null || true
}

# turn NAME ERE COUNT: goes on until COUNT lines of the console match, then stops. All within the limit of under_nidus.
turn()
{
	eval "pid=\$pid_$1"
	until [ -s "$out/$1.pid" ]; do
		kill -0 "$pid" 2>/dev/null || fail "the run \"$1\" did not begin: $(tail -n 3 "$out/$1.console")"
		sleep 0.1
	done
	watch_begin "$(cat "$out/$1.pid")"
	monitor "$1" cont
	while [ "$(tr -d '\r' <"$out/$1.console" | grep -acE "$2")" -lt "$3" ]; do
		kill -0 "$pid" 2>/dev/null || fail "the run \"$1\" ended: $(tail -n 3 "$out/$1.console")"
		watch_step "$out/$1.console"
		! watch_over "${limit:-300}" "$most_seconds" "$out/$1.console" || fail "the run \"$1\": $watch_why"
		sleep 0.2
	done
	monitor "$1" stop
}

# last_turn NAME ERE: goes on to the end, which must be a good one, with a line that matches.
last_turn()
{
	eval "pid=\$pid_$1"
	monitor "$1" cont
	status=0
	wait "$pid" || status=$?
	rm -f "$out/$1.in" "$out/$1.out"
	finished "$1" "$status" "$2"
}

# figure NAME TEST: prints the figure of the test in that run.
figure()
{
	value=$(sed -n "s/^bench: $2 \([0-9][0-9]*\)\$/\1/p" "$out/$1")
	[ -n "$value" ] || fail "no figure for $2 in $out/$1"
	echo "$value"
}

# account NAME: what nidus printed for "stats", all levels and vcpus summed up, in NAME.account:
# lines "class SAMPLES TICKS", "+guest TICKS", "+bytes N", "+moves N", "+elapsed TICKS".
account()
{
	awk '
		$1 != "nidus:" { if ($2 == "elapsed") v["+elapsed"] = $3; next }
		$2 == "VM-EXIT" { rows = 1; next }
		$2 == "Total" { rows = 0 }
		rows { n[$2] += $3; t[$2] += $NF }
		$2 == "vcpu" && $4 == "guest" { gsub(/[(]/, ""); v["+guest"] += $6 }
		$2 == "vcpu" && $4 == "SIMD" { v["+moves"] += $5 + $7; v["+bytes"] += $9 }
		END {
			for (class in n)
				print class, n[class], t[class]
			for (name in v)
				print name, v[name]
		}' "$out/$1" >"$out/$1.account"
}

# account_difference FEW MANY OPERATIONS NAME: writes the difference of two runs' accounts, for one operation, to
# $out/NAME.
account_difference()
{
	awk -v ops="$3" '
		NR == FNR { n[$1] = $2; t[$1] = $3; next }
		{ print $1, ($2 - n[$1]) / ops, ($3 - t[$1]) / ops }
	' "$out/$1.account" "$out/$2.account" | LC_ALL=C sort >"$out/$4"
}

# cell STACK LEVEL TEST SIMD VL INSN INSN_NIDUS EXITS SIMD_BYTES HOST_NS NOTE: one of the results; - for what was not
# measured. EXITS is JSON.
cell()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t-\n' "$@" >>"$out/cells"
}

# no_cell STACK LEVEL TEST WHY: one that is not there.
no_cell()
{
	printf '%s\t%s\t%s\t-\t-\t-\t-\t-\t-\t-\t-\t%s\n' "$@" >>"$out/cells"
}

# ---- guest/io.c ---------------------------------------------------------------------------------

# io_figures NAME KIND: a line each. io_figure: of a run that has one.
io_figures()
{
	sed -n "s/^io: $2 \([0-9][0-9]*\)\$/\1/p" "$out/$1"
}

io_figure()
{
	value=$(io_figures "$@")
	[ -n "$value" ] || fail "no figure for $2 in $out/$1"
	echo "$value"
}

# vl_is NAME VL: checks that the run had this vector length. Its last line says whether all its checks held (lib.sh).
vl_is()
{
	grep -aqx "io: vl $2" "$out/$1" || fail "$out/$1: not the vector length $2"
}

# gain LIVE OTHER: prints what is saved of OTHER.
gain()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f%%", 100 * (1 - a / b) }'
}

# clock_rounds PREFIX KIND VL WAY...: nanoseconds of a request of KIND in $out/PREFIX.ns.WAY, a round a line. The machines of
# all ways (`begin WAY VL` starts PREFIX_WAY) take turns, in $rounds rounds after one to warm up; of the last one what is
# measured while it ends is left out.
clock_rounds()
{
	prefix=$1 kind=$2 length=$3
	shift 3
	for way; do
		begin "$way" "$length"
		turn "${prefix}_$way" "^io: $kind " 1
	done
	round=1
	while [ $round -le "$rounds" ]; do
		for way; do
			turn "${prefix}_$way" "^io: $kind " $((round + 1))
		done
		round=$((round + 1))
	done
	for way; do
		last_turn "${prefix}_$way" ' passed, 0 failed'
		vl_is "${prefix}_$way" "$length"
		io_figures "${prefix}_$way" "$kind" | sed -n "2,$((rounds + 1))p" >"$out/$prefix.ns.$way"
	done
}

# quartiles FILE: of a number a line: lower, median, upper.
quartiles()
{
	sort -n "$1" | awk '
		{ v[NR] = $1 }
		function at(p, i) { i = 1 + p * (NR - 1); return v[int(i)] + (i - int(i)) * (v[int(i + 0.999999)] - v[int(i)]) }
		END { printf "%.0f %.0f %.0f\n", at(0.25), at(0.5), at(0.75) }'
}

# clock_row STACK LEVEL TEST WAY VL PREFIX: prints and records what PREFIX.WAY holds, nanoseconds of a request, a round a line; and,
# but for the way "live", what of it PREFIX.live saves, round by round.
clock_row()
{
	quartiles "$6.$4" >"$out/quartiles"
	read -r low median high <"$out/quartiles"
	gains=
	if [ "$4" != live ]; then
		paste "$6.live" "$6.$4" | awk '{ print 100000 * (1 - $1 / $2) }' >"$out/gains"
		gains=$(quartiles "$out/gains" | awk '{ printf "%8.1f%% %9.1f%% to %.1f%%", $2 / 1000, $1 / 1000, $3 / 1000 }')
	fi
	echo "$5 $4 $low $median $high" | awk '{ printf "%-5s %-11s %9.0f %21s", $1, $2, $4 / 1000, sprintf("%.0f to %.0f", $3 / 1000, $5 / 1000) }'
	echo " $gains"
	cell "$1" "$2" "$3" "$4" "$5" - - - - "$median" "quartiles $low to $high ns${gains:+; saved $(echo $gains)}"
}
