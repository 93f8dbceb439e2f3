# SPDX-License-Identifier: Apache-2.0
# A VM that starts from firmware, for linux-firmware and linux-firmware-vel2.
. "$TOP/test/system/lib.sh"

# firmware_boots KIND WORDS: run such a VM, of that kind; the kernel gets WORDS as well.
firmware_boots()
{
	need "$arm64/Image" "$arm64/busybox" "$firmware"
	MODULES="virtio_pci virtio_blk efivarfs" "$TOP/tools/mkinitramfs" "$OUT/initramfs" "${SUITE:-trixie-backports}" \
		"$TOP/test/system/linux/init-firmware"
	cat >"$OUT/grub.cfg" <<-END
		linux /Image quiet console=ttyAMA0 panic=-1 nidus.disk=@SECTORS@ $2
		initrd /initramfs
		boot
	END
	"$TOP/tools/mkgrubdisk" "$OUT/disk.img" "$OUT/grub.cfg" "$arm64/Image" "$OUT/initramfs"
	# shellcheck disable=SC2086
	run 300 --firmware "$firmware" -c 2 -m 512 -o pci=0000:00:01.0 $1 -- -m 2048 -machine iommu=smmuv3 \
		-drive "if=none,file=$OUT/disk.img,format=raw,id=disk,readonly=on" \
		-device virtio-blk-pci,drive=disk,iommu_platform=on,disable-legacy=on,romfile=,addr=1
	want_status 0
	want '^guest: wrote a variable'
	want '^nidus: vm guest: reset'
	want '^guest: found the variable'
	want '^guest: PASS'
	never 'guest: FAIL'
}
