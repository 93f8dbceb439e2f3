# SPDX-License-Identifier: Apache-2.0
# Part of bench/run: the project's own guest hypervisor at virtual EL2, and its guest. Their own part is what the same
# run takes at EL2 of the bare machine; the rest is nidus's.

# hyps NAME ARGS...: runs it with this many HVCs, and nidus's accounts.
hyps()
{
	name=$1
	shift
	measure "$name" --nested -o sve=0 --nidus stats --cpus 1 -k "$guests/hyp.bin" -c 1 -m 128 -a "$*"
}

# exits NAME: prints the number of all exits that nidus counted.
exits()
{
	sed -n 's/.*Total Samples:\([0-9]*\),.*/\1/p' "$out/$1" | awk '{ n += $1 } END { print n }'
}

hyps nested bench
hyps nested.more bench hvcs=1200
on_machine nested.bare ' passed, 0 failed' -smp 1 -m 256 $icount -kernel "$guests/hyp.bin" -append bench

# A row: test, most instructions of nidus (- none), what it is. These are goals, not all of which are reached yet.
rows='
l2_hvc			900	an HVC of L2 that L1 answers with an ERET: both exits
host_el0_svc		120	an SVC of host EL0 and the ERET of vEL2 back
l2_timer		250	timer of an L2 that has the interrupts itself, expiry to handler
l2_wfi			250	the same out of WFI
read_hpfar_el2		150	an access of vEL2 to a register that traps
write_vbar_el2		150	likewise
l2_page_after_flush	900	a page of L2 touched after L1 flushed its stage 2
tlbi_vmalls12e1is	-	that flush
'
echo "The project's own hypervisor as L1. Instructions per operation, as L1 or L2 sees it; those of nidus (all, less what"
echo "the same takes on the bare machine)."
printf '%-29s %10s %8s %8s %8s\n' "test" all nidus "" "at most"
echo "$rows" | while read -r row most what; do
	[ -n "$row" ] || continue
	all=$(figure nested "$row")
	own=$((all - $(figure nested.bare "$row")))
	verdict=
	[ "$most" = - ] || { [ "$own" -le "$most" ] && verdict=ok || verdict=missed; }
	printf '%-29s %10s %8s %8s %8s %9s  %-6s  %s\n' "$row" "$all" "$own" "" "${most#-}" "" "$verdict" "$what"
	case $row in
	l2_*) level=L2 ;;
	*) level=L1 ;;
	esac
	cell nidus/guesthyp/payload $level "$row" live 128 "$all" "$own" - - - "$what"
done

each=$(awk -v a="$(exits nested)" -v b="$(exits nested.more)" 'BEGIN { printf "%.2f", (b - a) / 1000 }')
bytes=$(sed -n 's/.* level switches, \([0-9]*\) bytes of SIMD.*/\1/p' "$out/nested.more")
echo "exits to nidus per HVC of L2: $each, at most 2: $([ "$each" = 2.00 ] && echo ok || echo missed)"
echo "bytes of SIMD state moved by level switches: ${bytes:-?}, at most 0: $([ "$bytes" = 0 ] && echo ok || echo missed)"
