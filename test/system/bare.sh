# SPDX-License-Identifier: Apache-2.0
# Runs the guest hypervisor on the bare machine: what it prints there is what it must print at virtual EL2. To be read
# after lib.sh.

# bare SECONDS BOOTARGS QEMU-ARGS...: run hyp.bin at EL2 of QEMU's own machine; its console is $OUT/lines. SECONDS are
# those of run.
bare()
{
	words=$2
	bare_seconds=$1
	shift 2
	need "$guests/hyp.bin"
	bare_machine "$bare_seconds" -M virtualization=on -smp 2 -kernel "$guests/hyp.bin" -append "$words" "$@"
}

# expected_file NAME: sets file to the expected output: expected/NAME.txt or, if the machine differs from that of QEMU
# 10, expected/NAME.VERSION.txt for the QEMU in use.
expected_file()
{
	version=$("$qemu" --version | sed -n 's/^QEMU emulator version \([0-9]*\)\..*/\1/p')
	file=$TOP/test/system/expected/$1.$version.txt
	[ -e "$file" ] || file=$TOP/test/system/expected/$1.txt
}

# expected NAME: the console must be that. To write the file anew, after checking the differences: HYP_EXPECTED=write
# test/system/run 'hyp-bare*'
expected()
{
	expected_file "$1"
	never '^FAIL: '
	want '^hyp: [1-9][0-9]* passed, 0 failed'
	case ${HYP_EXPECTED:-} in
	write) cp "$OUT/lines" "$file" ;;
	esac
	diff "$file" "$OUT/lines" || fail "it differs from ${file#"$TOP"/}"
}

# as_bare NAME: the console of a nested VM must be what is expected of the bare machine, except for tests that
# expected/hyp.hidden permits to be skipped.
as_bare()
{
	expected_file "$1"
	never '^FAIL: '
	want '^hyp: [1-9][0-9]* passed, 0 failed'
	grep -v '^#' "$TOP/test/system/expected/hyp.hidden" >"$OUT/hidden"
	grep -vE -e '^nidus: |^hyp: ' "$OUT/lines" >"$OUT/nested" || true
	grep '^SKIP: ' "$OUT/nested" | grep -vE -f "$OUT/hidden" >"$OUT/skipped" || true
	grep '^SKIP: ' "$file" >"$OUT/skipped.bare" || true
	if grep -vxF -f "$OUT/skipped.bare" "$OUT/skipped" >"$OUT/skipped.more"; then
		cat "$OUT/skipped.more"
		fail "these are not known to be hidden"
	fi
	# A permitted skip counts as the result on the bare machine.
	sed 's/^SKIP: \(.*\): no such feature$/PASS: \1/' "$OUT/nested" >"$OUT/nested.plain"
	sed '/^hyp: /d; s/^SKIP: \(.*\): no such feature$/PASS: \1/' "$file" >"$OUT/bare.plain"
	diff "$OUT/bare.plain" "$OUT/nested.plain" || fail "it differs from ${file#"$TOP"/}"
}

# only VM: reduces the console of several VMs to the lines of this one, without its name.
only()
{
	sed -n "s/^$1: //p" "$OUT/lines" >"$OUT/only"
	cp "$OUT/only" "$OUT/lines"
}
