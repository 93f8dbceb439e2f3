# SPDX-License-Identifier: Apache-2.0
# Functions that the init scripts of nested guests share, L1's and L2's; in their initramfs it is /guest.sh. Parameters
# are words "run.NAME=VALUE" of the kernel's command line; L1 hands those on to L2.

export PATH=/bin:/usr/bin
failed=
prefix= # of what say prints

# begin PREFIX: process 1 finds nothing mounted. From here on no line of this script is cut in two by one of the
# kernel's.
begin()
{
	prefix=$1
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev 2>/dev/null
	mount -t tmpfs tmp /tmp
	echo 1 >/proc/sys/kernel/printk
	cpus=$(grep -c '^processor' /proc/cpuinfo)
}

say()
{
	echo "$prefix$*"
}

bad()
{
	say "wrong: $*"
	failed="${failed:+$failed; }$*"
}

# param NAME DEFAULT: prints the value of run.NAME.
param()
{
	value=$(tr ' ' '\n' </proc/cmdline | sed -n "s/^run\.$1=//p" | tail -n 1)
	echo "${value:-$2}"
}

# has FEATURE: whether /proc/cpuinfo names it.
has()
{
	grep -qE "^Features.* $1( |\$)" /proc/cpuinfo
}

# sum: prints that of standard input.
sum()
{
	sha256sum | cut -d ' ' -f 1
}

# part FILE START COUNT: prints that many MiBs of it.
part()
{
	dd if="$1" bs=1M skip="$2" count="$3" 2>/dev/null
}

# What the hypervisor below took of all the time that the kernel has counted.
say_stolen()
{
	dmesg | grep -q 'using stolen time PV' || { say "the hypervisor tells no stolen time"; return; }
	say "$(awk '/^cpu /{ for (i = 2; i <= 9; i++) n += $i; print $9, "of", n, "ticks stolen" }' /proc/stat)"
}

# The kernel sees more of the machine than this script does.
check_log()
{
	dmesg | grep -A 30 -E 'WARNING: |BUG: |Oops|Internal error|Call trace|stalls on|lockup|unstable|nobody cared|Out of memory' \
		>/tmp/log || return 0
	head -n 40 /tmp/log | while read -r line; do say "log: $line"; done
	bad "the kernel complains"
}

# verdict: prints "PASS" or "FAIL: why".
verdict()
{
	if [ -z "$failed" ]; then
		echo PASS
	else
		echo "FAIL: $failed"
	fi
}
