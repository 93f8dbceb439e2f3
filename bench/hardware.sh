# SPDX-License-Identifier: Apache-2.0
# Part of bench/run: what the hypervisor at level 0 does in an operation of its guest, or of its guest's guest, by what silicon
# charges for: exceptions, system registers by group, barriers, TLB maintenance, cache lines. Counted by QEMU (bench/plugin).
# PEER=kvm: of Linux/KVM at level 0 beside nidus.

words="console=ttyAMA0 quiet panic=-1 kvm-arm.mode=nested"
cpu=max,lpa2=off # as in bench/linux.sh
plugin=$top/build/bench/cost.so
each=100
load=0x40200000 # where nidus runs on this machine
some='hyp_call,mmio_read_vgic,mmio_read_uart,mmio_read_user,sysreg_read_id,tlbi,ipi_self,ipi,hyp_call_fp,mmio_read_user_fp,page_touch'
args=marks,only,$some,n=$each
rm -f "$out"/hardware.*

initramfs()
{
	MODULES= COMPRESS=none "$top/tools/mkinitramfs" "$@"
}

# counts NAME STACK LEVEL: of a run with its counts in NAME.cost: lines "TEST NAME=COUNT..." in NAME.each, of one operation at EL2.
counts()
{
	sed -n 's/^bench: \([a-z0-9_]*\) [0-9]*$/\1/p' "$out/$1" | grep -vxE 'vl|elapsed' >"$out/$1.tests"
	[ "$(wc -l <"$out/$1.tests")" -eq "$(grep -c '^row' "$out/$1.cost")" ] || fail "$out/$1.cost: not a row for each operation"
	awk -v n=$each '
		FILENAME ~ /tests$/ { test[++tests] = $1; next }
		$1 == "columns" { split($0, name, " "); next }
		$1 == "row" {
			row++
			line = ""
			sum = 0
			for (i = 2; i <= NF; i++) {
				line = line sprintf(" %s=%.2f", name[i], $i / n)
				if (name[i] !~ /_lines$|^[zq]_/)
					sum += $i
			}
			printf "%s insn=%.2f%s\n", test[row], sum / n, line
		}' "$out/$1.tests" "$out/$1.cost" >"$out/$1.each"
	while read -r test rest; do
		json=$(echo "$rest" | tr ' ' '\n' | awk -F = '$2 + 0 >= 0.05 { printf "%s\"%s\": %s", (n++ ? ", " : "{"), $1, $2 } END { print n ? "}" : "{}" }')
		insn=$(echo "$rest" | sed 's/^insn=\([0-9]*\).*/\1/')
		cell "$2" "$3" "level0_$test" - - - "$insn" "$json" - - "what level 0 does in an operation"
	done <"$out/$1.each"
	awk -v stack="$2" '{ print stack, $0 }' "$out/$1.each" >>"$out/hardware.all"
}

with_plugin()
{
	echo "-plugin $plugin,out=$out/$1.cost${2:+,$2}"
}

# stages NAME TEST: where in nidus the instructions of an operation are: lines "STAGE INSTRUCTIONS", by source file, which is that of
# the outermost .c or .S of an instruction's inlined frames.
stages()
{
	row=$(grep -nx "$2" "$out/$1.tests" | cut -d : -f 1)
	awk -v row="$row" '$1 == "row" { n++ } $1 == "pc" && n == row { print $2, $3 }' "$out/$1.cost" >"$out/$1.pcs"
	elf=${nidus%.bin}.elf
	while read -r pc _; do printf '%#x\n' $((pc - load)); done <"$out/$1.pcs" |
		"${CROSS:-aarch64-linux-gnu-}addr2line" -a -i -e "$elf" >"$out/$1.lines"
	awk -v n=$each '
		function done() { if (pc != "") where[pc] = file }
		FILENAME ~ /lines$/ {
			if ($0 ~ /^0x/) { done(); pc = ++pcs; file = "" }
			else if ($0 ~ /\.[cS]:/ || (file == "" && $0 ~ /\.def:/)) { file = $0; sub(/:.*/, "", file); sub(/.*\/src\//, "", file) }
			next
		}
		FNR == 1 { done() }
		{ sum[where[FNR]] += $2 }
		END { for (f in sum) printf "%s %.1f\n", f == "" ? "other" : f, sum[f] / n }' "$out/$1.lines" "$out/$1.pcs" | sort -k 2nr
}

measure hardware.nidus -k "$guests/bench.bin" -c 2 -m 64 -a "$(echo "$args" | tr , ' ')" -- $(with_plugin hardware.nidus)
counts hardware.nidus nidus/payload L1
initramfs "$out/hardware.l1.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$guests/bench.bin"
measure hardware.nidus.linux --nested -k "$arm64/Image" -i "$out/hardware.l1.cpio" -c 2 -m 768 -o sve=max -o sme=max \
	-a "$words bench.vm=payload bench.args=$args" -- -cpu $cpu $(with_plugin hardware.nidus.linux "from=${load#0x},bytes=$(wc -c <"$nidus")")
counts hardware.nidus.linux nidus/linux/payload L2
for test in hyp_call mmio_read_user; do
	stages hardware.nidus.linux $test >"$out/stages.$test"
	while read -r file insn; do
		cell nidus/linux/payload L2 stage_$test - - "$insn" - - - - "$file"
	done <"$out/stages.$test"
done
if [ -n "$peer" ]; then
	# linux NAME MIB INITRD WORDS
	linux()
	{
		on_machine "$1" ' passed, 0 failed' -cpu $cpu -smp 2 -m "$2" $icount -kernel "$arm64/Image" -initrd "$out/$3" \
			-append "$words bench.args=$args $4" $(with_plugin "$1")
	}
	linux hardware.kvm 768 hardware.l1.cpio bench.vm=payload
	counts hardware.kvm kvm/payload L1
	initramfs "$out/hardware.l0.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$guests/bench.bin" \
		"$arm64/Image:/Image" "$out/hardware.l1.cpio:/initramfs"
	linux hardware.kvm.linux 1536 hardware.l0.cpio "bench.vm=linux,payload bench.mib=768"
	counts hardware.kvm.linux kvm/linux/payload L2
fi
rm -f "$out"/hardware.*.cpio

echo "Level 0's own part of an operation: exceptions taken (and returned from), instructions, system registers read and written, of"
echo "those the GIC's, timers', PAuth keys and debug's, ISB, DSB, TLBI, 64-byte lines of data and of code touched between an exception"
echo "and its return."
printf '%-20s %-18s %6s %7s %6s %6s %6s %6s %6s %6s %5s %5s %5s %6s %6s\n' stack test except insns reads writes gic timer pauth debug \
	isb dsb tlbi data code
awk '
	{
		delete v
		for (i = 3; i <= NF; i++) {
			split($i, pair, "=")
			v[pair[1]] = pair[2]
		}
		reads = writes = 0
		for (name in v) {
			if (name ~ /^read_/) reads += v[name]
			if (name ~ /^write_/) writes += v[name]
		}
		if (v["eret"] < 0.05)
			next
		printf "%-20s %-18s %6.1f %7.0f %6.1f %6.1f %6.1f %6.1f %6.1f %6.1f %5.1f %5.1f %5.1f %6.0f %6.0f\n", $1, $2, v["eret"], v["insn"],
			reads, writes, v["read_gic"] + v["write_gic"], v["read_timer"] + v["write_timer"],
			v["read_pauth"] + v["write_pauth"], v["read_debug"] + v["write_debug"], v["isb"], v["dsb"], v["tlbi"],
			v["data_lines"], v["code_lines"]
	}' "$out/hardware.all"
