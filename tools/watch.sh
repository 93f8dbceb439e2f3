# SPDX-License-Identifier: Apache-2.0
# How long an emulator or another program may take, whatever the host. Read with "."; it runs nothing by itself.
#
# A limit in seconds of the clock is a statement about the host. Here a process is given time of its own: that in which
# it ran or slept, and not that in which it was ready to run and the host's CPUs were busy with others. A limit is for the
# time without progress, which is a byte more in one of its files; and a larger one for the whole ends what makes
# such progress for ever.
#
#   watch_begin PID
#   watch_step FILE...    once a second or so. Sets, in milliseconds: watch_own, since the beginning; watch_silent, the
#                         part of that since a FILE grew; watch_wall and watch_wait, by the clock. watch_cpu: CPU time.
# With WATCH_ALIVE in the environment that file is touched at each step: for whoever watches us.

watch_begin()
{
	watch_pid=$1
	watch_own=0 watch_silent=0 watch_wall=0 watch_wait=0 watch_cpu=0
	watch_sizes=
	watch_read
	watch_was="$watch_at $watch_ran $watch_waited"
}

# watch_read: reads the clock, and how long all threads have run and waited for a CPU so far, in milliseconds.
watch_read()
{
	read -r watch_at watch_rest </proc/uptime
	watch_at=${watch_at%.*}${watch_at#*.}0
	watch_ran=0 watch_waited=0
	for watch_file in /proc/"$watch_pid"/task/*/schedstat; do
		if read -r watch_a watch_b watch_rest <"$watch_file"; then
			watch_ran=$((watch_ran + watch_a / 1000000)) watch_waited=$((watch_waited + watch_b / 1000000))
		fi
	done 2>/dev/null
}

# watch_sum AT RAN WAITED: adds the time since then. A thread that ended takes its share with it, which is then not
# counted.
watch_sum()
{
	watch_dt=$((watch_at - $1)) watch_run=$((watch_ran - $2)) watch_ready=$((watch_waited - $3))
	[ $watch_run -ge 0 ] || watch_run=0
	[ $watch_ready -ge 0 ] || watch_ready=0
	# Time in which the host slept, or this script was stopped, does not count.
	[ $watch_dt -le 10000 ] || watch_dt=10000
	watch_wanted=$((watch_run + watch_ready))
	if [ $watch_wanted -le $watch_dt ]; then
		watch_mine=$((watch_dt - watch_ready))
	else
		watch_mine=$((watch_dt * watch_run / watch_wanted))
	fi
}

watch_step()
{
	watch_read
	# shellcheck disable=SC2086 # words
	watch_sum $watch_was
	watch_was="$watch_at $watch_ran $watch_waited"
	watch_own=$((watch_own + watch_mine)) watch_wall=$((watch_wall + watch_dt)) watch_cpu=$((watch_cpu + watch_run))
	watch_now=$(stat -c %s "$@" 2>/dev/null)
	if [ "$watch_now" = "$watch_sizes" ]; then
		watch_silent=$((watch_silent + watch_mine)) watch_wait=$((watch_wait + watch_dt))
	else
		watch_silent=0 watch_wait=0
	fi
	watch_sizes=$watch_now
	[ -z "${WATCH_ALIVE:-}" ] || : >"$WATCH_ALIVE"
}

# watch_over STALL LIMIT FILE: whether it ran for STALL s without progress, or LIMIT s in all, of its own time ('': no
# such limit). Sets watch_why, one line, with FILE's last line in it.
watch_over()
{
	if [ -n "$1" ] && [ $watch_silent -ge $(($1 * 1000)) ]; then
		watch_why="no progress for $1 s of its own time"
	elif [ -n "$2" ] && [ $watch_own -ge $(($2 * 1000)) ]; then
		watch_why="no end after $2 s of its own time"
	else
		return 1
	fi
	watch_why="$watch_why ($((watch_wall / 1000)) s by the clock since the start, $((watch_wait / 1000)) s since the last \
output; $((watch_cpu / 1000)) s of CPU); last line: $(tail -n 1 "$3" | tr -d '\r' | cut -c 1-200)"
}
