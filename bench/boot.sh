# SPDX-License-Identifier: Apache-2.0
# Part of bench/run: host time of a Linux boot as L2, under Debian's QEMU in L1, from the VMM's start to power-off. The
# overhead is the difference to L1 on the bare machine. Without icount: the figures are those of an emulator and include
# whatever else the host does.
[ -d "$arm64/qemu" ] || fail "$suite has no QEMU for L1: run SUITE=$suite tools/fetch-arm64 --update"
words="console=ttyAMA0 quiet panic=-1 kvm-arm.mode=nested"
cpu=max,lpa2=off # as in bench/linux.sh
limit=1200
rm -f "$out"/boot.bare.* "$out"/boot.nidus.* "$out"/boot.kvm.*

initramfs()
{
	MODULES= COMPRESS=none "$top/tools/mkinitramfs" "$@"
}
initramfs "$out/l2.cpio" "$suite" "$top/bench/linux/init"
initramfs "$out/l1.qemu.cpio" "$suite" "$top/bench/linux/init" "$arm64/qemu:/" "$arm64/Image:/l2/Image" \
	"$out/l2.cpio:/l2/initramfs"
[ -z "$peer" ] || initramfs "$out/l0.qemu.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" \
	"$arm64/Image:/Image" "$out/l1.qemu.cpio:/initramfs"

# boots LOG ROUND: runs one of each stack, alternately.
boots()
{
	on_machine boot.bare.$1.$2 ' passed, 0 failed' -cpu $cpu -smp 2 -m 1280 -kernel "$arm64/Image" \
		-initrd "$out/l1.qemu.cpio" -append "$words bench.vm=qemu bench.log=$1"
	under_nidus boot.nidus.$1.$2 ' passed, 0 failed' --nested -k "$arm64/Image" -i "$out/l1.qemu.cpio" -c 2 -m 1280 \
		-o sve=max -a "$words bench.vm=qemu bench.log=$1" -- -cpu $cpu
	[ -z "$peer" ] ||
		on_machine boot.kvm.$1.$2 ' passed, 0 failed' -cpu $cpu -smp 2 -m 3072 -kernel "$arm64/Image" \
			-initrd "$out/l0.qemu.cpio" -append "$words bench.vm=linux,qemu bench.mib=1280 bench.log=$1"
}

# The best of two, because whatever else the host does only adds time. A verbose boot under KVM takes minutes, so there
# is one.
boots quiet 1
boots quiet 2
boots verbose 1

# best STACK LOG: prints milliseconds.
best()
{
	for run in "$out/boot.$1.$2".[12]; do
		figure "${run#"$out"/}" "boot_$2"
	done | sort -n | head -n 1
}

rm -f "$out/l0.qemu.cpio" "$out/l1.qemu.cpio"

echo "Debian's Linux $(cat "$arm64/kernel-version") as L2, 2 vcpus, under Debian's QEMU in the same Linux as L1: QEMU's start to power-off,"
echo "in milliseconds of host time (quiet: the better of two); the overhead over the bare machine; with PEER=kvm also Linux/KVM's as L0, and the part of it"
echo "that is aimed at."
printf '%-29s %10s %8s %8s %8s %8s %8s\n' "test" all bare nidus "at most" KVM "over"
for log in quiet verbose; do
	all=$(best nidus $log)
	bare=$(best bare $log)
	case $log in
	quiet) part=4 ;;
	*) part=5 ;;
	esac
	most= kvm= over= verdict=
	if [ -n "$peer" ]; then
		kvm=$(best kvm $log)
		over=$((kvm - bare))
		most=$((over / part))
		[ $((all - bare)) -le $most ] && verdict=ok || verdict=MISSED
		cell kvm/linux/linux L2 boot_$log - - - - - - "${kvm}000000" "under QEMU in L1; overhead over kvm/linux $over ms"
	fi
	what="$(figure boot.nidus.$log.1 boot_${log}_bytes) bytes on its console"
	printf '%-29s %10s %8s %8s %8s %8s %8s  %-6s  %s\n' boot_$log "$all" "$bare" $((all - bare)) "$most" "$kvm" "$over" \
		"$verdict" "$what"
	cell nidus/linux/linux L2 boot_$log live - - - - - "${all}000000" "under QEMU in L1; overhead over kvm/linux $((all - bare)) ms"
	cell kvm/linux L1 boot_$log - - - - - - "${bare}000000" "under QEMU in Linux on the bare machine"
done
