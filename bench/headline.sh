# SPDX-License-Identifier: Apache-2.0
# Part of bench/run, alone (`make headline`): what leaving SIMD registers live over level switches is worth to an EL1 guest
# at level 3 that does I/O (guest/io.c), with nidus at the three levels below it. The same binaries, three ways:
#   live         as nidus is
#   switch       levels 1 and 2 move the registers at each level switch (nidus,simd = "switch"), as hypervisors did
#   switch_all   level 0 does so as well
# First instructions of all levels together, then the clock: ROUNDS (10; 0: none) rounds of the three by turns.
# VLS: vector lengths ("128 256 512 2048"). REQUESTS: mixed requests of a timed run (400).

vls=${VLS:-128 256 512 2048}
rounds=${ROUNDS:-10}
requests=${REQUESTS:-400}
kinds='device serial timer mixed'
few=20

# simd_of WAY: prints the argument of --simd, from level 1 on.
simd_of()
{
	case $1 in
	live) echo live ;;
	switch) echo live,switch ;;
	switch_all) echo switch ;;
	esac
}

# sums NAME: adds up the accounts that all three levels printed: exits to level 0 (which prints last), its ticks, SIMD
# claims, bytes.
sums()
{
	awk '
		$1 != "nidus:" { next }
		/Exits of vm/ { own = / level1,/ }
		own && $2 != "VM-EXIT" && $3 ~ /^[0-9]+$/ && NF >= 9 { ticks += $NF }
		own && sub(/.*Total Samples:/, "") { exits += $0 + 0 }
		$2 == "vcpu" && $4 == "SIMD" { claims += $5; bytes += $9 }
		END { print exits + 0, ticks + 0, claims + 0, bytes + 0 }' "$out/$1"
}

# counted WAY VL KIND: prints instructions of a request, exits to level 0, instructions there, SIMD claims and bytes of
# all levels: the difference of two runs. It takes many requests, because how often the levels poll their consoles while
# they boot differs too.
counted()
{
	many=1020
	[ "$3" != mixed ] || many=320
	for n in $few $many; do
		measure "headline.$n" --level 3 --simd "$(simd_of "$1")" --nidus stats --cpus 1 -k "$guests/io.bin" -m 64 -c 1 \
			-o "sve=$2" -a "only $3 n=$n vl=$2"
		vl_is "headline.$n" "$2"
		sums "headline.$n" >"$out/headline.$n.sums"
	done
	insn=$(io_figure "headline.$many" "$3")
	paste -d ' ' "$out/headline.$few.sums" "$out/headline.$many.sums" | awk -v n=$((many - few)) -v insn="$insn" '
		{ printf "%d %.1f %d %.2f %d\n", insn, ($5 - $1) / n, ($6 - $2) / n, ($7 - $3) / n, ($8 - $4) / n }'
}

echo "A guest at level 3 whose requests all use SIMD. Per request: instructions of all levels together, exits to level 0, what of"
echo "them is level 0's, SIMD traps that load registers, bytes of registers moved, at all levels. gain: of the row's instructions, what live saves."
printf '%-5s %-8s %-11s %9s %7s %9s %7s %8s %7s\n' vl kind way insns exits "level 0" loads bytes gain
for vl in $vls; do
	for kind in $kinds; do
		for way in live switch switch_all; do
			counted $way "$vl" $kind >"$out/headline.counted"
			read -r insn exits own claims bytes <"$out/headline.counted"
			[ $way != live ] || live=$insn
			saved=
			[ $way = live ] || saved=$(gain "$live" "$insn")
			printf '%-5s %-8s %-11s %9s %7s %9s %7s %8s %7s\n' "$vl" $kind $way "$insn" "$exits" "$own" "$claims" "$bytes" "$saved"
			cell nidus/nidus/nidus/payload L3 "io_$kind" $way "$vl" "$insn" "$own" "{\"total\": $exits}" "$bytes" - "$claims SIMD loads"
		done
	done
done
echo

# begin WAY VL: starts the machine for it, with a disk.
begin()
{
	truncate -s 1M "$out/headline.$1.img"
	machine "headline_$1" --level 3 --simd "$(simd_of "$1")" --cpus 1 -k "$guests/io.bin" -m 64 -c 1 -o "sve=$2" -o direct-map=1 \
		-o passthrough=/virtio_mmio@a003e00 -a "only mixed n=$requests rounds=$((rounds + 2)) vl=$2" -- \
		-m 1024 -global virtio-mmio.force-legacy=false -drive "if=none,file=$out/headline.$1.img,format=raw,id=disk" \
		-device virtio-blk-device,drive=disk
}

[ "$rounds" -gt 0 ] || exit 0
echo "The same by the clock, mixed requests with a virtio disk handed through to level 3: microseconds of a request, median of"
echo "$rounds rounds (quartiles). The three machines take turns. The gain is the median of the rounds' own."
printf '%-5s %-11s %9s %21s %9s %19s\n' vl way median quartiles gain quartiles
for vl in $vls; do
	clock_rounds headline mixed "$vl" live switch switch_all
	for way in live switch switch_all; do
		clock_row nidus/nidus/nidus/payload L3 io_mixed_disk $way "$vl" "$out/headline.ns"
	done
done
