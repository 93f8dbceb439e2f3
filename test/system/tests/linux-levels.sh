# SPDX-License-Identifier: Apache-2.0
# Linux/KVM as L1 and again as L2, each at a virtual EL2, under the small VMM of guest/linux, one vcpu at each level.
# Time is instructions (--icount): a timer tick of the last level takes so long that on a slow host ticks would be all
# that it does.
#   levels SECONDS MIB STACK "WORDS" PROGRAM...     MIB: L1's memory; STACK and WORDS are those of init-levels; PROGRAMs
#                                                   of build/guest go into every initramfs

# levels_initramfs OUT NEXT...: with the kernel and NEXT, the initramfs of the level below, unless it is the last level.
levels_initramfs()
{
	levels_out=$1 levels_next=$2
	shift 2
	for file; do
		set -- "$@" "$guests/$file"
		shift
	done
	[ -z "$levels_next" ] || set -- "$@" "$arm64/Image:/Image" "$levels_next:/initramfs"
	MODULES= COMPRESS=none "$TOP/tools/mkinitramfs" "$levels_out" "${SUITE:-trixie-backports}" \
		"$TOP/test/system/linux/init-levels" "$TOP/test/system/linux/guest.sh:/guest.sh" "$@"
}

levels()
{
	levels_limit=$1 levels_mib=$2 levels_stack=$3 levels_words=$4
	shift 4
	need "$arm64/Image" "$arm64/busybox" "$guests/vmm"
	below=
	for linux in $(echo "$levels_stack" | tr , '\n' | sed -n 's/^linux:.*/linux/p'); do
		levels_initramfs "$OUT/below.next" "$below" vmm "$@"
		mv "$OUT/below.next" "$OUT/below"
		below=$OUT/below
	done
	levels_initramfs "$OUT/l1.img" "$below" vmm "$@"
	run "$levels_limit" --icount --cpus 1 --nested=deep -k "$arm64/Image" -i "$OUT/l1.img" -c 1 -m "$levels_mib" -o sve=max \
		--nidus stats -a "console=ttyAMA0 quiet panic=-1 kvm-arm.mode=nested run.stack=$levels_stack $levels_words" \
		-- -cpu max,sme=off,sve-max-vq=2
	rm -f "$OUT/l1.img" "$OUT/below"
	want_status 0
	never '^guest: .*FAIL'
	want '^guest: L1: CPU: All CPU\(s\) started at EL2'
	want '^guest: L1: kvm .*: VHE\+NV2 mode initialized successfully'
	want '^vmm: KVM_CAP_ARM_EL2 is 1$'
	want '^guest: L1: PASS$'
}
