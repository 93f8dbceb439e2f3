# SPDX-License-Identifier: Apache-2.0
# Part of bench/run, alone (`make headline KVM=1`): the same guest at level 3 (guest/io.c) with nidus at level 0 and Linux/KVM
# at levels 1 and 2, by two kernels that differ in one thing (bench/linux/kernels):
#   live     KVM leaves SIMD registers in the CPU when it switches between the levels of its guest, as Linux does
#   switch   it saves them at each switch and loads them when they are used next, as it did before
# Level 3 is the program itself, under the VMM of guest/linux/vmm.c in level 2: docs/measuring.md tells why no Linux.
# First what a machine that counts instructions counts (bench/plugin), then the clock: ROUNDS (10; 0: none) pairs by turns.
# VLS: vector lengths ("128 256 512 2048"). REQUESTS: of each kind in a timed run (400). KERNELS: a directory with other kernels,
# live/Image and switch/Image.

vls=${VLS:-128 256 512 2048}
rounds=${ROUNDS:-10}
requests=${REQUESTS:-400}
counted_requests=64
kinds='device serial timer mixed'
kernels=${KERNELS:-$top/build/kernel/$suite}
plugin=$top/build/bench/cost.so
limit=900

[ -n "${KERNELS:-}" ] || "$top/bench/linux/kernels"

MODULES= COMPRESS=none "$top/tools/mkinitramfs" "$out/kvm.l2.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$guests/io.bin"
for way in live switch; do
	MODULES= COMPRESS=none "$top/tools/mkinitramfs" "$out/kvm.$way.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" \
		"$kernels/$way/Image:/Image" "$out/kvm.l2.cpio:/initramfs"
done

# stack RUNNER NAME WAY VL ARGS OPTION...: the stack by under_nidus or machine; the program's arguments, more options of
# nidus-run's and after -- of QEMU's.
stack()
{
	runner=$1 name=$2 way=$3 vl=$4 args=$5
	shift 5
	set -- --nested=deep --cpus 1 -k "$kernels/$way/Image" -i "$out/kvm.$way.cpio" -c 1 -m 512 -o sve=max -a "console=ttyAMA0 quiet \
panic=-1 kvm-arm.mode=nested bench.vm=linux,payload bench.mib=256 bench.cpus=1 bench.program=io bench.args=$args,vl=$vl" "$@" \
		-cpu "max,lpa2=off,sme=off,sve-max-vq=$((vl / 128))"
	case $runner in
	machine) machine "$name" "$@" ;;
	under_nidus)
		under_nidus "$name" ' passed, 0 failed' "$@"
		vl_is "$name" "$vl"
		;;
	esac
}

# counted WAY VL: lines "KIND INSNS EXITS LEVEL0 LOADS BYTES", per request, of all four kinds, from one run. Of SVE 32 registers, 17
# predicates of an eighth and two words are moved, of the Q registers 32 and two words.
counted()
{
	stack under_nidus kvm.counted "$1" "$2" "marks,n=$counted_requests" --icount --nidus stats -- -plugin "$plugin,out=$out/kvm.cost"
	for kind in $kinds; do
		echo "$kind $(io_figure kvm.counted $kind)"
	done >"$out/kvm.figures"
	[ "$(grep -c '^row' "$out/kvm.cost")" -eq "$(wc -l <"$out/kvm.figures")" ] || fail "$out/kvm.cost: not a row for each kind"
	awk -v n=$counted_requests -v vl="$2" '
		$1 == "columns" { for (i = 2; i <= NF; i++) column[$i] = i; next }
		$1 == "row" {
			row++
			exits[row] = $column["eret"]
			for (name in column)
				if (name !~ /_lines$|^[zq]_/)
					own[row] += $column[name]
			z = $column["z_load"] + $column["z_store"]
			q = $column["q_load"] + $column["q_store"]
			bytes[row] = z * (32 * vl / 8 + 17 * vl / 64 + 8) + q * (32 * 16 + 8)
			loads[row] = $column["z_load"] + $column["q_load"]
		}
		FILENAME ~ /figures$/ {
			printf "%s %d %.1f %.0f %.2f %.0f\n", $1, $2, exits[FNR] / n, own[FNR] / n, loads[FNR] / n, bytes[FNR] / n
		}' "$out/kvm.cost" "$out/kvm.figures"
}

echo "A program at level 3 whose requests all use SIMD, with nidus at level 0 and Linux/KVM at levels 1 and 2. Per request:"
echo "instructions of all levels together, exits to level 0, instructions there, how often all registers were loaded (after a trap,"
echo "or for the VMM), bytes moved. gain: of the row's instructions, what live saves."
printf '%-5s %-8s %-7s %10s %7s %10s %7s %9s %7s\n' vl kind way insns exits "level 0" loads bytes gain
for vl in $vls; do
	for way in live switch; do
		counted $way "$vl" >"$out/kvm.counted.$way"
	done
	for kind in $kinds; do
		for way in live switch; do
			read -r _ insn exits own loads bytes <<END
$(grep "^$kind " "$out/kvm.counted.$way")
END
			saved=
			if [ $way = live ]; then live=$insn; else saved=$(gain "$live" "$insn"); fi
			printf '%-5s %-8s %-7s %10s %7s %10s %7s %9s %7s\n' "$vl" $kind $way "$insn" "$exits" "$own" "$loads" "$bytes" "$saved"
			cell nidus/linux/linux/payload L3 "io_$kind" $way "$vl" "$insn" "$own" "{\"total\": $exits}" "$bytes" - "$loads SIMD loads"
		done
	done
done
echo

[ "$rounds" -gt 0 ] || return 0
echo "The same by the clock, mixed requests: microseconds of a request, median of $rounds rounds (quartiles). The two machines"
echo "take turns. The gain is the median of the rounds' own."
printf '%-5s %-7s %9s %21s %9s %19s\n' vl way median quartiles gain quartiles
# begin WAY VL
begin()
{
	stack machine "kvm_$1" "$1" "$2" "only,mixed,n=$requests,rounds=$((rounds + 2))" --
}

for vl in $vls; do
	clock_rounds kvm mixed "$vl" live switch
	for way in live switch; do
		clock_row nidus/linux/linux/payload L3 io_mixed $way "$vl" "$out/kvm.ns"
	done
done
