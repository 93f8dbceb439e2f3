# SPDX-License-Identifier: Apache-2.0
# What the init scripts of Linux as L1 are written in: L2s under Debian's QEMU. In the initramfs it is /l1.sh, after
# /guest.sh; L2's kernel and initramfs are /l2/Image and /l2/initramfs (nested.sh puts them there). Of an L2 NAME:
#   /tmp/NAME.disk      its virtio-blk disk, if that file is there when it starts
#   /tmp/NAME.console   the lines that its virtio-console printed, which we print as well: "guest: NAME: ..."
#   /tmp/NAME.in        a FIFO: what is written to it arrives on its virtio-console
#   /tmp/NAME.serial    what its PL011 printed: its kernel's console
#   /tmp/NAME.log       QEMU's own messages
#   /tmp/NAME.pid       QEMU's process id
# L1's words: run.l2_cpus (2), run.l2_mem (256 MiB), run.l2_args (words for L2's kernel, commas for blanks).

# check_kvm: KVM came up, in VHE mode.
check_kvm()
{
	dmesg | grep -E 'CPU\(s\) started at|kvm .*(VHE|hyp|Hyp) mode|kvm .*error' | sed 's/^\[[^]]*\] //' |
		while read -r line; do say "$line"; done
	dmesg | grep -q 'kvm .*: VHE mode initialized successfully' || bad "KVM did not come up in VHE mode"
	[ -c /dev/kvm ] || bad "no /dev/kvm"
}

# follow NAME: its console, line by line, until QEMU closes it. on_line NAME LINE, if the script has such a function,
# is called for each.
follow()
{
	while read -r line; do
		echo "$line" >>"/tmp/$1.console"
		say "$1: $line"
		! type on_line >/dev/null 2>&1 || on_line "$1" "$line"
	done <"/tmp/$1.out"
}

# l2_start NAME [QEMU-ARG...]: an L2 on its way.
l2_start()
{
	name=$1
	shift
	rm -f "/tmp/$name.in" "/tmp/$name.out" "/tmp/$name.pid"
	mkfifo "/tmp/$name.in" "/tmp/$name.out"
	: >"/tmp/$name.console"
	follow "$name" &
	if [ -f "/tmp/$name.disk" ]; then
		set -- -drive "if=none,id=disk,format=raw,file=/tmp/$name.disk" -device virtio-blk-pci,drive=disk "$@"
	fi
	words=$(tr ' ' '\n' </proc/cmdline | grep '^run\.')
	qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -cpu host -smp "$(param l2_cpus 2)" -m "$(param l2_mem 256)" \
		-nodefaults -display none -no-reboot -kernel /l2/Image -initrd /l2/initramfs \
		-append "quiet console=ttyAMA0 panic=-1 $(echo $words) $(param l2_args '' | tr , ' ')" \
		-serial "file:/tmp/$name.serial" \
		-device virtio-serial-pci -chardev "pipe,id=console,path=/tmp/$name" -device virtconsole,chardev=console \
		"$@" >"/tmp/$name.log" 2>&1 </dev/null &
	echo $! >"/tmp/$name.pid"
}

# l2_alive NAME: does its QEMU run?
l2_alive()
{
	[ "$(cut -d ' ' -f 3 "/proc/$(cat "/tmp/$1.pid")/stat" 2>/dev/null || echo Z)" != Z ]
}

# l2_kill NAME: at once, as SIGKILL does; returns when it is gone.
l2_kill()
{
	kill -9 "$(cat "/tmp/$1.pid")" 2>/dev/null
	wait "$(cat "/tmp/$1.pid")" 2>/dev/null
}

# l2_wait NAME SECONDS: for its power-off. Status 0 if it came to that; else it is killed and what is known is told.
l2_wait()
{
	end=$(($(cut -d . -f 1 /proc/uptime) + $2))
	while l2_alive "$1"; do
		if [ "$(cut -d . -f 1 /proc/uptime)" -ge "$end" ]; then
			l2_kill "$1"
			l2_tell "$1"
			bad "$1 did not power off within $2 s"
			return 1
		fi
		usleep 100000
	done
	l2_status=0
	wait "$(cat "/tmp/$1.pid")" || l2_status=$?
	[ $l2_status = 0 ] || { l2_tell "$1"; bad "$1: QEMU's status is $l2_status"; return 1; }
}

# l2_tell NAME: the end of what its kernel and QEMU said.
l2_tell()
{
	tail -n 20 "/tmp/$1.serial" | tr -d '\r' | while read -r line; do say "$1: serial: $line"; done
	tail -n 8 "/tmp/$1.log" | while read -r line; do say "$1: qemu: $line"; done
}

# finish: the verdict, and power-off.
finish()
{
	check_log
	say "$(verdict)"
	poweroff -f
}
