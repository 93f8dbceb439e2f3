# SPDX-License-Identifier: Apache-2.0
# Part of bench/run: operations of guests at EL1, and what two guests on one CPU cost each other.

# What each run is: the options of tools/nidus-run, the boot arguments.
bench=$guests/bench.bin
run_of()
{
	case $1 in
	ordinary) options= args= ;;
	switch128) options="--cpus 1" args=switch ;;
	switch256) options="--cpus 1 -o sve=256" args=switch ;;
	esac
}

for run in ordinary switch128 switch256; do
	run_of $run
	measure $run -k "$bench" -c 2 -m 64 ${args:+-a "$args"} $options
done
measure boot --cpus 2 -k "$guests/hello.bin" -c 2 -m 2048

# A row: test, run, vector length in bits, most instructions (- none), KVM's figure (- unknown), what it is.
rows='
hyp_call		ordinary	128	250	1660	an SMCCC call that nidus answers
mmio_read_vgic		ordinary	128	450	2629	a read of GICD_IIDR
mmio_read_gicr		ordinary	128	-	-	a read of GICR_IIDR
mmio_read_uart		ordinary	128	-	-	a read of the emulated UART
sysreg_read_id		ordinary	128	-	-	a trapped read of an ID register
eoi			ordinary	128	-	21	ICC_EOIR1_EL1 and an ISB
ipi			ordinary	128	1200	6148	to a running vcpu until acknowledged
ipi_wfi			ordinary	128	-	-	to a vcpu in WFI until acknowledged
ipi_self		ordinary	128	-	-	to itself, taken and ended
timer_10ms		ordinary	128	500	-	virtual timer, expiry to vector
timer_10ms_wfi		ordinary	128	-	-	virtual timer, expiry to vector, from WFI
timer_10ms_phys		ordinary	128	-	-	physical timer, expiry to vector
vcpu_switch		switch128	128	-	-	one vcpu to another on one CPU, by SGI and WFI
vcpu_switch_fp_both	switch128	128	-	-	one vcpu to another, both use FP
vcpu_switch_fp_both	switch256	256	-	-	one vcpu to another, both use FP, have SVE of 256 bits
fp_trap			switch128	128	-	-	first FP use after the other used it
fp_trap			switch256	256	350	-	first FP use after the other used it, SVE of 256 bits
'

# nidus's part of an operation comes from its own accounts: those of a run with this operation alone some times, minus
# those of a run with fewer.
few=20 many=100

# difference TEST RUN: computes that per operation, into $out/TEST.RUN.
difference()
{
	case $1 in
	fp_trap) test=vcpu_switch_fp_both ;; # the same run
	*) test=$1 ;;
	esac
	run_of "$2"
	[ ! -e "$out/$test.$2" ] || return 0
	for n in $few $many; do
		measure "$test.$2.$n" -k "$bench" -c 2 -m 64 --nidus stats -a "$args only $test n=$n" $options
		account "$test.$2.$n"
	done
	account_difference "$test.$2.$few" "$test.$2.$many" $((many - few)) "$test.$2"
}

# Instructions of an exit that the accounts do not contain, the vectors and the accounting itself: what hyp_call takes
# minus its two instructions in the guest.
rm -f "$out"/*.ordinary "$out"/*.switch*
difference hyp_call ordinary
unseen=$(awk -v all="$(figure ordinary hyp_call)" '$1 == "HVC64" { printf "%d", all - 2 - $3 / $2 + 0.5 }' "$out/hyp_call.ordinary")

# columns TEST RUN: prints nidus's part of an operation: instructions, bytes of SIMD state moved, exits as JSON. Where
# two vcpus share a CPU that never idles, everything that is not the guests' is nidus's; an operation is half of what
# the loop counts. Otherwise it is the time of the exits; going to sleep and waking up do not count.
columns()
{
	difference "$1" "$2"
	awk -v test="$1" -v unseen="$unseen" '
		/^[+]/ { v[$1] = $2; next }
		$2 >= 0.05 { n[$1] = $2; t[$1] = $3; exits += $2; ticks += $3 }
		function json(share,  class, text, sum) {
			for (class in n)
				sum += n[class] * share
			text = sprintf("{\"total\": %.3g", sum)
			for (class in n)
				text = text sprintf(", \"%s\": %.3g", class, n[class] * share)
			return text "}"
		}
		END {
			if (test == "fp_trap") {
				insn = t["FP_ASIMD"] / n["FP_ASIMD"] + unseen
				bytes = v["+bytes"] / v["+moves"]
				text = "{\"total\": 1, \"FP_ASIMD\": 1}"
			} else if (test ~ /^vcpu_switch/) {
				insn = (v["+elapsed"] - v["+guest"] + unseen * exits) / 2
				bytes = v["+bytes"] / 2
				text = json(1 / 2)
			} else {
				insn = ticks + unseen * exits
				bytes = v["+bytes"]
				text = json(1)
			}
			printf "%.0f\t%.0f\t%s\n", insn, bytes, text
		}' "$out/$test.$2"
}

# Prints lines "test vl value most kvm what insn_nidus bytes exits", tab-separated.
tab=$(printf '\t')
echo "$rows" | while read -r row run vl most kvm what; do
	[ -n "$row" ] || continue
	value=$(figure "$run" "$row")
	columns "$row" "$run" >"$out/columns"
	IFS=$tab read -r insn bytes exits <"$out/columns"
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$row" "$vl" "$value" "$most" "$kvm" "$what" "$insn" "$bytes"
	cell nidus/payload L1 "$row" live "$vl" "$value" "$insn" "$exits" "$bytes" - "$what"
done >"$out/figures"
size=$(($(wc -c <"$nidus")))
boot=$(sed -n 's/^nidus: vm guest: first entry at \([0-9]*\) ticks$/\1/p' "$out/boot")
[ -n "$boot" ] || fail "nidus does not say when the guest was entered"
cell nidus/payload L1 boot_2gib live 128 "$boot" "$boot" - - - \
	"entry of nidus to the first guest instruction; nidus.bin has $size bytes"

awk -F '\t' -v size="$size" -v boot="$boot" '
	function verdict(v, most) {
		if (most == "-")
			return ""
		wanted++
		if (v <= most)
			return "ok"
		missed++
		return "MISSED"
	}
	function row(name, v, most, kvm, what, at_el2, bytes) {
		printf "%-29s %10s %8s %8s %8s %9s  %-6s  %s\n", name, v, at_el2, bytes, most == "-" ? "" : most,
			kvm == "-" ? "" : "[" kvm "]", verdict(v, most), what
	}
	BEGIN {
		print "Guests at EL1. Instructions per operation, round trip, as the guest sees it (-icount shift=0,sleep=off); those"
		print "of nidus at EL2 (its accounts: all of the loop, without the scheduler but in vcpu_switch); bytes of SIMD state"
		print "moved; what Linux/KVM took when it was measured once."
		printf "%-29s %10s %8s %8s %8s %9s\n", "test", "all", "nidus", "bytes", "at most", "[KVM]"
	}
	{ row($1 ($2 > 128 ? " (vl " $2 ")" : ""), $3, $4, $5, $6, $7, $8) }
	END {
		row("boot_2gib", boot, 50000000, "-", "entry of nidus to the first guest instruction, 2 GiB guest", boot, "")
		row("nidus.bin", size, 262144, "-", "bytes", "", "")
		printf "bench: %d of %d targets met\n", wanted - missed, wanted
	}' "$out/figures"
