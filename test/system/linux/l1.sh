# SPDX-License-Identifier: Apache-2.0
# What the init scripts of Linux as L1 are written in: L2s under Debian's QEMU. In the initramfs it is /l1.sh, after
# /guest.sh; L2's kernel and initramfs are /l2/Image and /l2/initramfs (nested.sh puts them there). Of an L2 NAME:
#   /tmp/NAME.disk      its virtio-blk disk, if that file is there when it starts
#   /tmp/NAME.console   the lines that its virtio-console printed; we print them as well, "guest: NAME: ...", but for
#                       those that begin with "@"
#   /tmp/NAME.in        a FIFO: what is written to it arrives on its virtio-console
#   /tmp/NAME.serial    what its PL011 printed: its kernel's console
#   /tmp/NAME.log       QEMU's own messages
#   /tmp/NAME.pid       QEMU's process id
#   /tmp/NAME.hello     what it must know to pass (init-l2), with /tmp/NAME.bytes
#   /tmp/NAME.moved     when it last got on, and what was seen of it then
# L1's words: run.l2_cpus (2), run.l2_mem (256 MiB), run.l2_args (words for L2's kernel, commas for blanks), run.stall
# (600: seconds without progress after which an L2 is given up. L1's clock is the host's, so this has to be many times
# what L2's longest silence takes on a quiet machine).

# l1_begin: says who this is, and checks that KVM is there.
l1_begin()
{
	begin 'guest: '
	say "L1: Linux $(uname -r), $cpus cpus, up after $(cut -d ' ' -f 1 /proc/uptime) s;" \
		"$(qemu-system-aarch64 --version | head -n 1)"
	check_kvm
}

# uptime: sets up to the seconds since boot; without a process, because it is called often.
uptime()
{
	read -r up idle </proc/uptime
	up=${up%.*}
}

# now: prints milliseconds since boot. available: prints KiB of memory that programs could have.
now()
{
	read -r up idle </proc/uptime
	echo "${up%.*}${up#*.}0"
}

available()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# check_kvm: KVM came up, in VHE mode, or in that of the word run.kvm: nVHE, or Protected_nVHE.
check_kvm()
{
	dmesg | grep -E 'CPU\(s\) started at|kvm .*(VHE|hyp|Hyp) mode|kvm .*error' | sed 's/^\[[^]]*\] //' |
		while read -r line; do say "$line"; done
	mode=$(param kvm VHE | tr _ ' ')
	dmesg | grep -Eq "kvm .*: (Hyp )?$mode mode initialized successfully" || bad "KVM did not come up in $mode mode"
	[ -c /dev/kvm ] || bad "no /dev/kvm"
}

# follow NAME: copies its console, line by line, until QEMU closes it.
follow()
{
	while read -r line; do
		echo "$line" >>"/tmp/$1.console"
		case $line in @*) ;; *) say "$1: $line" ;; esac
		on_line "$1" "$line"
	done <"/tmp/$1.out"
}

# l2_start NAME [QEMU-ARG...]: starts an L2.
l2_start()
{
	name=$1
	shift
	rm -f "/tmp/$name.in" "/tmp/$name.out" "/tmp/$name.pid" "/tmp/$name.moved" "/tmp/$name.killed"
	: >"/tmp/$name.serial"
	mkfifo "/tmp/$name.in" "/tmp/$name.out"
	: >"/tmp/$name.console"
	follow "$name" &
	echo $! >"/tmp/$name.follow"
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

# l2_alive NAME: whether its QEMU runs.
l2_alive()
{
	read -r pid <"/tmp/$1.pid"
	state=Z
	{ read -r number comm state rest <"/proc/$pid/stat"; } 2>/dev/null
	[ "$state" != Z ]
}

# l2_seen NAME: prints everything that shows that an L2 makes progress: its output, and memory that it uses for the
# first time.
l2_seen()
{
	vm=0 resident=0
	{ read -r vm resident rest <"/proc/$(cat "/tmp/$1.pid")/statm"; } 2>/dev/null
	echo "$(wc -c <"/tmp/$1.serial") and $(wc -c <"/tmp/$1.console") bytes of console, $resident pages"
}

# l2_goes_on NAME: whether its QEMU runs, and the L2 has made progress within the last run.stall seconds. If not it is
# killed, and what is known is printed. Reports progress every 20 s at most, for whoever watches L1.
l2_goes_on()
{
	l2_alive "$1" || return 1
	uptime
	moved=0 told=0 seen=
	[ ! -e "/tmp/$1.moved" ] || read -r moved told seen <"/tmp/$1.moved"
	# This is called ten times a second.
	[ "$up" -ge $((moved + 5)) ] || return 0
	seeing=$(l2_seen "$1")
	if [ "$seeing" != "$seen" ]; then
		if [ "$up" -ge $((told + 20)) ]; then
			[ "$told" = 0 ] || say "L1: $1 goes on: $seeing"
			told=$up
		fi
		echo "$up $told $seeing" >"/tmp/$1.moved"
	elif [ "$up" -ge $((moved + $(param stall 600))) ]; then
		l2_kill "$1"
		l2_tell "$1"
		bad "$1 did not get on for $((up - moved)) s ($seen)"
		return 1
	fi
}

# l2_heard NAME: after QEMU's end: returns when its last line is in /tmp/NAME.console.
l2_heard()
{
	: <>"/tmp/$1.out" # the other side of the FIFO, if QEMU ended before it opened that
	wait "$(cat "/tmp/$1.follow")" 2>/dev/null || true
}

# l2_kill NAME: kills it by SIGKILL; returns when it is gone.
l2_kill()
{
	: >"/tmp/$1.killed"
	kill -9 "$(cat "/tmp/$1.pid")" 2>/dev/null
	wait "$(cat "/tmp/$1.pid")" 2>/dev/null
	l2_heard "$1"
}

# l2_wait NAME: waits for its power-off. Status 0 if that happened; otherwise it is killed and what is known is printed.
l2_wait()
{
	while l2_goes_on "$1"; do
		usleep 100000
	done
	[ ! -e "/tmp/$1.killed" ] || return 1
	l2_status=0
	wait "$(cat "/tmp/$1.pid")" || l2_status=$?
	l2_heard "$1"
	[ $l2_status = 0 ] || { l2_tell "$1"; bad "$1: QEMU's status is $l2_status"; return 1; }
}

# l2_tell NAME: prints the end of its kernel's and QEMU's output.
l2_tell()
{
	tail -n 20 "/tmp/$1.serial" | tr -d '\r' | while read -r line; do say "$1: serial: $line"; done
	tail -n 8 "/tmp/$1.log" | while read -r line; do say "$1: qemu: $line"; done
}

# l2_prepare NAME: makes what an L2 with init-l2 is given: a disk with contents of L1's, and as much space to write to
# for each of its CPUs; a line and some bytes on its console, with a nonce that must be returned.
l2_prepare()
{
	mib=$(param mib 1)
	head -c $((mib << 20)) /dev/urandom >"/tmp/$1.disk"
	head -c 16384 /dev/urandom >"/tmp/$1.bytes"
	echo "$(head -c 8 /dev/urandom | hexdump -v -e '8/1 "%02x"') $(sum <"/tmp/$1.bytes") $(sum <"/tmp/$1.disk") 16384" \
		>"/tmp/$1.hello"
	truncate -s $((mib * ($(param l2_cpus 2) + 1)))M "/tmp/$1.disk"
	[ "$mib" != 0 ] || rm "/tmp/$1.disk"
}

# on_line NAME LINE: called for each line of an L2's console.
on_line()
{
	case $2 in
	@ready) cat "/tmp/$1.hello" "/tmp/$1.bytes" >"/tmp/$1.in" & ;;
	esac
}

# l2_said NAME REGEX: prints the matching lines of its console.
l2_said()
{
	grep -qE "$2" "/tmp/$1.console"
}

# l2_judge NAME: after its power-off: checks its verdict, what came over its console, and its disk.
l2_judge()
{
	read -r nonce bytes_sum disk_sum rest <"/tmp/$1.hello"
	l2_said "$1" "^@verdict $nonce PASS\$" ||
		{ l2_tell "$1"; bad "$1: $(grep '^@verdict' "/tmp/$1.console" || echo 'no verdict')"; }
	l2_said "$1" "^@answer $nonce $bytes_sum\$" || bad "$1 did not get what was sent to its console"
	[ "$(sed -n 's/^@data-sum //p' "/tmp/$1.console")" = "$(sed -n 's/^@data //p' "/tmp/$1.console" | sum)" ] ||
		bad "$1's data arrived changed on the console"
	mib=$(param mib 1)
	[ "$mib" != 0 ] || return 0
	[ "$(part "/tmp/$1.disk" 0 "$mib" | sum)" = "$disk_sum" ] || bad "$1's disk changed where $1 did not write"
	sed -n 's/^@wrote //p' "/tmp/$1.console" >"/tmp/$1.wrote"
	[ "$(wc -l <"/tmp/$1.wrote")" -eq "$(param l2_cpus 2)" ] || bad "$1 wrote to $(wc -l <"/tmp/$1.wrote") parts of its disk"
	while read -r at count want; do
		[ "$(part "/tmp/$1.disk" "$at" "$count" | sum)" = "$want" ] || bad "$1's disk has not what $1 wrote at MiB $at"
	done <"/tmp/$1.wrote"
}

# l2_passes NAME [QEMU-ARG...]: runs an L2 from start to power-off and checks it.
l2_passes()
{
	l2_prepare "$1"
	l2_start "$@"
	! l2_wait "$1" || l2_judge "$1"
}

# finish: prints the verdict, and powers off.
finish()
{
	check_log
	say "$(verdict)"
	poweroff -f
}
