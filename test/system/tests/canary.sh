# SPDX-License-Identifier: Apache-2.0
# canary VQ SME [simd.chaos]: fill and check every SIMD register on a machine whose longest SVE vector has VQ times
# 128 bits, SME on or off: a VM of three vcpus with all of it on two CPUs, and one without SVE and SME.

canary()
{
	vl=$(($1 * 128))
	cpu="max,sve-max-vq=$1,sme=$2"
	options="-o sve=max"
	claims="vl=$vl"
	if [ "$2" = on ]; then
		options="$options -o sme=max"
		# QEMU 10.0 aborts (aarch64_sve_narrow_vq) when streaming mode narrows to a length above
		# sve-max-vq, with any software at EL2: longer ones are off here.
		for svl in 256 512 1024 2048; do
			[ "$svl" -le "$vl" ] || cpu="$cpu,sme$svl=off"
		done
	else
		claims="$claims nosme"
	fi
	run 400 --nidus "${3:-}" -k "$guests/canary.bin" -c 3 -m 64 -a "nidus id=1 iters=400 $claims" $options \
		-k "$guests/canary.bin" -c 1 -m 64 -a "nidus id=2 iters=800 nosve nosme" -- -cpu "$cpu"
	want_status 0
	at_least 2 'canary: 5 passed, 0 failed, 0 skipped'
	never 'FAIL: '
}
