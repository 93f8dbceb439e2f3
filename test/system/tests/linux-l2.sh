# SPDX-License-Identifier: Apache-2.0
# Linux as L1 boots a Linux L2 under Debian's QEMU (test/system/linux/nested.sh), quietly; L2 checks SIMD registers,
# results, time, IPIs, disk and console for a short while, and powers off; L1 judges (init-l1).
#   l2_test L1-SUITE L2-SUITE VL "L1-WORDS" [NIDUS-RUN-ARGS...]     VL: the longest vector of L1 and L2, in bits

. "$TOP/test/system/linux/nested.sh"
l2_words="run.fp=30 run.math=15 run.ms=500 run.ping=100 run.mib=1"

l2_test()
{
	l1=$TOP/build/arm64/$1 l2=$TOP/build/arm64/$2 vl=$3 words=$4
	need "$l1/Image" "$l1/qemu" "$l2/Image" "$guests/fpcheck"
	l2_initramfs "$OUT/l2.img" "$2" "$nested_linux/init-l2"
	l1_initramfs "$OUT/l1.img" "$1" "$nested_linux/init-l1" "$2" "$OUT/l2.img"
	shift 4
	run 900 --nested -k "$l1/Image" -i "$OUT/l1.img" -c 2 -m 1024 -o "sve=$vl" --nidus stats \
		-a "console=ttyAMA0 quiet panic=-1 run.vl=$vl $l2_words $words" "$@"
	rm -f "$OUT/l1.img"
	want_status 0
	want "^guest: L1: Linux $(release "$l1"), 2 cpus"
	want "^guest: L2: Linux $(release "$l2"), 2 cpus"
	want "^guest: L2: fpcheck: id 2: 5 processes, sve $vl bits"
	want '^guest: L2: disk: PASS'
	want '^guest: PASS$'
	never '^guest: .*FAIL'
}
