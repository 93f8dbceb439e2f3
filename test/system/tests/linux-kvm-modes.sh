# SPDX-License-Identifier: Apache-2.0
# Linux as L1 in the modes of its KVM that leave the host kernel at EL1: a Linux as L2, both with fpcheck, under the small VMM
# (linux-l2-nvhe does more under Debian's QEMU). Time is instructions, as in linux-levels.sh.
#   SUITE           whose kernel L1 and L2 have
need "$arm64/Image" "$arm64/busybox" "$guests/vmm" "$guests/fpcheck"

# initramfs OUT FILE...
initramfs()
{
	img=$1
	shift
	MODULES='' COMPRESS=none "$TOP/tools/mkinitramfs" "$img" "${SUITE:-trixie-backports}" "$TOP/test/system/linux/init-levels" \
		"$TOP/test/system/linux/guest.sh:/guest.sh" "$guests/fpcheck" "$@"
}

# initramfs_of_both: $OUT/l1.img and, in it, $OUT/l2.img.
initramfs_of_both()
{
	initramfs "$OUT/l2.img"
	initramfs "$OUT/l1.img" "$guests/vmm" "$arm64/Image:/Image" "$OUT/l2.img:/initramfs"
}

# mode WORD NAME NESTED: the VM is of that kind, KVM is given WORD, and must call itself NAME.
mode()
{
	run 600 --icount "$3" -k "$arm64/Image" -i "$OUT/l1.img" -c 2 -m 640 -o sve=256 \
		-a "console=ttyAMA0 quiet panic=-1 kvm-arm.mode=$1 run.stack=linux:256 run.fp=3" -- -cpu max,sme=off,sve-max-vq=2
	want_status 0
	want "^guest: L1: kvm .*: $2 mode initialized successfully\$"
	want '^guest: L2: Linux '
	want '^guest: L2: fpcheck: PASS '
	want '^guest: L2: PASS$'
	want '^guest: L1: [1-9][0-9]* rounds of fpcheck, all right$'
	want '^guest: L1: PASS$'
}
