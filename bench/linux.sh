# SPDX-License-Identifier: Apache-2.0
# Part of bench/run: a bare-metal program as L2 of Linux/KVM as L1, under the VMM of guest/linux/vmm.c. Three stacks, the
# kernel, its initramfs, the VMM and the program the same in each:
#   nidus/linux/payload   Linux at virtual EL2 of nidus
#   kvm/payload           Linux at EL2 of the machine: what L1 and L2 need themselves, and KVM's own figures for an EL1 guest
#   kvm/linux/payload     Linux at virtual EL2 of Linux (PEER=kvm)
command -v cpio >/dev/null || fail "cpio is missing: run tools/setup"

words="console=ttyAMA0 quiet panic=-1 kvm-arm.mode=nested"
count=500 # operations of each kind
few=100 many=2100
mib=768   # of L1; a Linux with less than 512 has no transparent huge pages
# Linux/KVM as L0 comes up without LPA2 only; nidus offers LPA2 to no VM.
cpu=max,lpa2=off

initramfs()
{
	MODULES= COMPRESS=none "$top/tools/mkinitramfs" "$@"
}
initramfs "$out/l1.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$guests/bench.bin"

# l1_under_nidus NAME ARGS OPTION...: the program's arguments, more options of tools/nidus-run.
l1_under_nidus()
{
	run=$1
	args=$2
	shift 2
	measure "$run" --nested -k "$arm64/Image" -i "$out/l1.cpio" -c 2 -m $mib -o sve=max -o sme=max \
		-a "$words bench.vm=payload bench.args=$args" "$@" -- -cpu $cpu
}

# linux_on_machine NAME MIB INITRD WORDS...: with these words on the kernel's command line.
linux_on_machine()
{
	run=$1
	ram=$2
	initrd=$3
	shift 3
	on_machine "$run" ' passed, 0 failed' -cpu $cpu -smp 2 -m "$ram" $icount -kernel "$arm64/Image" -initrd "$initrd" \
		-append "$words $*"
}

l1_under_nidus linux.nidus "median,n=$count"
linux_on_machine linux.bare $mib "$out/l1.cpio" bench.vm=payload "bench.args=median,n=$count"
if [ -n "$peer" ]; then
	initramfs "$out/l0.cpio" "$suite" "$top/bench/linux/init" "$guests/vmm" "$guests/bench.bin" \
		"$arm64/Image:/Image" "$out/l1.cpio:/initramfs"
	linux_on_machine linux.kvm $((2 * mib)) "$out/l0.cpio" bench.vm=linux,payload bench.mib=$mib "bench.args=median,n=$count"
	rm "$out/l0.cpio"
fi

# A row: test, most instructions where no peer is measured, whether its exits are counted, what it is.
rows='
hyp_call		5300	exits	an SMCCC call that L1 answers
mmio_read_vgic		6000	exits	a read of GICD_IIDR, which L1 emulates
mmio_read_gicr		-	-	a read of GICR_IIDR, likewise
mmio_read_user		16500	exits	a read of the UART of the VMM in L1
sysreg_read_id		-	-	a trapped read of an ID register
eoi			-	-	ICC_EOIR1_EL1 and an ISB
ipi			13200	exits	to a running vcpu until acknowledged
ipi_wfi			-	-	to a vcpu in WFI until acknowledged
ipi_self		-	-	to itself, taken and ended
timer_10ms		-	-	virtual timer, expiry to vector
timer_10ms_wfi		-	-	virtual timer, expiry to vector, from WFI
timer_10ms_phys		-	-	physical timer, expiry to vector
hyp_call_fp		-	exits	hyp_call with FP registers in use
mmio_read_user_fp	-	exits	mmio_read_user with FP registers in use, by the VMM too
page_touch		-	exits	a page that was never touched
'
counted=$(echo "$rows" | awk '$3 == "exits" { print $1 }')

# exits_run TEST: runs each test some times, this one more often.
exits_run()
{
	list=
	for other in $counted; do
		n=$few
		[ "$other" != "$1" ] || n=$many
		list=$list,$other=$n
	done
	l1_under_nidus "linux.exits.$1" "only$list" --nidus stats
	account "linux.exits.$1"
}

# Prints lines "TEST TOTAL BYTES JSON". Exits of fewer than one in 20 operations are L1's own, of its timer for
# instance.
exits_run none
: >"$out/linux.exits"
for row in $counted; do
	exits_run "$row"
	account_difference linux.exits.none "linux.exits.$row" $((many - few)) "linux.exits.$row.each"
	awk -v test="$row" '
		/^[+]/ { v[$1] = $2; next }
		$2 >= 0.05 { sum += $2; text = text sprintf(", \"%s\": %.3g", $1, $2) }
		END { printf "%s %.3g %.0f {\"total\": %.3g%s}\n", test, sum, v["+bytes"], sum, text }
	' "$out/linux.exits.$row.each" >>"$out/linux.exits"
done

vl=$(figure linux.nidus vl)
echo "Linux/KVM $(cat "$arm64/kernel-version") as L1, its guest as L2. Instructions per operation, median, as L2 sees it; on the bare machine,"
echo "what Linux as L0 takes for a guest at EL1; those that nidus adds to that; exits to nidus; bytes of SIMD state moved;"
if [ -n "$peer" ]; then
	echo "Linux/KVM as L0 in nidus's place, measured in this call, whose tenth is aimed at."
else
	echo "the aim, from a tenth of what Linux/KVM as L0 took once (PEER=kvm measures it)."
fi
printf '%-29s %10s %8s %8s %6s %6s %8s %8s\n' "test" all bare nidus exits bytes "at most" "${peer:+KVM}"
echo "$rows" | while read -r row most how what; do
	[ -n "$row" ] || continue
	all=$(figure linux.nidus "$row")
	bare=$(figure linux.bare "$row")
	total=- bytes=- json=-
	if [ "$how" = exits ]; then
		line=$(grep "^$row " "$out/linux.exits") || fail "no exits of $row"
		read -r row total bytes json <<END
$line
END
	fi
	kvm=
	if [ -n "$peer" ]; then
		kvm=$(figure linux.kvm "$row")
		[ "$most" = - ] || most=$((kvm / 10))
		cell kvm/linux/payload L2 "$row" - "$vl" "$kvm" - - - - "$what"
	fi
	verdict=
	[ "$most" = - ] || { [ "$all" -le "$most" ] && verdict=ok || verdict=MISSED; }
	printf '%-29s %10s %8s %8s %6s %6s %8s %8s  %-6s  %s\n' "$row" "$all" "$bare" $((all - bare)) "${total#-}" \
		"${bytes#-}" "${most#-}" "$kvm" "$verdict" "$what"
	cell nidus/linux/payload L2 "$row" live "$vl" "$all" $((all - bare)) "$json" "$bytes" - "$what"
	cell kvm/payload L1 "$row" - "$vl" "$bare" - - - - "$what"
done
# An operation has a whole number of exits; the fraction comes from L1's timer ticks and the difference of two boots.
awk '$1 == "hyp_call" { printf "exits to nidus per hypercall of L2: %s, at most 5: %s\n", $2, $2 < 5.5 ? "ok" : "MISSED" }' \
	"$out/linux.exits"
