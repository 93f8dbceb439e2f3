# SPDX-License-Identifier: Apache-2.0
# Linux/KVM as L1 gives its NVMe disk to an L2 (test/system/linux/init-l1-vfio), which checks it as any Linux guest does.
#   vfio_test SUITE
. "$TOP/test/system/linux/nested.sh"

vfio_test()
{
	linux=$TOP/build/arm64/$1
	need "$linux/Image" "$linux/qemu"
	MODULES=nvme "$TOP/tools/mkinitramfs" "$OUT/l2.img" "$1" "$nested_linux/init-run"
	L1_MODULES="vfio_iommu_type1 vfio_pci" l1_initramfs "$OUT/l1.img" "$1" "$nested_linux/init-l1-vfio" "$1" "$OUT/l2.img"
	"$nested_linux/disk" make "$OUT/disk.img"
	run 900 --nested -k "$linux/Image" -i "$OUT/l1.img" -c 2 -m 1024 \
		-a "console=ttyAMA0 quiet panic=-1 iommu.passthrough=0 run.l2_args=nidus.cpus=2,nidus.disk=1,nidus.blk=nvme0n1,nidus.msi=nvme0q" \
		-o pci=0000:00:01.0 -- -m 2048 -machine iommu=smmuv3 \
		-drive "if=none,file=$OUT/disk.img,format=raw,id=disk" -device nvme,drive=disk,serial=1,addr=1
	rm -f "$OUT/l1.img"
	want_status 0
	want '^guest: L1: 0000:00:01.0 is in group [0-9]*: DMA'
	want '^guest: L2: disk: what was written reads back'
	want '^guest: L2: messages: nvme0q: 3 interrupts came'
	want '^guest: L2: PASS$'
	want '^guest: PASS$'
	"$nested_linux/disk" check "$OUT/disk.img" || fail "what L2 wrote is not on the disk"
	never 'blocked'
	never '^guest: .*FAIL'
}
