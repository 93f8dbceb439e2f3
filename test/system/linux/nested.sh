# SPDX-License-Identifier: Apache-2.0
# How the host builds what a nested Linux boots; read with ".", TOP is the checkout. A suite is one of
# tools/fetch-arm64's; INIT is process 1's script (tools/mkinitramfs), FILEs as there. Both have the programs that
# check things (build/guest) and /guest.sh; L1 has /l1.sh, Debian's QEMU, and L2's kernel and initramfs under /l2.
#
#   l2_initramfs OUT SUITE INIT [FILE...]
#   l1_initramfs OUT SUITE INIT L2-SUITE L2-INITRAMFS [FILE...]      L1_MODULES: kernel modules for L1

nested_linux=$TOP/test/system/linux
nested_guests=$TOP/build/guest

nested_files()
{
	echo "$nested_linux/guest.sh:/guest.sh" $(printf "$nested_guests/%s " fpcheck mathcheck timecheck pingcheck memcheck)
}

l2_initramfs()
{
	nested_out=$1 nested_suite=$2 nested_init=$3
	shift 3
	MODULES=virtio_blk COMPRESS=gzip "$TOP/tools/mkinitramfs" "$nested_out" "$nested_suite" "$nested_init" \
		$(nested_files) "$@"
}

# Not compressed: that boots fastest, and the memory is soon free again.
l1_initramfs()
{
	nested_out=$1 nested_suite=$2 nested_init=$3 nested_l2_suite=$4 nested_l2=$5
	shift 5
	MODULES=${L1_MODULES:-} COMPRESS=none "$TOP/tools/mkinitramfs" "$nested_out" "$nested_suite" "$nested_init" $(nested_files) \
		"$nested_linux/l1.sh:/l1.sh" "$TOP/build/arm64/$nested_suite/qemu:/" \
		"$TOP/build/arm64/$nested_l2_suite/Image:/l2/Image" "$nested_l2:/l2/initramfs" "$@"
}
