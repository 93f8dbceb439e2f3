# SPDX-License-Identifier: Apache-2.0
# Part of bench/run: a hypercall of a guest at level 3 that level 2 answers, with nidus at the levels below:
# instructions of all levels together, and exits to the lowest.

few=100 many=1100

# row TEST FIGURE WHAT ARGS...: the guest's figure, and nidus's accounts of it at level 0; "%n" in an argument is the
# number of repetitions.
row()
{
	test=$1
	figure=$2
	what=$3
	shift 3
	for n in $few $many; do
		args=
		for arg; do
			args="$args '$(echo "$arg" | sed "s/%n/$n/")'"
		done
		eval "measure $test.$n --nidus stats --cpus 1 -c 1 $args"
		# From the lowest level's accounts, which are those of the VM level1.
		exits=$(awk '/Exits of vm/ { own = / level1,/ }
			own && sub(/.*Total Samples:/, "") { n += $0 + 0 }
			END { print n }' "$out/$test.$n")
		[ "$n" = $few ] && exits_few=$exits
	done
	all=$(figure "$test.$many" "$figure")
	exits=$(awk -v a="$exits_few" -v b="$exits" -v n=$((many - few)) 'BEGIN { printf "%.1f", (b - a) / n }')
	verdict=$(awk "BEGIN { print $all <= $most_insns && $exits <= $most_exits ? \"ok\" : \"missed\" }")
	printf '%-12s %8s %8s %8s %8s  %-6s  %s\n' "$test" "$all" "$exits" $most_insns $most_exits $verdict "$what"
	cell nidus/nidus/nidus L3 "$test" live 128 "$all" - "{\"total\": $exits}" - - "$what"
}

# Five times an HVC of L2 that L1 answers (guesthyp.sh), which was 894.
most_insns=4470 most_exits=8

echo "A guest at level 3. Instructions per operation of all levels together, and exits to level 0."
printf '%-12s %8s %8s %8s %8s\n' test all exits "at most" "at most"
row l3_call hyp_call "an SMCCC call that nidus at level 2 answers" --level 3 -o sve=0 -k "$guests/bench.bin" -m 64 -a 'only hyp_call n=%n'
row l3_hvc l2_hvc "an HVC that the project's own hypervisor at level 2 answers with an ERET" \
	--level 2 --nested -o sve=0 -k "$guests/hyp.bin" -m 128 -a 'bench hvcs=%n'
