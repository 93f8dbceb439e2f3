# SPDX-License-Identifier: Apache-2.0
# Linux as L1 treats its L2s roughly (test/system/linux/init-l1-*), or L2s it; L1 judges. Short by default; with SOAK
# set in the environment (`make soak`) at full length.
#   rough INIT MIB "WORDS" [NIDUS-RUN-ARGS...]     MIB: of L1
#   long SHORT FULL: one of them

. "$TOP/test/system/linux/nested.sh"

long()
{
	if [ -n "${SOAK:-}" ]; then
		echo "$2"
	else
		echo "$1"
	fi
}

# The work of each L2: a little of everything.
rough_words="run.fp=10 run.math=5 run.ms=200 run.ping=50 run.mib=1 run.vl=256 run.l2_mem=192"

# shadow_bounded: the pages of the shadow stage 2 that nidus counted are within its own limit.
shadow_bounded()
{
	pages=$(sed -n 's/^nidus: .* \([0-9]*\) of at most \([0-9]*\) pages of shadow stage 2$/\1 \2/p' "$OUT/lines")
	say "pages of shadow stage 2, and at most: $pages"
	[ -n "$pages" ] && [ "${pages% *}" -gt 0 ] && [ "${pages% *}" -le "${pages#* }" ] ||
		fail "nidus's pages of shadow stage 2 are \"$pages\""
}

rough()
{
	suite=${SUITE:-trixie-backports} rough_init=$1 rough_mib=$2 rough_more=$3
	shift 3
	need "$arm64/Image" "$arm64/qemu" "$guests/fpcheck"
	l2_initramfs "$OUT/l2.img" "$suite" "$nested_linux/init-l2"
	l1_initramfs "$OUT/l1.img" "$suite" "$nested_linux/$rough_init" "$suite" "$OUT/l2.img"
	run 900 --nested -k "$arm64/Image" -i "$OUT/l1.img" -c 2 -m "$rough_mib" -o sve=256 --nidus stats \
		-a "$(echo console=ttyAMA0 quiet panic=-1 $rough_words $rough_more)" "$@"
	rm -f "$OUT/l1.img" "$OUT/l2.img"
	never '^(guest1: )?guest: .*FAIL' # tells why
	want_status 0
	want '^(guest1: )?guest: PASS$'
	shadow_bounded
}
