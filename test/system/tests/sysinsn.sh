# SPDX-License-Identifier: Apache-2.0
# What every system instruction does at EL1 and EL0 of a VM, compared with the bare machine that has the same features:
# what that has and the VM lacks must be in sysinsn.hidden, and what only a VM has in sysinsn.more. To be read after
# lib.sh.

program=$guests/sysinsn.bin
words=list # "list brief" is half as long

# sysinsn_bare QEMU-ARGS...: makes the list of the machine itself.
sysinsn_bare()
{
	bare_machine 240 "$@" -kernel "$program" -append "$words"
	mv "$OUT/console" "$OUT/bare.console"
}

# sysinsn_vm ARGS...: makes that of a VM, with options of tools/nidus-run; then the two are compared.
sysinsn_vm()
{
	run 240 -k "$program" -c 1 -m 64 -a "$words" "$@"
	want_status 0
	# What the program finds wrong with the bare machine is the emulator's fault.
	tr -d '\r' <"$OUT/bare.console" | grep '^FAIL: ' >"$OUT/bare.fails" || true
	if grep '^FAIL: ' "$OUT/lines" | grep -vxF -f "$OUT/bare.fails"; then
		fail "a VM breaks a rule that the bare machine keeps"
	fi
	want "^sysinsn: [1-9][0-9]* passed, $(wc -l <"$OUT/bare.fails") failed"
	# "el1 mrs S3_0_C0_C0_0 ok 0x0": without the value
	for console in bare.console console; do
		tr -d '\r' <"$OUT/$console" | sed -n 's/^\(el[01] .* S[0-3]_[0-9_C]* [a-z]*\) 0x[0-9a-f]*$/\1/p' |
			LC_ALL=C sort >"$OUT/$console.list"
	done
	[ "$(wc -l <"$OUT/bare.console.list")" -gt 500 ] || fail "the bare machine's list is short"
	grep -v '^#' "$TOP/test/system/tests/sysinsn.hidden" >"$OUT/hidden"
	grep -v '^#' "$TOP/test/system/tests/sysinsn.more" >"$OUT/known"
	LC_ALL=C comm -13 "$OUT/bare.console.list" "$OUT/console.list" |
		grep -vE -f "$OUT/known" >"$OUT/more" || true
	LC_ALL=C comm -23 "$OUT/bare.console.list" "$OUT/console.list" |
		grep -vE -f "$OUT/hidden" >"$OUT/less" || true
	[ ! -s "$OUT/more" ] || { head -n 20 "$OUT/more"; fail "a VM has what the bare machine has not"; }
	[ ! -s "$OUT/less" ] || { head -n 20 "$OUT/less"; fail "a VM lacks what is not known to be hidden"; }
}
