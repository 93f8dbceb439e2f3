# SPDX-License-Identifier: Apache-2.0
# fpchecks NIDUS-WORDS ROUNDS: Linux checks its SIMD registers in two VMs at once, five processes in each on two vcpus
# that share two CPUs: one VM with the longest SVE and SME, the other with shorter SVE alone.

fpchecks()
{
	need "$arm64/Image" "$arm64/busybox" "$guests/fpcheck"
	MODULES= "$TOP/tools/mkinitramfs" "$OUT/initramfs" "${SUITE:-trixie-backports}" \
		"$TOP/test/system/linux/init-fpcheck" "$guests/fpcheck"
	run 400 --nidus "$1" \
		-k "$arm64/Image" -i "$OUT/initramfs" -c 2 -m 256 -o sve=max -o sme=max \
		-a "console=ttyAMA0 quiet fpcheck.id=1 fpcheck.rounds=$2 fpcheck.vl=2048 fpcheck.svl=2048" \
		-k "$arm64/Image" -i "$OUT/initramfs" -c 2 -m 256 -o sve=256 \
		-a "console=ttyAMA0 quiet fpcheck.id=2 fpcheck.rounds=$2 fpcheck.vl=256 fpcheck.sme=0"
	want_status 0
	want 'fpcheck: id 1: 5 processes, sve 2048 bits, sme 2048 bits'
	want 'fpcheck: id 2: 5 processes, sve 256 bits, no sme'
	at_least 2 "fpcheck: PASS $((5 * $2)) rounds"
	at_least 2 'guest: PASS'
	never 'FAIL'
}
