# SPDX-License-Identifier: Apache-2.0
# Part of bench/run: the operations of guest/bench.c at each level and at virtual EL2, over stacks of nidus, of Linux/KVM and of
# both, in instructions of all levels together. What a stack does not have is in the results with the reason. The parts el1 and
# linux have nidus/payload, nidus/linux/payload, kvm/payload and kvm/linux/payload for EL1. Linux at two levels is the small
# kernel of bench/linux/kernels with one vcpu a level, so that the stack without nidus ends within an hour. HOUR: its limit, in seconds.

words="console=ttyAMA0 quiet panic=-1 kvm-arm.mode=nested"
cpu=max,lpa2=off # as in bench/linux.sh
small=$top/build/kernel/$suite/live/Image
hour=${HOUR:-3600}
tests='hyp_call mmio_read_vgic mmio_read_gicr mmio_read_uart mmio_read_user eoi sysreg_read_id tlbi eret_vel2 ipi_self timer_10ms
timer_10ms_wfi timer_10ms_phys ipi ipi_wfi hyp_call_fp mmio_read_uart_fp mmio_read_user_fp page_touch'
rm -f "$out"/levels.*

initramfs()
{
	MODULES= COMPRESS=none "$top/tools/mkinitramfs" "$@"
}

# why_not COLUMN TEST: why a run without failure has no figure for it.
why_not()
{
	case $1.$2 in
	*el2.eret_vel2) ;;
	*.eret_vel2) echo "a guest at EL1 has no return to EL2"; return ;;
	esac
	case $1.$2 in
	*linux*.mmio_read_uart* | kvm*.mmio_read_uart*) echo "Linux/KVM has no UART: its VMM has one, see mmio_read_user" ;;
	*.mmio_read_user*) echo "nidus has the UART itself, see mmio_read_uart" ;;
	*linux.linux*.ipi | *linux.linux*.ipi_wfi) echo "one vcpu at each level" ;;
	*) echo "the program printed no figure" ;;
	esac
}

# column STACK LEVEL WHY: what the run "levels.STACK.LEVEL" (/ as .) printed becomes cells and a column of the table; WHY, if the
# run did not end, is for what it did not print.
column()
{
	of=$(echo "$1.$2" | tr '/ ' '..' | tr A-Z a-z)
	echo "$of" >>"$out/levels.columns"
	for test in $tests; do
		value=$(sed -n "s/^bench: $test \([0-9][0-9]*\)\$/\1/p" "$out/levels.$of")
		if [ -n "$value" ]; then
			cell "$1" "$2" "$test" - - "$value" - - - - -
			echo "$of $test $value" >>"$out/levels.values"
			continue
		fi
		reason=$(why_not "$of" "$test")
		[ "$reason" != "the program printed no figure" ] || reason=${3:-$reason}
		no_cell "$1" "$2" "$test" "$reason"
	done
}

# of_nidus LEVELS: nidus at levels 0 to LEVELS - 1, the program at EL1 and at EL2.
of_nidus()
{
	stack=$(printf 'nidus/%.0s' $(seq "$1"))payload
	run=levels.$(echo "$stack" | tr / .).l$1
	if [ "$1" -gt 1 ]; then
		measure "$run" --level "$1" -o sve=0 -k "$guests/bench.bin" -c 2 -m 64 -a n=100
		column "$stack" "L$1"
	fi
	measure "$run.at.el2" --level "$1" --nested -o sve=0 -k "$guests/bench-el2.bin" -c 2 -m 64 -a n=100
	column "$stack" "L$1 at EL2"
}
of_nidus 1
of_nidus 2
of_nidus 3

# Linux, the program at its guest's EL2.
initramfs "$out/levels.1.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$guests/bench-el2.bin"
el2_words="$words bench.vm=payload bench.program=bench-el2 bench.el2=y bench.args=median,n=100"
measure levels.nidus.linux.payload.l2.at.el2 --nested=deep -k "$arm64/Image" -i "$out/levels.1.cpio" -c 2 -m 768 -o sve=max \
	-o sme=max -a "$el2_words" -- -cpu $cpu
column nidus/linux/payload "L2 at EL2"

# Linux at two levels, the program at EL1 of level 3.
l3_words="$words bench.cpus=1 bench.args=median,n=20"
below_linux()
{
	initramfs "$out/levels.below" "$suite" "$top/bench/linux/init" "$guests/vmm" "$guests/bench.bin"
	initramfs "$out/levels.2.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$small:/Image" "$out/levels.below:/initramfs"
	measure levels.nidus.linux.linux.payload.l3 --nested=deep --cpus 1 -k "$small" -i "$out/levels.2.cpio" -c 1 -m 512 -o sve=max \
		-a "$l3_words bench.vm=linux,payload bench.mib=256" -- -cpu $cpu,sme=off
	column nidus/linux/linux/payload L3
}

# The same with Linux in nidus's place, as far as an hour goes.
below_linux_alone()
{
	initramfs "$out/levels.3.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$small:/Image" "$out/levels.2.cpio:/initramfs"
	run=levels.kvm.linux.linux.payload.l3
	why=
	"$top/tools/qemu-run" --timeout "$hour" "$qemu" -M virt,virtualization=on,gic-version=3,dtb-randomness=off -display none \
		-monitor none -nic none -serial stdio -cpu $cpu,sme=off -smp 1 -m 1024 $icount -kernel "$small" -initrd "$out/levels.3.cpio" \
		-append "$l3_words bench.vm=linux,linux,payload bench.mib=512,256" </dev/null >"$out/$run.console" 2>&1 ||
		why="not printed when the run ended with status $? (124: after $hour s by the clock)"
	tr -d '\r' <"$out/$run.console" >"$out/$run"
	column kvm/linux/linux/payload L3 "$why"
}

# none STACK LEVEL WHY: no cell of a stack.
none()
{
	for test in $tests; do
		no_cell "$1" "$2" "$test" "$3"
	done
}

if "$top/bench/linux/kernels"; then
	below_linux
	[ -z "$peer" ] || below_linux_alone
else
	none nidus/linux/linux/payload L3 "the kernel of bench/linux/kernels was not built"
	none kvm/linux/linux/payload L3 "the kernel of bench/linux/kernels was not built"
fi
if [ -n "$peer" ]; then
	on_machine levels.kvm.payload.l1.at.el2 ' passed, 0 failed' -cpu $cpu -smp 2 -m 768 $icount -kernel "$arm64/Image" \
		-initrd "$out/levels.1.cpio" -append "$el2_words"
	column kvm/payload "L1 at EL2"
else
	none kvm/payload "L1 at EL2" "make bench PEER=kvm measures it"
	none kvm/linux/linux/payload L3 "make bench PEER=kvm measures it"
fi
rm -f "$out"/levels.*.cpio "$out/levels.below"

echo "The operations of guest/bench.c: instructions of all levels together; columns are stacks, with the program's level."
awk '
	FILENAME ~ /columns$/ { names[++n] = $1; next }
	{ v[$1 " " $2] = $3; if (!($2 in seen)) { seen[$2] = 1; rows[++m] = $2 } }
	END {
		for (i = 1; i <= n; i++)
			printf "  %d: %s\n", i, names[i]
		printf "%-20s", "test"
		for (i = 1; i <= n; i++)
			printf " %9d", i
		print ""
		for (j = 1; j <= m; j++) {
			printf "%-20s", rows[j]
			for (i = 1; i <= n; i++)
				printf " %9s", (names[i] " " rows[j]) in v ? v[names[i] " " rows[j]] : ""
			print ""
		}
	}' "$out/levels.columns" "$out/levels.values"
