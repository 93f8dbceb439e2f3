# SPDX-License-Identifier: Apache-2.0
# Debian's installer in a VM that starts from firmware, for linux-installer, linux-installer-vel2 and linux-installer-uboot.
. "$TOP/test/system/lib.sh"

# installer_boots FIRMWARE KIND: in a VM of that kind. Its disk has the files where the package's tree has them, and the package's
# menu, of which the first entry starts at once. The question is on the screen that the installer draws on its console.
installer_boots()
{
	installer=$TOP/build/installer/${INSTALLER_SUITE:-trixie}
	need "$1" "$installer/linux"
	{
		echo 'set timeout=0'
		cat "$installer/grub.cfg"
	} >"$OUT/grub.cfg"
	"$TOP/tools/mkgrubdisk" "$OUT/disk.img" "$OUT/grub.cfg" "$installer/linux:debian-installer/arm64/linux" \
		"$installer/initrd.gz:debian-installer/arm64/initrd.gz"
	# shellcheck disable=SC2086
	run_until 'seen 1 "Choose the language to be used for the installation"' 300 --firmware "$1" -c 2 -m 1024 \
		-o pci=0000:00:01.0 ${2:-} -- -m 2560 -machine iommu=smmuv3 \
		-drive "if=none,file=$OUT/disk.img,format=raw,id=disk,readonly=on" \
		-device virtio-blk-pci,drive=disk,iommu_platform=on,disable-legacy=on,romfile=,addr=1
	want_status 143
	want 'Choose the language to be used for the installation'
	never 'Kernel panic'
	rm -f "$OUT/disk.img"
}
