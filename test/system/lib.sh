# SPDX-License-Identifier: Apache-2.0
# Functions for system tests. A test prepares files, calls run (or boot_dtb) and states what it expects. TOP is the
# checkout, OUT the test's own directory; the console is $OUT/console.

guests=$TOP/build/guest
arm64=$TOP/build/arm64/${SUITE:-trixie-backports}
qemu=${QEMU:-qemu-system-aarch64}
firmware=${FIRMWARE:-$TOP/build/efi/${EFI_SUITE:-forky}/QEMU_EFI.fd}

say()
{
	echo "$*"
}

fail()
{
	echo "FAILED: $*"
	exit 1
}

skip()
{
	echo "$*"
	exit 77
}

need()
{
	for file; do
		[ -e "$file" ] || skip "${file#"$TOP"/} is not there"
	done
}

# run SECONDS ARGS...: nidus-run with these, standard input from the file $input if that is set; sets status. SECONDS
# without a byte on the console are a hang, counted in time in which the emulator had the CPUs that it wanted
# (tools/watch.sh): some ten times the guest's longest silence on a quiet machine, to allow for slow ones. The whole may
# take TEST_LIMIT s (3600).
run()
{
	run_begin "$@"
	run_end
}

run_begin()
{
	limit=$1
	shift
	say "nidus-run $*"
	WATCH_ALIVE=$OUT/alive "$TOP/tools/nidus-run" --stall "$limit" --limit "${TEST_LIMIT:-3600}" "$@" \
		<"${input:-/dev/null}" >"$OUT/console" 2>"$OUT/stderr" &
	runner=$!
	trap 'kill $runner 2>/dev/null || true' EXIT
}

run_end()
{
	status=0
	wait "$runner" || status=$?
	trap - EXIT
	cat "$OUT/stderr"
	tr -d '\r' <"$OUT/console" >"$OUT/lines"
	# Whatever a test is about, nidus must not have panicked unless that is expected.
	case ${panic_wanted:-} in
	'') ! grep -a '^nidus: panic: ' "$OUT/lines" || fail "nidus panicked" ;;
	esac
}

# run_until "CONDITION" SECONDS ARGS...: run, and end it when the shell condition holds; then status is 143, because
# nobody powered off. seen N ERE: is a condition: at least N lines of the console so far match.
run_until()
{
	condition=$1
	shift
	run_begin "$@"
	while kill -0 "$runner" 2>/dev/null; do
		if eval "$condition"; then
			kill "$runner" 2>/dev/null || true
			break
		fi
		sleep 1
	done
	run_end
}

seen()
{
	[ "$(tr -d '\r' <"$OUT/console" | grep -acE -e "$2")" -ge "$1" ]
}

# bare_machine SECONDS QEMU-ARGS...: runs QEMU's machine without nidus, with -kernel among the arguments; SECONDS as in
# run. Its console is $OUT/lines. It must power off.
bare_machine()
{
	limit=$1
	shift
	say "bare machine: $*"
	status=0
	WATCH_ALIVE=$OUT/alive "$TOP/tools/qemu-run" --stall "$limit" --limit "${TEST_LIMIT:-3600}" "$qemu" \
		-M virt,gic-version=3,dtb-randomness=off -m 256 -display none -monitor none -serial stdio -nic none "$@" \
		</dev/null >"$OUT/console" 2>"$OUT/stderr" || status=$?
	cat "$OUT/stderr"
	tr -d '\r' <"$OUT/console" >"$OUT/lines"
	want_status 0
}

want_status()
{
	[ "$status" -eq "$1" ] || fail "status is $status, expected $1"
}

# want ERE: a line of the console matches. never ERE: none does. at_least N ERE: at least N lines do.
want()
{
	grep -aqE -e "$1" "$OUT/lines" || fail "no line matches: $1"
}

never()
{
	! grep -aE -e "$1" "$OUT/lines" || fail "a line matches: $1"
}

at_least()
{
	n=$(grep -acE -e "$2" "$OUT/lines") || true
	[ "$n" -ge "$1" ] || fail "$n lines match, expected $1: $2"
}

# release DIR: prints the version of its kernel, as a regular expression.
release()
{
	sed 's/[.+]/\\&/g' "$1/kernel-version"
}

# passed PROGRAM [VM]: by the guest program's own verdict all its tests passed.
passed()
{
	never 'FAIL: '
	want "^(${2:-[a-z0-9]*}: )?$1: [1-9][0-9]* passed, 0 failed"
}

# domain NAME PROPERTIES KERNEL-PROPERTIES: prints a VM for --config.
domain()
{
	cat <<END
/ { chosen { $1 {
	compatible = "xen,domain";
	#address-cells = <2>;
	#size-cells = <2>;
	$2
	kernel { compatible = "multiboot,kernel", "multiboot,module"; $3 };
}; }; };
END
}

# The properties of an ordinary small VM, and a module that is a guest program.
small='memory = <0 0x10000>; cpus = <1>; vpl011;'
program()
{
	echo "nidus,file = \"$guests/$1.bin\"; bootargs = \"${2:-}\";"
}

# A VM that must run to its end whatever happens to the others.
bystander()
{
	domain bystander "$small" "$(program hello)"
}

bystander_fine()
{
	want '^(bystander: )?hello: [1-9][0-9]* passed, 0 failed'
	want '^nidus: vm bystander: off$'
}

# machine_dtb FILE: QEMU's tree for the machine that boot_dtb starts.
machine_dtb()
{
	$qemu -M virt,virtualization=on,gic-version=3,dtb-randomness=off,dumpdtb="$1" -cpu max -smp 2 -m 512 \
		-nic none -display none >/dev/null 2>&1
}

# boot_dtb FILE [SECONDS]: start nidus with this tree in x0, which QEMU itself never reads. SECONDS: as run.
boot_dtb()
{
	need "$guests/jump.bin"
	panic_wanted=y
	NIDUS=$guests/jump.bin run "${2:-120}" -k "$guests/hello.bin" -- -m 512 \
		-device "loader,addr=0x41000000,file=$TOP/build/nidus.bin,force-raw=on" \
		-device "loader,addr=0x44000000,file=$1,force-raw=on"
}
