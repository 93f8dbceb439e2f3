# SPDX-License-Identifier: Apache-2.0
# Debian's Xen as L1, a hypervisor without VHE. It starts two guests itself (dom0less), both Linux: dom0, which has a virtio disk
# passed through twice, by nidus and by Xen, and domain 1. Each checks what it has (init-run); dom0 waits until domain 1 is off.
# Xen's dom0 dies of its first pointer authentication key where the CPU has that, on the bare machine as well: it gets a CPU without.
#   xen_test DOM0-SUITE DOMU-SUITE CPUS      CPUS: of each guest
#   xen_bare DOM0-SUITE DOMU-SUITE CPUS      the same without nidus

xen=$TOP/build/xen/${XEN_SUITE:-trixie}/xen

# xen_chosen: prints Xen's /chosen.
xen_chosen()
{
	cat <<END_OF_NODES
	#address-cells = <2>;
	#size-cells = <2>;
	xen,xen-bootargs = "console=dtuart dtuart=/pl011@9000000 dom0_mem=256M dom0_max_vcpus=$vcpus noreboot guest_loglvl=all";
	xen,dom0-bootargs = "console=hvc0 quiet panic=-1 nidus.cpus=$vcpus nidus.disk=1 nidus.domain=1";
	dom0-kernel { compatible = "multiboot,kernel", "multiboot,module"; nidus,file = "$dom0/Image"; };
	dom0-ramdisk { compatible = "multiboot,ramdisk", "multiboot,module"; nidus,file = "$OUT/dom0.img"; };
	domU1 {
		compatible = "xen,domain";
		#address-cells = <2>;
		#size-cells = <2>;
		memory = <0 0x40000>;
		cpus = <$vcpus>;
		vpl011;
		kernel {
			compatible = "multiboot,kernel", "multiboot,module";
			nidus,file = "$domu/Image";
			bootargs = "console=ttyAMA0 quiet panic=-1 nidus.cpus=$vcpus nidus.mem_mib=256";
		};
		ramdisk { compatible = "multiboot,ramdisk", "multiboot,module"; nidus,file = "$OUT/domu.img"; };
	};
END_OF_NODES
}

xen_prepare()
{
	dom0=$TOP/build/arm64/$1 domu=$TOP/build/arm64/$2 vcpus=$3
	need "$xen" "$dom0/Image" "$domu/Image" "$guests/xenwait"
	MODULES="virtio_mmio virtio_blk xen-privcmd" "$TOP/tools/mkinitramfs" "$OUT/dom0.img" "$1" \
		"$TOP/test/system/linux/init-run" "$guests/xenwait:/bin/xenwait"
	MODULES='' "$TOP/tools/mkinitramfs" "$OUT/domu.img" "$2" "$TOP/test/system/linux/init-run"
	"$TOP/test/system/linux/disk" make "$OUT/disk.img"
}

# xen_run NIDUS-OR-XEN MIB [OPTION]: starts that with $OUT/xen.dts, and checks the result.
xen_run()
{
	NIDUS=$1 run 300 ${3:-} --config "$OUT/xen.dts" --nidus stats -- -cpu max,pauth=off -m "$2" \
		-global virtio-mmio.force-legacy=false \
		-drive "if=none,file=$OUT/disk.img,format=raw,id=disk" -device virtio-blk-device,drive=disk
	rm -f "$OUT/dom0.img" "$OUT/domu.img"
	want_status 0
	want '^\(XEN\) Xen version 4'
	want "^guest: Linux $(release "$dom0"), started at EL1$"
	want '^guest: disk: what was written reads back$'
	want "\(XEN\) DOM1: guest: Linux $(release "$domu"), started at EL1$"
	want '\(XEN\) DOM1: guest: PASS$'
	want '^xenwait: PASS domain 1 is off$'
	want '^guest: PASS$'
	want '^\(XEN\) Hardware Dom0 halted: halting machine$'
	"$TOP/test/system/linux/disk" check "$OUT/disk.img" || fail "dom0's writes are not on the disk"
}

xen_test()
{
	xen_prepare "$@"
	cat >"$OUT/xen.dts" <<-END_OF_TREE
		/dts-v1/;
		/ { chosen { xen {
			compatible = "xen,domain";
			#address-cells = <2>;
			#size-cells = <2>;
			memory = <0 0xe0000>;
			cpus = <2>;
			vpl011;
			nidus,nested = "nvhe";
			nidus,direct-map;
			nidus,passthrough = "/virtio_mmio@a003e00";
			kernel { compatible = "multiboot,kernel", "multiboot,module"; nidus,file = "$xen"; };
			chosen { $(xen_chosen) };
		}; }; };
	END_OF_TREE
	# Time is instructions: on a slow host timer ticks would be all that the guests do.
	xen_run "$TOP/build/nidus.bin" 2048 --icount
	want '^nidus: vm xen: off$'
}

xen_bare()
{
	xen_prepare "$@"
	echo "/dts-v1/; / { chosen { $(xen_chosen) }; };" >"$OUT/xen.dts"
	xen_run "$xen" 1536
}
